package registrar

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// requestPeerList asks one peer, the next one every time, whom else it knows. Two
// registrars that started at the same time, or were cut off from each other, have
// peers in common that know the other one. In the RFC only newcomers ask (E-40).
func (ps *peers) requestPeerList() {
	if !ps.serving || len(ps.list) == 0 {
		return
	}
	p := ps.list[ps.listTurn%len(ps.list)]
	ps.listTurn++
	if p.active() && p.link != nil {
		ps.askForList(p.link)
	}
}

// askForList asks whom a registrar knows (ENRP-3.2-03). We may not know yet which
// one is at the other end: then the Receiver ID is 0 (ENRP-2.1-02).
func (ps *peers) askForList(l *link) {
	m := enrp.ListRequest{Route: enrp.Route{Sender: ps.id}}
	if l.peer != nil {
		m.Receiver = l.peer.id
	}
	ps.emit(SendENRP{Link: l.Link, Message: m})
}

// handleListRequest names all registrars but the one who asks (ENRP-3.2-05),
// or refuses while we are starting ourselves (ENRP-3.2-07, ENRP-2.6-01).
func (ps *peers) handleListRequest(p *peer) {
	m := enrp.ListResponse{Route: enrp.Route{Sender: ps.id, Receiver: p.id}, Rejected: !ps.serving}
	if ps.serving {
		if !ps.cfg.ENRP.IsZero() {
			m.Servers = append(m.Servers, protocol.Server{ID: ps.id, Transport: ps.cfg.ENRP})
		}
		for _, q := range ps.list {
			if q != p && q.active() && !q.server.IsZero() {
				m.Servers = append(m.Servers, protocol.Server{ID: q.id, Transport: q.server})
			}
		}
	}
	ps.tell(p, m)
}
