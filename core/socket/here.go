package socket

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// hereHome is the registrar in use, if it is on this host's loopback; zero: it is
// not.
type hereHome struct {
	assoc   assoc.ID
	at      netip.AddrPort
	watched bool
}

func homeHere(f endpoint.HomeFound) hereHome {
	if len(f.Addrs) == 0 || !f.Addrs[0].Addr().IsLoopback() {
		return hereHome{}
	}
	return hereHome{assoc: f.Assoc, at: f.Addrs[0]}
}

// watchful is how a pool element looks after a registrar on its own host: when that
// is gone, nobody finds the element until it is registered again. The system
// refuses the heartbeat as soon as nobody has the port.
var watchful = assoc.Params{HeartbeatInterval: 150 * time.Millisecond}

// watchHome has an element find out soon that its registrar is gone, if that is
// on this host, and whose place it would take then, with the socket locked.
func (s *Socket) watchHome() {
	h := &s.hereHome
	if h.assoc == 0 || h.watched || !s.table.Service().Serving || s.closing {
		return
	}
	h.watched = true
	_ = s.port.SetParams(h.assoc, watchful) // gone already: as good
	s.embedder.embedded = false
	if dial := s.cfg.host.dial; dial != nil && s.loopback && !s.cfg.NoEmbedded {
		go s.runProbe(dial, h.assoc, h.at)
	}
}

// probeLimit is how long a TCP port of this host may take to accept or refuse.
const probeLimit = time.Second

// runProbe asks whether the registrar is inside a process like this one: those have
// no TCP port.
func (s *Socket) runProbe(dial func(context.Context, netip.AddrPort) error, id assoc.ID, at netip.AddrPort) {
	ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
	defer cancel()
	refused := isRefusal(dial(ctx, at))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hereHome.assoc == id {
		s.embedder.embedded = refused
	}
}

func dialTCP(ctx context.Context, at netip.AddrPort) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return err
	}
	return c.Close()
}
