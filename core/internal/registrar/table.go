package registrar

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/handlespace"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// session is a peer's progress through our handle table (ENRP-3.2-11).
type session struct {
	peer   *peer
	own    bool // W: only what we own
	cursor handlespace.Cursor
	expiry timerq.Timer[deadline]
}

// tablePart bounds the entries of one response, in bytes.
const tablePart = 60_000

// handleTableRequest answers with the next part of the table (ENRP-3.2-10,
// ENRP-3.6-10): what it has not had yet if it goes on with a session, from the
// beginning otherwise. While we have no table we refuse (ENRP-3.2-17).
func (r *Registrar) handleTableRequest(now time.Time, p *peer, m enrp.HandleTableRequest) {
	response := enrp.HandleTableResponse{Route: enrp.Route{Sender: r.id, Receiver: p.id}}
	if !r.serving {
		response.Rejected = true // ENRP-2.3-01
		r.tell(p, response)
		return
	}
	s := p.session
	if s == nil || s.own != m.OwnChildrenOnly {
		r.endSession(p)
		s = &session{peer: p, own: m.OwnChildrenOnly}
		s.expiry.Value = s
		p.session = s
	}
	response.Entries, response.More = r.tablePart(s)
	r.tell(p, response)
	if response.More {
		r.timers.Set(&s.expiry, now.Add(r.cfg.Timers.TableSession)) // ENRP-3.2-20
	} else {
		r.endSession(p)
	}
}

// tablePart collects what follows the session's cursor and moves that on. PEs
// of one pool that follow each other make one entry (ENRP-2.3-03).
func (r *Registrar) tablePart(s *session) (entries []enrp.PoolEntry, more bool) {
	room := tablePart
	for el := range r.space.After(s.cursor) {
		if s.own && el.Home != r.id { // ENRP-2.2-01
			continue
		}
		h := el.Pool().Handle
		last := len(entries) - 1
		size := elementSize(el.Element)
		fresh := last < 0 || entries[last].Handle != h
		if fresh {
			size += 8 + len(h)
		}
		if room -= size; room < 0 && last >= 0 {
			return entries, true
		}
		if fresh {
			capacity := min(el.Pool().Len(), tablePart/size+1)
			entries = append(entries, enrp.PoolEntry{Handle: h, Elements: make([]protocol.Element, 0, capacity)})
			last++
		}
		entries[last].Elements = append(entries[last].Elements, el.Element)
		s.cursor = el.Cursor()
	}
	return entries, false
}

func (r *Registrar) endSession(p *peer) {
	if p.session != nil {
		r.timers.Stop(&p.session.expiry)
		p.session = nil
	}
}

// due: who does not go on starts from the beginning (ENRP-3.2-20).
func (s *session) due(r *Registrar, _ time.Time) { r.endSession(s.peer) }

// download is a peer's table on its way to us: all of it when we join, what
// the peer owns when we resynchronize.
type download struct {
	peer  *peer
	own   bool
	since uint32 // changes told after this are newer than the table
	count int    // PEs received
	mark  uint32 // on what the peer has not confirmed (own)
	timer timerq.Timer[deadline]
}

func (r *Registrar) startDownload(now time.Time, p *peer, own bool) {
	d := &download{peer: p, own: own, since: r.updates}
	d.timer.Value = d
	p.download = d
	r.downloads++
	r.updates++
	if own {
		d.mark = r.updates
		r.markOwned(p.id, d.mark)
	}
	r.requestPart(now, d)
}

// requestPart asks for the first or the next part, with the same W
// (ENRP-3.2-12, ENRP-3.6-09).
func (r *Registrar) requestPart(now time.Time, d *download) {
	r.timers.Set(&d.timer, now.Add(r.cfg.Timers.TableResponse))
	if !d.own {
		r.timers.Stop(&r.join.timer) // the part has its own
	}
	r.tell(d.peer, enrp.HandleTableRequest{
		Route:           enrp.Route{Sender: r.id, Receiver: d.peer.id},
		OwnChildrenOnly: d.own,
	})
}

func (r *Registrar) endDownload(p *peer) {
	if p.download == nil {
		return
	}
	r.timers.Stop(&p.download.timer)
	p.download = nil
	if r.downloads--; r.downloads == 0 {
		clear(r.gone)
	}
}

// due: the part did not come (ENRP-3.2-19, ENRP-3.6-13). Nothing is deleted.
func (d *download) due(r *Registrar, now time.Time) { r.downloadFailed(now, d) }

func (r *Registrar) downloadFailed(now time.Time, d *download) {
	p := d.peer
	r.endDownload(p)
	if d.own {
		p.audit.fail(now, r.cfg.Timers.ResyncBackoff)
	} else if r.join.mentor == p {
		r.mentorFailed(now)
	}
}

// handleTableResponse stores a part (ENRP-3.2-12 to 15, ENRP-3.6-11) and asks
// for the next. After the last one the registrar serves (ENRP-3.2-16), or
// drops what the peer does not own any more (ENRP-3.6-12).
func (r *Registrar) handleTableResponse(now time.Time, p *peer, m enrp.HandleTableResponse) {
	d := p.download
	if d == nil {
		return
	}
	if m.Rejected {
		if !d.own && r.join.mentor == p {
			r.endDownload(p)
			r.mentorRefused(now, p)
			return
		}
		r.downloadFailed(now, d)
		return
	}
	for _, entry := range m.Entries {
		d.count += len(entry.Elements)
		for _, e := range entry.Elements {
			r.storeFromTable(now, d, entry.Handle, e)
		}
	}
	if m.More {
		r.requestPart(now, d)
		return
	}
	r.endDownload(p)
	r.emit(Log{Level: Info, Msg: fmt.Sprintf("handle table received, %d PEs", d.count), Server: p.id, At: p.at()})
	if d.own {
		r.sweepOwned(now, p.id, d.mark)
	} else if r.join.mentor == p {
		r.endJoin(now)
	}
}

// elementKey names a PE.
type elementKey struct {
	handle protocol.PoolHandle
	id     protocol.PEID
}

// storeFromTable takes one PE out of a table. What a peer told us in the
// meantime is newer (ENRP-3.2-21), and what we hold ourselves is not for
// others to say.
func (r *Registrar) storeFromTable(now time.Time, d *download, h protocol.PoolHandle, e protocol.Element) {
	if d.own && e.Home != d.peer.id {
		return // ENRP-3.6-15
	}
	if told, removed := r.gone[elementKey{h, e.ID}]; removed && told > d.since {
		return
	}
	el := r.space.Element(h, e.ID)
	if el != nil {
		el.State.mark = 0
		if el.State.update > d.since {
			return
		}
		if r.holds(el) && e.Home != r.id && e.Home != el.State.newHome {
			r.defend(now, d.peer, el)
			if el.Home == r.id {
				return
			}
		}
	}
	r.learn(now, h, e)
}

// holds says whether we own a PE for more reason than a claim: it has an
// association with us.
func (r *Registrar) holds(el *element) bool {
	mon := el.State.monitor
	return el.Home == r.id && mon != nil && mon.link != nil
}
