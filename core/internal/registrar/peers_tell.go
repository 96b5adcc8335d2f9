package registrar

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// tell sends a message to a peer, over a new association if need be. Once the
// handover is done we have left, and say nothing more.
func (ps *peers) tell(p *peer, m enrp.Message) {
	switch {
	case ps.handover.done:
	case p.link != nil:
		ps.emit(SendENRP{Link: p.link.Link, Message: m})
	case p.attempt != nil:
		if len(p.attempt.waiting) < maxAttemptWaiting {
			p.attempt.waiting = append(p.attempt.waiting, m)
		}
	case len(p.addrs()) > 0:
		p.attempt = ps.attempts.connectRegistrar(p.addrs(), m)
		p.attempt.peer = p
	}
}

// groupcast sends one copy to every peer (ENRP-3.1-01, ENRP-2.1-02). To a peer
// that is thought dead no new association is set up for it.
func (ps *peers) groupcast(m enrp.Message) {
	for _, p := range ps.list {
		if p.active() || p.link != nil {
			ps.tell(p, m)
		}
	}
}

// announce tells all peers that a PE came, changed or goes: complete, with our
// identifier as the sender's and 0 as the receiver's (ENRP-3.3.1-01, 02,
// ENRP-3.3.2-01, 02).
func (ps *peers) announce(action enrp.Action, el *element) {
	if len(ps.list) == 0 {
		return
	}
	ps.groupcast(enrp.HandleUpdate{
		Route:   enrp.Route{Sender: ps.id},
		Action:  action,
		Handle:  el.Pool().Handle,
		Element: el.Element,
	})
}

// presence is an ENRP_PRESENCE, always complete: with the checksum as of now
// (ENRP-2.1-03, ENRP-3.6-02) and Server Information (ENRP-2.1-04).
func (ps *peers) presence(to protocol.ServerID, replyRequired bool) enrp.Presence {
	return enrp.Presence{
		Route:         enrp.Route{Sender: ps.id, Receiver: to},
		ReplyRequired: replyRequired,
		Checksum:      ps.space.Checksum(ps.id),
		HasChecksum:   true,
		Server:        protocol.Server{ID: ps.id, Transport: ps.cfg.ENRP},
		HasServer:     !ps.cfg.ENRP.IsZero(),
	}
}

// askOthers asks all peers but one to present themselves.
func (ps *peers) askOthers(but protocol.ServerID) {
	for _, p := range ps.list {
		if p.active() && p.id != but {
			ps.tell(p, ps.presence(p.id, true))
		}
	}
}

// sendWaiting sends a registrar what has waited for the association with it.
func (ps *peers) sendWaiting(a *connectAttempt, l *link) {
	for _, m := range a.waiting {
		if ps.stillSo(m) {
			ps.emit(SendENRP{Link: l.Link, Message: m})
		}
	}
}

// stillSo says whether a message that waited is not outdated by now.
func (ps *peers) stillSo(m enrp.Message) bool {
	u, ok := m.(enrp.HandleUpdate)
	if !ok || u.Action != enrp.AddPE {
		return true
	}
	el := ps.space.Element(u.Handle, u.Element.ID)
	return el != nil && el.Home == u.Element.Home
}
