package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// peers are the other registrars that are known.
type peers struct {
	*core
	attempts *attempts
	handover *handover

	list     []*peer // in the order in which they became known
	byID     map[protocol.ServerID]*peer
	departed departed
	listTurn int // how many lists of peers were requested
}

// add makes a registrar known (ENRP-3.4.1-01); nil if there are too many.
func (ps *peers) add(now time.Time, id protocol.ServerID, at []netip.AddrPort) *peer {
	if len(ps.list) >= ps.cfg.Limits.Peers {
		return nil
	}
	p := &peer{id: id, lastHeard: now, since: now}
	p.silence.Value = peerSilent{p}
	ps.list = append(ps.list, p)
	ps.byID[id] = p
	ps.timers.Set(&p.silence, now.Add(ps.cfg.Timers.LastHeard))
	ps.emit(Log{Level: Info, Msg: "registrar joined", Server: id, At: at})
	return p
}

// remove forgets a registrar, for which nothing is under way any more. What it
// owns stays.
func (ps *peers) remove(p *peer) {
	at := p.at()
	ps.timers.Stop(&p.silence)
	if p.link != nil {
		p.link.peer = nil
		p.link = nil
	}
	delete(ps.byID, p.id)
	ps.list = slices.DeleteFunc(ps.list, func(q *peer) bool { return q == p })
	ps.emit(Log{Level: Info, Msg: "registrar left", Server: p.id, At: at})
}

// learn makes a registrar a peer that another one has named, unless it is known,
// ourselves, or was taken over, and asks it to present itself.
func (ps *peers) learn(now time.Time, s protocol.Server) {
	if s.ID == 0 || s.ID == ps.id || ps.byID[s.ID] != nil || ps.departed.has(now, s.ID) {
		return
	}
	if p := ps.add(now, s.ID, s.Transport.AddrPorts()); p != nil {
		p.server = s.Transport
		ps.tell(p, ps.presence(p.id, true))
	}
}

// connected makes l the association with a peer, unless it is forgotten by now
// or another registrar has spoken over l: its restarted self, perhaps.
func (ps *peers) connected(p *peer, l *link) {
	if ps.byID[p.id] != p {
		return
	}
	if l.peer == nil {
		l.peer = p
	}
	if l.peer == p && p.link == nil {
		p.link = l
	}
}

// lives says whether a registrar, ourselves included, is not thought dead.
func (ps *peers) lives(id protocol.ServerID) bool {
	p := ps.byID[id]
	return id == ps.id || p != nil && p.active()
}

// onThisHost says whether a registrar is on this host.
func (ps *peers) onThisHost(id protocol.ServerID) bool {
	if id == ps.id {
		return true
	}
	if p := ps.byID[id]; p != nil && (p.here || allLoopback(p.server.Addrs)) {
		return true
	}
	return allLoopback(ps.cfg.ENRP.Addrs) // then all registrars are
}
