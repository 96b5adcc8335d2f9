package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// simPE is a PE that answers keep-alives, takes a new home when it is told to
// and registers there, and registers again in time.
type simPE struct {
	c      *cluster
	at     netip.AddrPort
	handle protocol.PoolHandle
	id     protocol.PEID
	home   *node
	dead   bool
}

// addPE starts a PE and registers it.
func (c *cluster) addPE(h protocol.PoolHandle, home *node) *simPE {
	n := len(c.pes)
	p := &simPE{
		c: c, handle: h, id: protocol.PEID(n + 1), home: home,
		at: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), 5000),
	}
	c.pes = append(c.pes, p)
	p.register()
	p.periodically()
	return p
}

func (p *simPE) periodically() {
	p.c.after(100*time.Second, func() {
		p.register()
		p.periodically()
	})
}

func (p *simPE) register() {
	if p.dead {
		return
	}
	if p.home.dead || p.home.paused || !p.c.reachable(p.at, p.home.asap) {
		// Hunt.
		for _, n := range p.c.nodes {
			if !n.dead && !n.paused && p.c.reachable(p.at, n.asap) {
				p.home = n
				break
			}
		}
	}
	if p.home.dead || p.home.paused || !p.c.reachable(p.at, p.home.asap) {
		return // nobody there; the next time may do better
	}
	s := p.c.connect(ASAPOverSCTP, p.at, p.home.asap, 0)
	p.send(s, asap.Registration{Handle: p.handle, Element: protocol.Element{
		ID: p.id, Life: 300,
		User:   protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: []netip.Addr{p.at.Addr()}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
	}})
}

func (p *simPE) send(s *simAssoc, m asap.Message) {
	p.c.deliver(p.at, Link{ASAPOverSCTP, s.id}, asapBytes(p.c, m))
}

func (p *simPE) receive(s *simAssoc, m asap.Message) {
	switch m := m.(type) {
	case asap.EndpointKeepAlive:
		p.send(s, asap.EndpointKeepAliveAck{Handle: p.handle, ID: p.id})
		if m.NewHome && m.Server != p.home.r.id {
			for _, n := range p.c.nodes {
				if n.r.id == m.Server {
					p.home = n
				}
			}
			p.c.after(200*time.Millisecond, p.register)
		}
	case asap.DeregistrationResponse:
		p.c.after(200*time.Millisecond, p.register)
	case asap.RegistrationResponse:
		if m.Rejected {
			p.c.Errorf("PE %v was rejected: %v", p.id, m)
		}
	}
}

func (p *simPE) lost(s *simAssoc) {
	if slices.Contains(s.ends[:], p.home.asap) {
		p.c.after(time.Second, p.register)
	}
}
