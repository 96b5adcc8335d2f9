package registrar

import "github.com/librserpool/librserpool/core/internal/protocol"

// changes remembers what peers told of while tables are on their way: it is newer
// than what the tables say (ENRP-3.2-21).
type changes struct {
	downloads int    // tables on their way
	number    uint32 // counts downloads, and changes that peers told of meanwhile
	gone      map[elementKey]uint32
}

// elementKey names a PE.
type elementKey struct {
	handle protocol.PoolHandle
	id     protocol.PEID
}

// maxGone bounds what is remembered during downloads.
const maxGone = 10_000

// begin notes that a table is on its way. What has a higher number than since is
// newer than the table.
func (ch *changes) begin() (since uint32) {
	since = ch.number
	ch.downloads++
	ch.number++
	return since
}

// end notes that a table is not on its way any more.
func (ch *changes) end() {
	if ch.downloads--; ch.downloads == 0 {
		clear(ch.gone)
	}
}

// count numbers what a peer tells next.
func (ch *changes) count() {
	if ch.downloads > 0 {
		ch.number++
	}
}

// learned notes that a peer told of a PE.
func (ch *changes) learned(el *element) {
	el.State.mark = 0
	if ch.downloads > 0 {
		el.State.update = ch.number
	}
}

// rememberGone keeps a table that is on its way from bringing a PE back.
func (ch *changes) rememberGone(h protocol.PoolHandle, id protocol.PEID) {
	if ch.downloads > 0 && len(ch.gone) < maxGone {
		ch.gone[elementKey{h, id}] = ch.number
	}
}

func (ch *changes) forgetGone(h protocol.PoolHandle, id protocol.PEID) {
	delete(ch.gone, elementKey{h, id})
}

// goneSince says whether a peer removed a PE since a download began.
func (ch *changes) goneSince(since uint32, h protocol.PoolHandle, id protocol.PEID) bool {
	told, removed := ch.gone[elementKey{h, id}]
	return removed && told > since
}
