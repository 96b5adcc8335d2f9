package socket

import (
	"context"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
)

// directory is what a socket knows of the registrars that are configured,
// guarded by its lock. Each address of a name is a registrar.
type directory struct {
	names  []string                    // whose addresses have to be looked up
	addrs  map[string][]netip.AddrPort // by what is configured; of names those of the last look-up that had any
	cancel context.CancelFunc          // of the look-up that goes on
}

// separate gives the machine what is an address, and notes what is a name.
func (s *Socket) separate(cfg *endpoint.Config) {
	s.directory.addrs = map[string][]netip.AddrPort{}
	for _, r := range s.cfg.Registrars {
		hostPort, _ := splitTCP(r)
		if a, err := netip.ParseAddrPort(hostPort); err == nil && a.Addr().Zone() == "" && s.reaches(a.Addr()) {
			a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
			s.directory.addrs[r] = []netip.AddrPort{a}
			cfg.Registrars = append(cfg.Registrars, []netip.AddrPort{a})
			continue
		}
		s.directory.names = append(s.directory.names, r)
	}
	cfg.LookUp = len(s.directory.names) > 0
	s.tcp.at = s.directory.overTCP()
}

// reaches says whether the socket is of a family that the address has.
func (s *Socket) reaches(a netip.Addr) bool { return s.network != "ip4" || a.Unmap().Is4() }

// overTCP returns which addresses are to be asked over TCP. One that is
// configured both ways is asked over SCTP.
func (d *directory) overTCP() map[netip.AddrPort]bool {
	out := map[netip.AddrPort]bool{}
	for r, addrs := range d.addrs {
		_, tcp := splitTCP(r)
		for _, a := range addrs {
			only, known := out[a]
			out[a] = tcp && (only || !known)
		}
	}
	return out
}

// startLookUp performs LookUp, with the socket locked.
func (s *Socket) startLookUp() {
	ctx, cancel := context.WithCancel(context.Background())
	s.directory.cancel = cancel
	go s.runLookUp(ctx, cancel)
}

func (s *Socket) runLookUp(ctx context.Context, cancel func()) {
	defer cancel()
	answers := s.lookUp(ctx, s.directory.names)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	var m endpoint.LookedUp
	for _, a := range answers {
		if a.Err == nil {
			s.directory.addrs[a.Name] = a.Addrs
		} else {
			m.Failed = append(m.Failed, endpoint.Tried{Name: a.Name, Err: a.Err})
		}
		for _, addr := range s.directory.addrs[a.Name] {
			m.Found = append(m.Found, []netip.AddrPort{addr})
		}
	}
	s.tcp.at = s.directory.overTCP()
	s.machine.Post(m)
}

// lookUp returns the addresses behind registrars that a socket of the network can
// reach.
func (s *Socket) lookUp(ctx context.Context, registrars []string) []loop.Answer {
	network := s.network
	if network == "ip6" {
		network = "ip" // such a socket reaches IPv4 as well
	}
	names := make([]string, len(registrars))
	for i, r := range registrars {
		names[i], _ = splitTCP(r)
	}
	answers := s.cfg.host.lookUp.LookUp(ctx, network, names)
	for i, r := range registrars {
		answers[i].Name = r
	}
	return answers
}

// stopLookUp ends a look-up whose answer nobody wants, with the socket locked.
func (s *Socket) stopLookUp() {
	if s.directory.cancel != nil {
		s.directory.cancel()
	}
}

// tried are the registrars that are configured, for an error.
func (s *Socket) tried() []string {
	if s.loopback {
		return strs(s.cfg.loopbackRegistrars(s.network))
	}
	return s.cfg.Registrars
}
