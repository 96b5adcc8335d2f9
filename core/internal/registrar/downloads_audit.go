package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// backoff keeps a peer whose checksum stays wrong from being asked for its
// table over and over (ENRP-3.6-16).
type backoff struct {
	delay time.Duration
	until time.Time
}

const maxResyncDelay = 5 * time.Minute

// fail doubles the delay, beginning with first.
func (b *backoff) fail(now time.Time, first time.Duration) {
	b.delay = min(max(2*b.delay, first), maxResyncDelay)
	b.until = now.Add(b.delay)
}

// audit compares what a peer says it owns with what we think it owns, and
// resynchronizes if that differs (ENRP-3.6-03 to 05). One resynchronization at
// a time (ENRP-3.6-14), and none before we have a table.
func (ds *downloads) audit(now time.Time, p *peer, checksum uint16) {
	if !ds.serving || p.download != nil {
		return
	}
	if ds.space.Checksum(p.id) == checksum {
		p.audit = backoff{}
		return
	}
	if now.Before(p.audit.until) {
		return
	}
	p.audit.fail(now, ds.cfg.Timers.ResyncBackoff)
	ds.counts.Resyncs++
	ds.emit(Log{Level: Info, Msg: "checksum of a registrar differs, asking for what it owns", Server: p.id, At: p.at()})
	ds.start(now, p, true)
}

// markOwned marks all PEs of a registrar (ENRP-3.6-08).
func (ds *downloads) markOwned(id protocol.ServerID, mark uint32) {
	if ds.space.Owned(id) == 0 {
		return
	}
	for el := range ds.space.Elements() {
		if el.Home == id {
			el.State.mark = mark
		}
	}
}

// sweepOwned drops the PEs that are still marked and still owned by the
// registrar, silently (ENRP-3.6-12, ENRP-3.6-14), but for those that are with us.
// Somebody else may own them by now, of which we missed to hear: all others are
// asked for their checksums at once.
func (ds *downloads) sweepOwned(now time.Time, id protocol.ServerID, mark uint32) {
	if ds.space.Owned(id) == 0 {
		return
	}
	dropped := false
	for el := range ds.space.Elements() {
		switch {
		case el.Home != id || el.State.mark != mark:
		case ds.links.withEndpointOf(el) != nil:
			ds.claims.adopt(now, el, id)
		default:
			ds.elements.drop(now, el)
			dropped = true
		}
	}
	if dropped {
		ds.peers.askOthers(id)
	}
}
