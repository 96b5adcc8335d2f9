package socket

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Which registrars are tried: those of the configuration, those that announce themselves,
// or else one on loopback. What is done when none answers there is in embedded.go.

func (c *Config) resolveRegistrars(env map[string]string) error {
	if len(c.Registrars) == 0 && env["RSERPOOL_REGISTRARS"] != "" {
		c.Registrars = strings.Split(env["RSERPOOL_REGISTRARS"], ",")
	}
	c.Registrars = slices.Clone(c.Registrars)
	for i, r := range c.Registrars {
		hostPort, tcp := splitTCP(strings.TrimSpace(r))
		withPort, err := withDefaultPort(hostPort, protocol.PortASAP)
		if tcp {
			withPort = tcpPrefix + withPort
		}
		if err != nil {
			return fmt.Errorf("%w: registrar %q: %v; write host:port, several with commas between them (RSERPOOL_REGISTRARS)", ErrInvalid, r, err)
		}
		c.Registrars[i] = withPort
	}
	return nil
}

// startMachine makes the machine and tells it of the associations that stand,
// with the socket locked.
func (s *Socket) startMachine() error {
	cfg := endpoint.Config{Rand: loop.NewRand(), Subscribe: true}
	s.loopback = len(s.cfg.Registrars) == 0 && s.cfg.Announce == ""
	if s.loopback {
		for _, a := range s.cfg.loopbackRegistrars(s.network) {
			cfg.Registrars = append(cfg.Registrars, []netip.AddrPort{a})
		}
	}
	if s.cfg.Announce != "" {
		cfg.Discover = discover
	}
	s.separate(&cfg)
	s.machine = loop.New(&s.mu, endpoint.New(cfg), s.perform)
	s.table.PostStanding(time.Now())
	return s.listenForRegistrars()
}

// loopbackRegistrars is where a registrar on this host is, as far as a socket of the
// network reaches it: the first address that there is.
func (c *Config) loopbackRegistrars(network string) []netip.AddrPort {
	four := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), c.LoopbackPort)
	if network == "ip4" {
		return []netip.AddrPort{four}
	}
	return []netip.AddrPort{four, netip.AddrPortFrom(netip.IPv6Loopback(), c.LoopbackPort)}
}
