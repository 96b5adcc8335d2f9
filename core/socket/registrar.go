package socket

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
)

// RegistrarConfig says how to run a registrar; rserpool.RegistrarOptions explains it.
// Transport, Compat, Announce, Advertise and Logger of Config apply.
type RegistrarConfig struct {
	ASAP      []netip.AddrPort
	ENRP      []netip.AddrPort
	Peers     []string
	Multicast string
	State     string
	NoTCP     bool
	RFCTimers bool
	Accept    []netip.Prefix
	Level     *slog.LevelVar
	Config
}

// Registrar is a registrar inside the program. It asks each pool element that it
// is the home of whether it lives: once a second while these are 100 or fewer, less
// often with more, for 100 messages a second, but at least every 30 s.
type Registrar struct {
	r      *loop.Registrar
	cfg    Config
	reload func() error
	stop   func() bool // withdraws from the context
}

// Pool is a pool as a registrar knows it.
type Pool struct {
	Handle   string
	Policy   PolicyType
	Elements []Element
}

// StartRegistrar starts a registrar, which serves until Close or until ctx
// ends; then it hands over like CloseContext. System errors (syscall.EADDRINUSE) are in the chain of what it returns.
func StartRegistrar(ctx context.Context, cfg RegistrarConfig) (*Registrar, error) {
	resolved, err := cfg.Config.resolve()
	if err != nil {
		return nil, err
	}
	if len(cfg.ASAP) == 0 {
		cfg.ASAP = []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), protocol.PortASAP)}
	}
	peers, names, err := cfg.variable()
	if err != nil {
		return nil, fmt.Errorf("cannot start a registrar: %w", err)
	}
	lcfg := loop.RegistrarConfig{
		ASAP: cfg.ASAP, ENRP: cfg.ENRP, Peers: peers, PeerNames: names, LookUp: resolved.host.lookUp,
		Advertise: resolved.Advertise, Host: resolved.host.addrs, Machine: resolved.machine(cfg.RFCTimers), State: cfg.State,
		Transport: resolved.Transport, Open: resolved.host.open, Logger: resolved.Logger,
	}
	lcfg.Machine.Accept = cfg.Accept
	if lcfg.Announce, err = resolved.group(); err != nil {
		return nil, err
	}
	if lcfg.Multicast, err = cfg.multicast(); err != nil {
		return nil, err
	}
	if !cfg.NoTCP {
		lcfg.ListenTCP = resolved.host.listen
	}
	r, err := loop.StartRegistrar(lcfg)
	if err != nil {
		return nil, fmt.Errorf("cannot start a registrar: %w", err)
	}
	out := &Registrar{r: r, cfg: resolved, reload: func() error { return cfg.again(r) }}
	out.stop = context.AfterFunc(ctx, func() {
		r.Leave(context.Background())
		r.Close()
	})
	return out, nil
}

// multicast is where registrars find each other; nil means nowhere.
func (c *RegistrarConfig) multicast() (*loop.Group, error) {
	switch {
	case c.Multicast == "":
		return nil, nil
	case len(c.ENRP) == 0:
		return nil, fmt.Errorf("%w: a group to find peers (%s) without an ENRP address of its own", ErrInvalid, c.Multicast)
	}
	return parseGroup(c.Multicast, protocol.PortENRP, "ENRP multicast")
}

// variable takes what the environment and the configuration file say of the
// registrar, and what Reload takes again: the level, and peers besides Peers.
func (c *RegistrarConfig) variable() (peers [][]netip.AddrPort, names []string, err error) {
	env, err := settings()
	if err != nil {
		return nil, nil, err
	}
	level, err := logLevel(env, slog.LevelInfo)
	if err != nil {
		return nil, nil, err
	}
	if peers, names, err = c.peers(); err != nil {
		return nil, nil, err
	}
	if v := env["RSERPOOL_PEERS"]; v != "" {
		more, err := c.hostPorts(strings.Split(v, ","))
		if err != nil {
			return nil, nil, fmt.Errorf("%w (RSERPOOL_PEERS)", err)
		}
		names = append(names, more...) // addresses, too, so that they can go again
	}
	if c.Level != nil {
		c.Level.Set(level)
	}
	return peers, names, nil
}

