package registrar

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// connectAttempt is an association being set up: to the ASAP endpoint of PEs
// that are to be asked, to a peer, or to a candidate for one.
type connectAttempt struct {
	token Token

	to       netip.AddrPort // of PEs: the first address of their endpoint
	monitors []*monitor     // PEs that wait for it
	first    *monitor       // the one whose KEEP_ALIVE goes with the set-up

	peer      *peer
	candidate *peerCandidate
	waiting   []enrp.Message // what goes to the registrar once it is reached
}

// maxAttemptWaiting bounds what waits for an association. What does not fit is
// lost; audits find that (RFC 5353 section 3.6).
const maxAttemptWaiting = 256

func (r *Registrar) addAttempt(a *connectAttempt) {
	r.token++
	a.token = r.token
	r.attempts[a.token] = a
}

// connectPE connects to the PE's recorded ASAP Transport and sends m there. PEs
// of one endpoint share an attempt.
func (r *Registrar) connectPE(mon *monitor, m asap.EndpointKeepAlive) {
	addrs := mon.el.ASAP.AddrPorts()
	a := r.attemptsTo[addrs[0]]
	if a == nil {
		a = &connectAttempt{to: addrs[0], first: mon}
		r.addAttempt(a)
		r.attemptsTo[a.to] = a
		r.emit(SendASAPTo{Token: a.token, Peer: addrs, Message: m})
	}
	a.monitors = append(a.monitors, mon)
	mon.attempt = a
}

// connectRegistrar connects to another registrar and sends m there.
func (r *Registrar) connectRegistrar(to []netip.AddrPort, m enrp.Message) *connectAttempt {
	a := &connectAttempt{}
	r.addAttempt(a)
	r.emit(SendENRPTo{Token: a.token, Peer: to, Message: m})
	return a
}

// endAttempt forgets an attempt that has an outcome; nil if there is none of
// that token.
func (r *Registrar) endAttempt(t Token) *connectAttempt {
	a := r.attempts[t]
	if a == nil {
		return nil
	}
	delete(r.attempts, t)
	if a.first != nil {
		delete(r.attemptsTo, a.to)
	}
	a.release()
	return a
}

// release lets go of everybody who waits for the attempt. A PE that was settled
// in the meantime does not wait any more, and one that was asked twice waits
// once.
func (a *connectAttempt) release() {
	waiting := a.monitors[:0]
	for _, mon := range a.monitors {
		if mon.attempt == a {
			mon.attempt = nil
			waiting = append(waiting, mon)
		}
	}
	a.monitors = waiting
	if a.peer != nil {
		a.peer.attempt = nil
	}
	if a.candidate != nil {
		a.candidate.attempt = nil
	}
}

func (r *Registrar) connected(now time.Time, t Token, l *link) {
	a := r.endAttempt(t)
	if a == nil {
		return
	}
	r.askWaiting(now, a, l)
	if a.peer != nil {
		r.peerConnected(a.peer, l)
	}
	if a.candidate != nil {
		r.candidateReached(now, a.candidate, l)
	}
	r.sendWaiting(a, l)
}

// askWaiting sends the KEEP_ALIVEs that waited for the association.
func (r *Registrar) askWaiting(now time.Time, a *connectAttempt, l *link) {
	for _, mon := range a.monitors {
		r.ask(mon, l)
		if mon != a.first {
			r.emit(SendASAP{Link: l.Link, Message: r.keepAlive(mon)})
		}
		r.setProbe(mon, now.Add(r.probeTimeout()))
	}
}

// peerConnected makes l the association with a peer, unless it is forgotten by
// now or another registrar has spoken over l: its restarted self, perhaps.
func (r *Registrar) peerConnected(p *peer, l *link) {
	if r.peersByID[p.id] != p {
		return
	}
	if l.peer == nil {
		l.peer = p
	}
	if l.peer == p && p.link == nil {
		p.link = l
	}
}

func (r *Registrar) sendWaiting(a *connectAttempt, l *link) {
	for _, m := range a.waiting {
		if r.stillSo(m) {
			r.emit(SendENRP{Link: l.Link, Message: m})
		}
	}
}

// stillSo says whether a message that waited is not outdated by now.
func (r *Registrar) stillSo(m enrp.Message) bool {
	u, ok := m.(enrp.HandleUpdate)
	if !ok || u.Action != enrp.AddPE {
		return true
	}
	el := r.space.Element(u.Handle, u.Element.ID)
	return el != nil && el.Home == u.Element.Home
}

func (r *Registrar) handleConnectFailed(now time.Time, ev ConnectFailed) {
	r.connectFailed(now, ev.Token, ev.Err)
}

// connectFailed: nobody was reached. To a peer that means that it is dead
// (ENRP-3.4.3-03).
func (r *Registrar) connectFailed(now time.Time, t Token, err error) {
	a := r.endAttempt(t)
	if a == nil {
		return
	}
	for _, mon := range a.monitors {
		r.probeFailed(now, mon, conclusive(err))
	}
	if a.candidate != nil {
		r.candidateFailed(now, a.candidate, err)
	}
	if p := a.peer; p != nil && r.peersByID[p.id] == p && p.link == nil && conclusive(err) {
		r.peerDead(now, p)
	}
}
