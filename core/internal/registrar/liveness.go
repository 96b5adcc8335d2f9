package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// liveness knows which peers are there: it notes who is heard, and asks who is
// silent.
type liveness struct {
	*core
	peers      *peers
	candidates *candidates
	join       *join
	downloads  *downloads
	takeovers  *takeovers
	handover   *handover
}

// meet notes that a registrar was heard over l: any message keeps it alive
// (ENRP-3.4.3-01, ENRP-3.5-12), and makes an unknown one a peer, which is
// asked to present itself (ENRP-3.4.1-01, ENRP-3.4.1-02).
func (lv *liveness) meet(now time.Time, l *link, id protocol.ServerID) *peer {
	p := lv.peers.byID[id]
	isNew := p == nil
	if isNew {
		if p = lv.addHeard(now, l, id); p == nil {
			return nil
		}
	}
	lv.takeLink(now, p, l)
	p.lastHeard, p.ended = now, false
	if p.probing || p.inactive {
		lv.stillAlive(now, p)
	}
	lv.takeovers.cancel(now, p)
	if isNew {
		lv.peers.tell(p, lv.peers.presence(p.id, true))
	}
	return p
}

// addHeard makes a registrar a peer that has spoken itself; nil if there are too
// many.
func (lv *liveness) addHeard(now time.Time, l *link, id protocol.ServerID) *peer {
	p := lv.peers.add(now, id, l.addrs)
	if p != nil {
		delete(lv.peers.departed, id)
		lv.candidates.welcomeBack(now, p)
	}
	return p
}

// takeLink notes that a peer is at the other end of l. If it was another one
// before, that one is dead.
func (lv *liveness) takeLink(now time.Time, p *peer, l *link) {
	before := l.peer
	l.peer = p
	if before != nil && before != p && before.link == l {
		before.link = nil
		lv.takeovers.begin(now, before)
	}
	if p.link == nil {
		p.link = l
	}
	p.here = p.here || l.here
	if p.server.IsZero() {
		p.server = l.transport
	}
}

// partFrom notes that a link is gone. The registrar at its other end is not dead
// for that (ENRP-3.4.3-04), but asked at once. err is why the link is gone; nil:
// the other side has shut it down.
func (lv *liveness) partFrom(now time.Time, l *link, err error) {
	p := l.peer
	l.peer = nil
	if p != nil && p.link == l {
		p.link, p.ended = nil, p.ended || err == nil
		if lv.handover.done {
			return
		}
		lv.doubt(now, p)
	}
	lv.candidates.lost(now, l, err)
}

// handlePresence learns where the peer serves, answers if asked to
// (ENRP-3.4.1-03), and compares checksums.
func (lv *liveness) handlePresence(now time.Time, p *peer, m enrp.Presence) {
	if m.HasServer && m.Server.ID == p.id && canServe(p, m.Server.Transport) {
		p.server = m.Server.Transport
		lv.replaceAt(now, p)
	}
	lv.join.heard(now, p)
	if m.ReplyRequired {
		lv.peers.tell(p, lv.peers.presence(p.id, false))
	} else if m.Receiver == lv.id {
		p.returned = time.Time{} // what it could not send meanwhile came before this answer
	}
	if m.HasChecksum {
		lv.downloads.audit(now, p, m.Checksum)
	}
}

// replaceAt finds registrars that were where p is now: they restarted under a
// new identifier (ENRP-2.1-01), so the old one is dead.
func (lv *liveness) replaceAt(now time.Time, p *peer) {
	at := p.addrs()[0]
	for _, q := range lv.peers.list {
		if q == p || q.link != nil || len(q.addrs()) == 0 || q.addrs()[0] != at {
			continue
		}
		lv.takeovers.begin(now, q)
		return
	}
}

// silent: a peer that was silent for MAX-TIME-LAST-HEARD is asked
// (ENRP-3.4.3-02), one that does not answer within MAX-TIME-NO-RESPONSE is
// dead (ENRP-3.4.3-03).
func (lv *liveness) silent(now time.Time, p *peer) {
	silentUntil := p.lastHeard.Add(lv.cfg.Timers.LastHeard)
	switch {
	case p.inactive: // the registrar that took it over never finished (ENRP-3.5-11)
		p.inactive = false
		lv.doubt(now, p)
	case p.probing:
		lv.takeovers.begin(now, p)
	case now.Before(silentUntil):
		lv.timers.Set(&p.silence, silentUntil)
	default:
		lv.doubt(now, p)
	}
}

// doubt asks a peer whether it lives.
func (lv *liveness) doubt(now time.Time, p *peer) {
	if p == nil || p.probing || !p.active() {
		return
	}
	p.probing = true
	lv.timers.Set(&p.silence, now.Add(lv.cfg.Timers.NoResponse))
	lv.peers.tell(p, lv.peers.presence(p.id, true))
}

// stillAlive ends doubts about a peer.
func (lv *liveness) stillAlive(now time.Time, p *peer) {
	p.probing, p.inactive = false, false
	lv.timers.Set(&p.silence, now.Add(lv.cfg.Timers.LastHeard))
}
