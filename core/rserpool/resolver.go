package rserpool

import (
	"context"
	"iter"
	"net"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/socket"
)

// The basic mode (RFC 5351 section 4.1) is for applications that bring their own
// transport: a Resolver tells them where to go, a Member tells others where they
// serve.

// Element is a pool element as a registrar describes it.
type Element struct {
	ID          PEID
	Home        ServerID // its registrar
	Life        int32    // of the registration, in seconds; -1: for ever
	Transport   TransportProtocol
	Addrs       []netip.AddrPort
	ServiceCode uint32 // DCCP only
	Policy      Policy
}

func publicElement(e socket.Element) Element {
	return Element{e.ID, e.Home, e.Life, e.Transport, e.Addrs, e.ServiceCode, Policy(e.Policy)}
}

func publicElements(es []socket.Element) []Element {
	var out []Element
	for _, e := range es {
		out = append(out, publicElement(e))
	}
	return out
}

// Query says what Resolver.Resolve is to find. The zero value will do.
type Query struct {
	// MaxAge is how old the answer may be that comes from the cache; 30 s;
	// negative: a registrar is asked.
	MaxAge time.Duration
	// Items is how many elements are wanted at most; as many as the registrar
	// gives.
	Items int
	// WaitForPool is how long a pool or a registrar that is not there yet is waited
	// for, as Options.WaitForPool; nil: as the resolver's Options say.
	WaitForPool *time.Duration
}

// Resolver finds the elements of pools for an application that connects to them
// itself. It is safe for concurrent use and keeps the answers of registrars for
// a while, so that one serves for the whole program.
type Resolver struct{ r *socket.Resolver }

// NewResolver makes a resolver. It asks nobody yet.
func NewResolver(opts *Options) (*Resolver, error) {
	r, err := socket.NewResolver(opts.socket())
	if err != nil {
		return nil, err
	}
	return &Resolver{r}, nil
}

// Resolve asks a registrar for the elements of a pool, as Resolver.Resolve does.
// Who asks more than once has a Resolver.
func Resolve(ctx context.Context, pool string, opts *Options) ([]Element, error) {
	es, err := socket.Resolve(ctx, pool, opts.socket())
	return publicElements(es), err
}

// Resolve finds the elements of a pool, at least one, or ErrUnknownPool,
// ErrNoRegistrar and the context's error; for a pool or a registrar that is not
// there yet it waits (Options.WaitForPool). The element to use is the first one: each
// call is one selection by the pool's policy (RFC 5356). The others are to fall
// back on, in that order; those of which Failed was told in the last ten seconds
// come last.
func (r *Resolver) Resolve(ctx context.Context, pool string, q Query) ([]Element, error) {
	es, err := r.r.Resolve(ctx, pool, socket.Query(q))
	return publicElements(es), err
}

// Failed tells that an element could not be reached, or that the connection with
// it broke. It is not in the cache any more, and a registrar is told, who looks
// after it (RFC 5352 section 3.5). Call it only for elements that were tried. It
// does not wait for anybody's answer; ctx bounds the look-up of the registrar's
// name at the first use of the resolver.
func (r *Resolver) Failed(ctx context.Context, pool string, id PEID) error {
	return r.r.Failed(ctx, pool, id)
}

// Purge drops what the cache knows of a pool (RFC 5352 section 6.4).
func (r *Resolver) Purge(pool string) { r.r.Purge(pool) }

// Dial connects to an element of a pool whose elements serve over TCP or UDP. One
// that cannot be reached is reported (Failed), and the next one tried. It
// returns ErrNoElement when all were tried in vain, and what Resolve returns. Call
// Failed when the connection breaks later, and Dial again.
func (r *Resolver) Dial(ctx context.Context, pool string) (net.Conn, Element, error) {
	c, e, err := r.r.Dial(ctx, pool)
	return c, publicElement(e), err
}

// DialContext is Dial for those who dial addresses, such as the field of that name in
// http.Transport: the host of the address is the name of the pool, and its port means
// nothing. With it http://pool/ reaches one element after the other.
func (r *Resolver) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	pool, _, err := net.SplitHostPort(address)
	if err != nil {
		pool = address
	}
	c, _, err := r.Dial(ctx, pool)
	return c, err
}

// Watch returns the elements of a pool in the order of their identifiers: now, and again
// whenever one comes, goes or changes, until the loop is left. A pool that does not exist
// has none. What goes wrong meanwhile comes as an error, and the iteration goes on; it ends
// with that of ctx. Registrars of this project and of RSPLIB send updates; otherwise
// changes are noticed after five seconds.
//
//	for elements, err := range resolver.Watch(ctx, "pool") {
func (r *Resolver) Watch(ctx context.Context, pool string) iter.Seq2[[]Element, error] {
	return func(yield func([]Element, error) bool) {
		for es, err := range r.r.Watch(ctx, pool) {
			if !yield(publicElements(es), err) {
				return
			}
		}
	}
}

// Status describes the resolver: its registrar and the last error.
func (r *Resolver) Status() Status { return publicSocket(r.r.Status()) }

// Close ends the resolver.
func (r *Resolver) Close() error { return r.r.Close() }
