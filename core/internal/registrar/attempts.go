package registrar

import (
	"net/netip"

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

// attempts are the associations that are being set up.
type attempts struct {
	*core
	byToken map[Token]*connectAttempt
	toPE    map[netip.AddrPort]*connectAttempt // those to PEs, by the first address
	last    Token
}

func (as *attempts) add(a *connectAttempt) {
	as.last++
	a.token = as.last
	as.byToken[a.token] = a
}

// connectPE connects to the PE's recorded ASAP Transport and sends m there. PEs
// of one endpoint share an attempt.
func (as *attempts) connectPE(mon *monitor, m asap.EndpointKeepAlive) {
	addrs := mon.el.ASAP.AddrPorts()
	a := as.toPE[addrs[0]]
	if a == nil {
		a = &connectAttempt{to: addrs[0], first: mon}
		as.add(a)
		as.toPE[a.to] = a
		as.emit(SendASAPTo{Token: a.token, Peer: addrs, Message: m})
	}
	a.monitors = append(a.monitors, mon)
	mon.attempt = a
}

// connectRegistrar connects to another registrar and sends m there.
func (as *attempts) connectRegistrar(to []netip.AddrPort, m enrp.Message) *connectAttempt {
	a := &connectAttempt{}
	as.add(a)
	as.emit(SendENRPTo{Token: a.token, Peer: to, Message: m})
	return a
}

// end returns the attempt that has an outcome, which is none any more; nil if
// there is none of that token.
func (as *attempts) end(t Token) *connectAttempt {
	a := as.byToken[t]
	if a == nil {
		return nil
	}
	delete(as.byToken, t)
	if a.first != nil {
		delete(as.toPE, a.to)
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

// waiting says how many messages and probes wait for an association.
func (as *attempts) waiting() (n int) {
	for _, a := range as.byToken { // any order: a sum
		n += len(a.waiting) + len(a.monitors)
	}
	return n
}
