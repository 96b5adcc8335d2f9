package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// peer is another registrar.
type peer struct {
	id      protocol.ServerID
	server  protocol.Transport // where it serves ENRP
	link    *link              // nil while there is no association
	attempt *connectAttempt    // the association being set up

	here         bool      // it is on this host
	since        time.Time // when it became known
	refusedUntil time.Time // gets no PEs offered
	offered      int       // PEs that it may take

	returned  time.Time              // when it came back after it was taken over
	lastHeard time.Time              // peer_last_heard (RFC 5353 section 4.1)
	silence   timerq.Timer[deadline] // its silence, or the reply to a probe
	probing   bool
	ended     bool // it has shut its association down, and was not heard since
	inactive  bool // somebody else is taking it over: not monitored (ENRP-3.5-07)

	takeover *takeover // ours, of this peer
	download *download // its handle table on the way to us
	session  *session  // ours on the way to it
	audit    backoff
}

// peerSilent is due when a peer was silent, or owes a reply, for too long.
type peerSilent struct{ *peer }

// addPeer makes a registrar known (ENRP-3.4.1-01); nil if there are too many.
func (r *Registrar) addPeer(now time.Time, id protocol.ServerID, at []netip.AddrPort) *peer {
	if len(r.peers) >= r.cfg.Limits.Peers {
		return nil
	}
	p := &peer{id: id, lastHeard: now, since: now}
	p.silence.Value = peerSilent{p}
	r.peers = append(r.peers, p)
	r.peersByID[id] = p
	r.timers.Set(&p.silence, now.Add(r.cfg.Timers.LastHeard))
	r.emit(Log{Level: Info, Msg: "registrar joined", Server: id, At: at})
	return p
}

// removePeer forgets a registrar. What it owns stays.
func (r *Registrar) removePeer(p *peer) {
	at := p.at()
	r.timers.Stop(&p.silence)
	r.endDownload(p)
	r.endSession(p)
	r.endTakeover(p)
	if p.link != nil {
		p.link.peer = nil
		p.link = nil
	}
	delete(r.peersByID, p.id)
	r.peers = slices.DeleteFunc(r.peers, func(q *peer) bool { return q == p })
	r.emit(Log{Level: Info, Msg: "registrar left", Server: p.id, At: at})
}

// handleENRP gives a message to who is in charge of it.
func (r *Registrar) handleENRP(now time.Time, ev ENRPReceived) {
	l := r.links[ev.Link]
	if l == nil || l.Channel != ENRPOverSCTP {
		return
	}
	if ev.Message == nil {
		r.counts.Malformed++
		r.emit(Log{Level: Debug, Msg: "dropped a message", At: l.addrs, Link: l.Link, Err: ev.Err})
		r.report(l, 0, ev.Report)
		return
	}
	if e, ok := ev.Message.(enrp.Error); ok {
		r.handlePeerError(l, e)
		return
	}
	from := ev.Message.IDs().Sender
	if from == 0 || from == r.id { // ENRP-2.1-06
		if _, presence := ev.Message.(enrp.Presence); presence && from == r.id && l.peer == nil {
			r.emit(Abort{Link: l.Link, Reason: assoc.WrongPort("this registrar is its own peer")})
		}
		return
	}
	r.report(l, from, ev.Report)
	p := r.meet(now, l, from)
	if p == nil {
		return
	}
	r.handlePeerMessage(now, p, ev.Message)
}

// report sends an ENRP_ERROR where the rules for unknown things ask for it
// (ENRP-2.10-01, ENRP-3.7-01).
func (r *Registrar) report(l *link, to protocol.ServerID, causes []protocol.Cause) {
	if len(causes) > 0 {
		r.emit(SendENRP{Link: l.Link, Message: enrp.Error{Route: enrp.Route{Sender: r.id, Receiver: to}, Causes: causes}})
	}
}

// handlePeerError only notes it (ENRP-3.7-02). Its route is not to be relied
// on.
func (r *Registrar) handlePeerError(l *link, m enrp.Error) {
	text := "registrar reports an error"
	if len(m.Causes) > 0 {
		text += ": " + m.Causes[0].Code.String()
	}
	r.emit(Log{Level: Warn, Msg: text, At: l.addrs, Link: l.Link})
}

// meet notes that a registrar was heard over l: any message keeps it alive
// (ENRP-3.4.3-01, ENRP-3.5-12), and makes an unknown one a peer, which is
// asked to present itself (ENRP-3.4.1-01, ENRP-3.4.1-02).
func (r *Registrar) meet(now time.Time, l *link, id protocol.ServerID) *peer {
	p, isNew := r.peersByID[id], false
	if p == nil {
		if p = r.addPeer(now, id, l.addrs); p == nil {
			return nil
		}
		delete(r.departed, id)
		r.welcomeBack(now, p)
		isNew = true
	}
	before := l.peer
	l.peer = p
	if before != nil && before != p && before.link == l {
		before.link = nil
		r.peerDead(now, before) // somebody else answers at its place
	}
	if p.link == nil {
		p.link = l
	}
	p.here = p.here || l.here
	if p.server.IsZero() {
		p.server = l.transport
	}
	p.lastHeard, p.ended = now, false
	if p.probing || p.inactive {
		r.stillAlive(now, p)
	}
	r.cancelTakeover(now, p)
	if isNew {
		r.tell(p, r.presence(p.id, true))
	}
	return p
}

func (r *Registrar) handlePeerMessage(now time.Time, p *peer, m enrp.Message) {
	switch m := m.(type) {
	case enrp.Presence:
		r.handlePresence(now, p, m)
	case enrp.ListRequest:
		r.handleListRequest(p)
	case enrp.ListResponse:
		r.handleListResponse(now, p, m)
	case enrp.HandleTableRequest:
		r.handleTableRequest(now, p, m)
	case enrp.HandleTableResponse:
		r.handleTableResponse(now, p, m)
	case enrp.HandleUpdate:
		r.handleUpdate(now, p, m)
	case enrp.InitTakeover:
		r.handleInitTakeover(now, p, m)
	case enrp.InitTakeoverAck:
		r.handleInitTakeoverAck(now, p, m)
	case enrp.TakeoverServer:
		r.handleTakeoverServer(now, p, m)
	}
}

// addrs returns where to reach a peer.
func (p *peer) addrs() []netip.AddrPort { return p.server.AddrPorts() }

// at returns where a peer is, for a log.
func (p *peer) at() []netip.AddrPort {
	if p.link != nil && len(p.addrs()) == 0 {
		return p.link.addrs
	}
	return p.addrs()
}

// partFrom notes that a link is gone. Its registrar is not dead for that
// (ENRP-3.4.3-04), but asked at once. err is why it is gone; nil: the other side
// has shut it down.
func (r *Registrar) partFrom(now time.Time, l *link, err error) {
	p := l.peer
	l.peer = nil
	if p != nil && p.link == l {
		p.link, p.ended = nil, p.ended || err == nil
		if r.handover.done {
			return
		}
		r.doubt(now, p)
	}
	r.candidateLost(now, l, err)
}
