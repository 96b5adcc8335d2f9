package rserpool

import (
	"context"
	"net"
	"net/netip"

	"github.com/librserpool/librserpool/core/socket"
)

// Transport says where an application serves that brings its own transport.
type Transport struct {
	Protocol TransportProtocol
	// Addrs have one port, not 0: one address, with SCTP one or more. The
	// unspecified address stands for that through which the registrar is
	// reached.
	Addrs       []netip.AddrPort
	ServiceCode uint32 // DCCP only
}

// TransportOf is the transport of a listener's or packet connection's address. It
// is the zero value, which Join refuses, when that is neither TCP nor UDP.
func TransportOf(addr net.Addr) Transport { return Transport(socket.TransportOf(addr)) }

// Member is an application that is an element of a pool and serves over a
// transport of its own. The library keeps the registration and answers the
// registrars that ask whether the element lives: it lives while the process does.
type Member struct{ m *socket.Member }

// Join registers the application in the pool and waits until a registrar has
// granted it; see Listen. The registrar takes addresses
// only at which it sees the element (RFC 5352 section 2.2.1): the SCTP endpoint
// towards it is bound to those of at, unless opts.Local says otherwise. All
// elements of a pool serve over the same transport; a pool user of this library
// has sessions over SCTP only, and finds the others with a Resolver.
func Join(ctx context.Context, pool string, at Transport, opts *Options) (*Member, error) {
	m, err := socket.Join(ctx, pool, socket.Transport(at), traced(ctx, opts.socket()))
	if err != nil {
		return nil, err
	}
	return &Member{m}, nil
}

// Name returns the pool and the element's identifier in it.
func (m *Member) Name() Name { return Name(m.m.Name()) }

// Update changes the policy values and the life of the registration.
func (m *Member) Update(ctx context.Context, r Registration) error {
	return m.m.Update(ctx, r.socket())
}

// SetLoad is Listener.SetLoad.
func (m *Member) SetLoad(p Policy) error { return m.m.SetLoad(socket.Policy(p)) }

// Status describes the registration.
func (m *Member) Status() Status { return publicSocket(m.m.Status()) }

// Leave takes the application out of the pool and waits for the registrar's
// answer. Whatever it returns, the registration is not kept any more, and ends
// at the latest with its life.
func (m *Member) Leave(ctx context.Context) error { return m.m.Leave(ctx) }

// Close is Leave, waiting one second at most and without the outcome.
func (m *Member) Close() error { return m.m.Close() }