// again is variable for a registrar that runs.
func (c *RegistrarConfig) again(r *loop.Registrar) error {
	_, names, err := c.variable()
	if err != nil {
		return err
	}
	r.SetPeerNames(names)
	return nil
}

// Reload reads the configuration file (RSERPOOL_CONFIG) again and takes over what
// a running registrar can: RSERPOOL_LOG, see RegistrarConfig.Level, and
// RSERPOOL_PEERS. A peer that is not named any more is not looked for any more;
// one that is there stays until it ends. If the file is wrong, everything stays.
func (r *Registrar) Reload() error { return r.reload() }

// peers tells the addresses in Peers from the names, which are looked up again
// and again.
func (c *RegistrarConfig) peers() (addrs [][]netip.AddrPort, names []string, err error) {
	hostPorts, err := c.hostPorts(c.Peers)
	if err != nil {
		return nil, nil, err
	}
	for _, hostPort := range hostPorts {
		if a, err := netip.ParseAddrPort(hostPort); err == nil && a.Addr().Zone() == "" {
			addrs = append(addrs, []netip.AddrPort{netip.AddrPortFrom(a.Addr().Unmap(), a.Port())})
		} else {
			names = append(names, hostPort)
		}
	}
	return addrs, names, nil
}

// hostPorts returns peers as host:port.
func (c *RegistrarConfig) hostPorts(peers []string) (out []string, err error) {
	if len(peers) > 0 && len(c.ENRP) == 0 {
		return nil, fmt.Errorf("%w: peers %v without an ENRP address of its own", ErrInvalid, peers)
	}
	for _, p := range peers {
		hostPort, err := withDefaultPort(strings.TrimSpace(p), protocol.PortENRP)
		if err != nil {
			return nil, fmt.Errorf("%w: peer %q: %v; write host:port", ErrInvalid, p, err)
		}
		out = append(out, hostPort)
	}
	return out, nil
}

// ID returns the registrar's identifier.
func (r *Registrar) ID() ServerID { return r.r.Snapshot().Server }

// ASAPAddrs returns the addresses for pool elements and pool users.
func (r *Registrar) ASAPAddrs() []netip.AddrPort { return r.r.ASAPAddrs() }

// TCPAddrs returns the TCP addresses for pool users; none without.
func (r *Registrar) TCPAddrs() []netip.AddrPort { return r.r.TCPAddrs() }

// ENRPAddrs returns the addresses for other registrars; none without ENRP.
func (r *Registrar) ENRPAddrs() []netip.AddrPort { return r.r.ENRPAddrs() }

// Pools returns what the registrar knows, in the order in which the pools came
// to be.
func (r *Registrar) Pools() []Pool {
	var out []Pool
	for _, p := range r.r.Snapshot().Pools {
		out = append(out, r.cfg.publicPool(p))
	}
	return out
}

func (c *Config) publicPool(p registrar.PoolView) Pool {
	pool := Pool{Handle: string(p.Handle), Policy: p.Policy}
	for _, e := range p.Elements {
		e.Element.Life = c.seconds(e.Element.Life)
		pool.Elements = append(pool.Elements, publicElement(e.Element))
	}
	return pool
}

// Peer is another registrar; rserpool.Peer explains it.
type Peer struct {
	ID                ServerID
	Addrs             []netip.AddrPort
	Connected, Active bool
	Silent            time.Duration
	Owned             int
}

// Peers returns the other registrars, in the order in which they became known.
func (r *Registrar) Peers() []Peer {
	var out []Peer
	for _, p := range r.r.Snapshot().Peers {
		out = append(out, Peer{p.ID, p.Transport.AddrPorts(), p.Connected, p.Active, p.Silent, p.Owned})
	}
	return out
}

// CloseContext hands the registrar's pool elements over to the other registrars,
// if there are any, and closes it. The handover is given up when ctx ends, and
// after some seconds.
func (r *Registrar) CloseContext(ctx context.Context) error {
	r.stop()
	r.r.Leave(ctx)
	return r.r.Close()
}

// Close ends the registrar at once. Its pool elements and pool users look for
// another one; other registrars take its elements over.
func (r *Registrar) Close() error {
	r.stop()
	return r.r.Close()
}
