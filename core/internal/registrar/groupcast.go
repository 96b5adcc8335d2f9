package registrar

import "github.com/librserpool/librserpool/core/internal/wire/enrp"

// tell sends a message to a peer, over a new association if need be. Once the
// handover is done we have left, and say nothing more.
func (r *Registrar) tell(p *peer, m enrp.Message) {
	switch {
	case r.handover.done:
	case p.link != nil:
		r.emit(SendENRP{Link: p.link.Link, Message: m})
	case p.attempt != nil:
		if len(p.attempt.waiting) < maxAttemptWaiting {
			p.attempt.waiting = append(p.attempt.waiting, m)
		}
	case len(p.addrs()) > 0:
		p.attempt = r.connectRegistrar(p.addrs(), m)
		p.attempt.peer = p
	}
}

// groupcast sends one copy to every peer (ENRP-3.1-01, ENRP-2.1-02). A peer
// that is thought dead gets what it can get over an association it has.
func (r *Registrar) groupcast(m enrp.Message) {
	for _, p := range r.peers {
		if p.active() || p.link != nil {
			r.tell(p, m)
		}
	}
}
