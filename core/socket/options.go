package socket

import (
	"cmp"
	"net/netip"
)

// Options says how Listen, Dial, Resolve and Pools go about it. A nil pointer
// means the zero value.
type Options struct {
	Config
	// Network is ip, ip4 or ip6; ip.
	Network string
	// Local are the addresses to bind, all with one port; an ephemeral port of
	// the wildcard address.
	Local []netip.AddrPort
	// Registration is how Listen registers.
	Registration Registration
	// Backlog is how many sessions may wait for Accept; 128. See Socket.Listen.
	Backlog int
}

func (o *Options) orDefault() Options {
	out := Options{}
	if o != nil {
		out = *o
	}
	out.Network = cmp.Or(out.Network, "ip")
	return out
}

// newSocket makes a socket whose sessions are read one by one.
func (o *Options) newSocket() (*Socket, error) {
	opts := o.orDefault()
	s, err := newSocket(opts.Config, opts.Network, true)
	if err != nil {
		return nil, err
	}
	if len(opts.Local) > 0 {
		if err := s.Bind(opts.Local...); err != nil {
			return nil, err
		}
	}
	return s, nil
}
