package transporttest

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Silent is a peer that takes packets and never answers.
type Silent struct {
	Addr   netip.AddrPort // its SCTP address
	Params assoc.Params   // what else it takes to send there
}

// world is what a scenario runs in.
type world struct {
	*testing.T
	f      Factory
	link   *Link
	relays map[*node]*Relay
}

var loopback = netip.MustParseAddr("127.0.0.1")

// client opens an endpoint that opens associations, server one that others open
// associations to, on loopback unless the suite runs over a network. Only their
// implementation may differ.
func (w *world) client(p assoc.Params) *node {
	w.Helper()
	host := loopback
	if w.f.Site != nil {
		host = w.f.Site.Client
	}
	return w.open("client", w.f.Open, p, host)
}

func (w *world) server(p assoc.Params) *node {
	w.Helper()
	host := loopback
	if w.f.Site != nil {
		host = w.f.Site.Server
	}
	return w.open("server", w.f.OpenPeer, p, host)
}

func (w *world) open(name string, open func(*testing.T, transport.Config) transport.Endpoint, p assoc.Params, addrs ...netip.Addr) *node {
	w.Helper()
	if w.link != nil && p.RTOMin == 0 { // losses cost less time
		p.RTOInitial, p.RTOMin, p.SackDelay = 30*time.Millisecond, 15*time.Millisecond, 5*time.Millisecond
	}
	p = patient(p)
	var local []netip.AddrPort
	for _, a := range addrs {
		local = append(local, netip.AddrPortFrom(a, 0))
	}
	return w.listen(name, open, transport.Config{Local: local, Params: p})
}

// patient gives associations time wherever p sets no limit: an answer that is
// late because the machine is busy is not the failure that a scenario is about.
func patient(p assoc.Params) assoc.Params {
	const retries = 100 // longer than patience, whatever the RTO
	for _, limit := range []*int{&p.PathMaxRetrans, &p.AssocMaxRetrans, &p.MaxInitRetransmits} {
		if *limit == 0 {
			*limit = retries
		}
	}
	for _, limit := range []*time.Duration{&p.ConnectTimeout, &p.CookieLife, &p.ShutdownGuard} {
		if *limit == 0 {
			*limit = 2 * patience
		}
	}
	return p
}

// listen opens an endpoint that is closed with the test.
func (w *world) listen(name string, open func(*testing.T, transport.Config) transport.Endpoint, cfg transport.Config) *node {
	w.Helper()
	n := newNode(w, name, open(w.T, cfg))
	w.Cleanup(func() {
		if err := n.ep.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			w.Errorf("%s: Close: %v", name, err)
		}
	})
	return n
}

// address returns where a node is reached, and adds to p what that takes.
func (w *world) address(n *node, p *assoc.Params) netip.AddrPort {
	w.Helper()
	local := n.ep.LocalAddrs()[0]
	host := local.Addr()
	if host.IsUnspecified() {
		host = loopback
	}
	if w.f.UDPPort != nil {
		p.EncapPort = w.f.UDPPort(n.ep)
		if w.link != nil && w.f.Site == nil {
			p.EncapPort = w.relay(n).Port()
		}
	}
	return netip.AddrPortFrom(host, local.Port())
}

// relay returns the relay in front of a node.
func (w *world) relay(n *node) *Relay {
	w.Helper()
	if w.relays[n] == nil {
		if w.relays == nil {
			w.relays = map[*node]*Relay{}
		}
		link := Link{}
		if w.link != nil {
			link = *w.link
		}
		w.relays[n] = NewRelay(w.T, netip.AddrPortFrom(loopback, w.f.UDPPort(n.ep)), link)
		if w.f.Tap != nil {
			w.relays[n].Tap(w.f.Tap)
		}
	}
	return w.relays[n]
}

// dial starts an association.
func (w *world) dial(from, to *node, p assoc.Params) assoc.ID {
	w.Helper()
	addr := w.address(to, &p)
	id, err := from.ep.Connect([]netip.AddrPort{addr}, &p)
	if err != nil {
		w.Fatalf("%s: connect to %v: %v", from.name, addr, err)
	}
	return id
}

// pair opens two endpoints with one association and returns its name on both
// sides.
func (w *world) pair(p assoc.Params) (c *node, cid assoc.ID, s *node, sid assoc.ID) {
	w.Helper()
	c, s = w.client(p), w.server(p)
	cid = w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	sid = s.awaitPeers(1)[0]
	return c, cid, s, sid
}
