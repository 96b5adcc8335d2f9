package socket

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// maxAdvertise bounds the addresses: each costs those time who cannot reach it.
const maxAdvertise = 16

// ParseAdvertise reads addresses as RSERPOOL_ADVERTISE has them, with commas between
// them. Its errors wrap ErrInvalid.
func ParseAdvertise(text string) ([]netip.Addr, error) {
	var out []netip.Addr
	for part := range strings.SplitSeq(text, ",") {
		a, err := netip.ParseAddr(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("%w: %q is no IP address to advertise; write addresses with commas between them, without ports (RSERPOOL_ADVERTISE)", ErrInvalid, part)
		}
		out = append(out, a.Unmap())
	}
	return out, checkAdvertise(out)
}

func checkAdvertise(addrs []netip.Addr) error {
	if len(addrs) > maxAdvertise {
		return fmt.Errorf("%w: %d addresses to advertise are too many; give %d or fewer", ErrInvalid, len(addrs), maxAdvertise)
	}
	for _, a := range addrs {
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" {
			return fmt.Errorf("%w: nobody on another host can connect to the address %v, which is to be advertised (RSERPOOL_ADVERTISE)", ErrInvalid, a)
		}
	}
	return nil
}

func (c *Config) resolveAdvertise(env map[string]string) (err error) {
	if v := env["RSERPOOL_ADVERTISE"]; len(c.Advertise) == 0 && v != "" {
		c.Advertise, err = ParseAdvertise(v)
		return err
	}
	return checkAdvertise(c.Advertise)
}

// Advertise sets the addresses that later calls of Register give to the registrar
// in place of the socket's own, as Config.Advertise; none: its own.
func (s *Socket) Advertise(addrs []netip.Addr) error {
	if err := checkAdvertise(addrs); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	s.cfg.Advertise = slices.Clone(addrs)
	return nil
}

// atHome are the addresses beside the own ones of an association with somebody on
// this host: bound to a wildcard, the socket is reached from other hosts, too.
func (s *Socket) atHome(local []netip.AddrPort) (host []netip.AddrPort) {
	elsewhere := func(a netip.AddrPort) bool { return !a.Addr().Unmap().IsLoopback() }
	wildcard := slices.IndexFunc(s.bound, func(a netip.AddrPort) bool { return a.Addr().IsUnspecified() })
	if len(local) == 0 || wildcard < 0 || slices.ContainsFunc(local, elsewhere) {
		return nil
	}
	for _, a := range s.cfg.host.addrs.Addrs() {
		if a.Is4() || s.bound[wildcard].Addr().Is6() {
			host = append(host, netip.AddrPortFrom(a, local[0].Port()))
		}
	}
	return host
}

// forPeer takes out of a business card what means nothing to a peer on another
// host: elements are reached on loopback only from their own.
func (s *Socket) forPeer(id assoc.ID, m asap.BusinessCard) asap.BusinessCard {
	_, peer, err := s.port.AssocAddrs(id)
	if here, _ := s.cfg.host.addrs.Here(peer); here || err != nil {
		return m
	}
	return withoutLoopback(m)
}

func withoutLoopback(m asap.BusinessCard) asap.BusinessCard {
	var out []protocol.Element
	for i, e := range m.Elements {
		e.User.Addrs = slices.DeleteFunc(slices.Clone(e.User.Addrs), netip.Addr.IsLoopback)
		switch {
		case len(e.User.Addrs) > 0:
			out = append(out, e)
		case i == len(m.Elements)-1:
			out = append(out, m.Elements[i]) // this one itself, whom the peer has reached
		}
	}
	m.Elements = out
	return m
}
