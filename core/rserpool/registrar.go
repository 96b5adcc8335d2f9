package rserpool

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/socket"
)

// RegistrarOptions say how to run a registrar.
type RegistrarOptions struct {
	// ASAP are the addresses for pool elements and pool users, all with one
	// port; [::]:3863, which is every address of this host, of IPv4 too.
	ASAP []netip.AddrPort
	// ENRP are the addresses for other registrars, all with one port. Without
	// any the registrar has no peers.
	ENRP []netip.AddrPort
	// Peers are ENRP addresses (host:port, or host for port 9901) of other
	// registrars, from which this one learns of the rest. They need ENRP. Each
	// address of a name is a registrar. Names are looked up again as long as one
	// of these is missing; that one has no address yet is no error. Those that
	// RSERPOOL_PEERS names come on top.
	Peers []string
	// Multicast is a multicast group at which registrars find each other, an
	// address like 239.1.2.3, perhaps with :port (9901) and @interface. It needs
	// ENRP. A registrar that finds nobody in 2 s thinks itself alone.
	Multicast string
	// State is a file that keeps what the registrar knows, so that one that is
	// restarted has an answer for everybody at once, before the pool elements
	// come back: the file's entries are given out, and the elements asked
	// whether they live. With Peers what these know counts, and the file only
	// when none of them answers. A file that cannot be used costs a warning;
	// that of another registrar, which holds a lock on State.lock, is an error.
	State string
	// NoTCP leaves out the TCP port, of the same number as that of ASAP, at
	// which pool users are answered too.
	NoTCP bool
	// RFCTimers keeps to the timers of RFC 5353, with which a registrar that
	// dies silently is replaced after 66 s; otherwise that takes less than 4 s,
	// for one message per peer and second.
	RFCTimers bool
	// Accept are addresses that pool elements may register beside those at which
	// the registrar sees them (RFC 5352 section 2.2.1 has it so), because they are
	// behind a NAT and advertise them. Those of Advertise are accepted anyhow.
	Accept []netip.Prefix
	// Level is set to what RSERPOOL_LOG says, or to Info, at the start and by
	// Reload: it is for the handler of Logger. nil: the level stays.
	Level *slog.LevelVar
	// Transport, Compat, Announce, Advertise and Logger are as in Options.
	Transport string
	Compat    string
	Announce  string
	Advertise []netip.Addr
	Logger    *slog.Logger
}

func (o *RegistrarOptions) socket() socket.RegistrarConfig {
	return socket.RegistrarConfig{
		ASAP: o.ASAP, ENRP: o.ENRP, Peers: o.Peers, Multicast: o.Multicast, State: o.State, NoTCP: o.NoTCP,
		RFCTimers: o.RFCTimers, Accept: o.Accept, Level: o.Level,
		Config: socket.Config{Transport: o.Transport, Compat: o.Compat, Announce: o.Announce, Advertise: o.Advertise, Logger: o.Logger},
	}
}

// Registrar is a registrar inside the program. It asks each pool element that it
// is the home of whether it lives: once a second while these are 100 or fewer, less
// often with more, for 100 messages a second, but at least every 30 s.
type Registrar struct{ r *socket.Registrar }

// StartRegistrar starts a registrar, which serves until Close or, unlike what Dial and
// Listen make, until ctx ends; then it hands over like CloseContext. System errors
// (syscall.EADDRINUSE) are in the chain of what it returns.
func StartRegistrar(ctx context.Context, o RegistrarOptions) (*Registrar, error) {
	r, err := socket.StartRegistrar(ctx, o.socket())
	if err != nil {
		return nil, err
	}
	return &Registrar{r}, nil
}

// Reload reads the configuration file (RSERPOOL_CONFIG) again and takes over what
// a running registrar can: RSERPOOL_LOG, see RegistrarOptions.Level, and
// RSERPOOL_PEERS. A peer that is not named any more is not looked for any more;
// one that is there stays until it ends. If the file is wrong, everything stays.
func (r *Registrar) Reload() error { return r.r.Reload() }

// ID returns the registrar's identifier.
func (r *Registrar) ID() ServerID { return r.r.ID() }

// ASAPAddrs returns the addresses for pool elements and pool users.
func (r *Registrar) ASAPAddrs() []netip.AddrPort { return r.r.ASAPAddrs() }

// TCPAddrs returns the TCP addresses for pool users; none without.
func (r *Registrar) TCPAddrs() []netip.AddrPort { return r.r.TCPAddrs() }

// ENRPAddrs returns the addresses for other registrars; none without ENRP.
func (r *Registrar) ENRPAddrs() []netip.AddrPort { return r.r.ENRPAddrs() }

// Pool is a pool as a registrar knows it.
type Pool struct {
	Handle   string
	Policy   PolicyType
	Elements []Element
}

func publicPools(ps []socket.Pool) []Pool {
	var out []Pool
	for _, p := range ps {
		out = append(out, Pool{p.Handle, p.Policy, publicElements(p.Elements)})
	}
	return out
}

// Pools returns what the registrar knows, in the order in which the pools came
// to be.
func (r *Registrar) Pools() []Pool { return publicPools(r.r.Pools()) }

// Pools asks a registrar for all it knows, in the order in which it tells. The
// registrars of opts.Registrars are asked one after the other until one answers.
// The question is ENRP's, which registrars of this project answer at their
// ASAP address too; of others give the ENRP address. It goes over SCTP: those with
// tcp: are passed over, and if there are no others that is ErrInvalid.
func Pools(ctx context.Context, opts *Options) ([]Pool, error) {
	ps, err := socket.Pools(ctx, opts.socket())
	return publicPools(ps), err
}

// Peer is another registrar.
type Peer struct {
	ID        ServerID
	Addrs     []netip.AddrPort // ENRP
	Connected bool             // an association stands
	Active    bool             // it is not thought dead
	Silent    time.Duration    // since it was last heard
	Owned     int              // pool elements whose home it is
}

// Peers returns the other registrars that this one knows, in the order in which they
// became known.
func (r *Registrar) Peers() []Peer {
	var out []Peer
	for _, p := range r.r.Peers() {
		out = append(out, Peer(p))
	}
	return out
}

// CloseContext hands the registrar's pool elements over to the other registrars,
// if there are any, and closes it. The handover is given up when ctx ends, and
// after some seconds.
func (r *Registrar) CloseContext(ctx context.Context) error { return r.r.CloseContext(ctx) }

// Close ends the registrar at once. Its pool elements and pool users look for
// another one; other registrars take its elements over.
func (r *Registrar) Close() error { return r.r.Close() }
