package loop

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// RegistrarConfig describes a registrar to run.
type RegistrarConfig struct {
	// ASAP and ENRP are the addresses to serve; without ENRP the registrar
	// has no peers.
	ASAP, ENRP []netip.AddrPort
	Peers      [][]netip.AddrPort // ENRP addresses, one entry per registrar
	PeerNames  []string           // host:port of others, which LookUp looks up again and again
	LookUp     Resolver
	// Advertise are the addresses that others are told in place of the registrar's
	// own, and Host those of this host.
	Advertise []netip.Addr
	Host      *Host
	Transport string // kind, as in transport.Config
	// Machine is the rest of the machine's configuration: the fields above and
	// the source of randomness are filled in.
	Machine registrar.Config
	Open    func(transport.Config) (transport.Endpoint, string, error)
	// Announce is where the registrar announces itself, and Multicast where it
	// looks for other registrars; nil means nowhere.
	Announce, Multicast *Group
	// State is a file that keeps what the registrar knows for the one that is
	// started after it; empty means none.
	State string
	// ListenTCP listens for pool users that come over TCP; nil means none.
	ListenTCP func(netip.AddrPort) (net.Listener, error)
	Logger    *slog.Logger
}

// Registrar is a running registrar: the machine, and the endpoints it is
// reached at.
type Registrar struct {
	mu          sync.Mutex
	machine     *registrar.Registrar
	loop        *Loop[registrar.Event, registrar.Effect]
	links       driver.Registrar
	asap        *channel
	enrp        *channel     // nil without ENRP
	tcp         *tcpServer   // nil without TCP
	stateWriter *stateWriter // nil without a state file
	announcer   *member      // nil without a group
	discovery   *member      // nil without a group
	parting     parting
	tables      map[registrar.Link]*snapshot.Table // downloads that go on
	log         *slog.Logger
	garbage     *RateLimitedLog
	names       *peerNames
	closed      bool
	ended       chan struct{} // closed with it

	closing  sync.Once
	closeErr error
}

// StartRegistrar opens the endpoints and starts to serve. System errors
// (syscall.EADDRINUSE) are in the chain of what it returns.
func StartRegistrar(cfg RegistrarConfig) (*Registrar, error) {
	if cfg.Host == nil {
		cfg.Host = NewHost(HostAddrs)
	}
	r := &Registrar{log: cfg.Logger, garbage: NewRateLimitedLog(cfg.Logger), tables: map[registrar.Link]*snapshot.Table{}, parting: newParting(), names: newPeerNames(cfg), ended: make(chan struct{})}
	var err error
	if r.asap, r.tcp, err = openASAP(cfg); err != nil {
		return nil, fmt.Errorf("cannot serve ASAP: %w", err)
	}
	if len(cfg.ENRP) > 0 {
		if r.enrp, err = openChannel(cfg, registrar.ENRPOverSCTP, protocol.PPIDENRP, cfg.ENRP); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot serve ENRP: %w", err), r.closeChannels())
		}
	}
	if err = r.joinGroups(cfg); err != nil {
		return nil, errors.Join(err, r.closeChannels())
	}
	machine := r.machineConfig(cfg)
	if cfg.State != "" {
		if r.stateWriter, err = r.newStateWriter(cfg.State, &machine); err != nil {
			return nil, errors.Join(err, r.closeChannels())
		}
	}
	if r.machine, err = registrar.New(machine); err != nil {
		r.stateWriter.unlock()
		return nil, errors.Join(err, r.closeChannels())
	}
	r.loop = New(&r.mu, r.machine, r.perform)
	r.links = driver.Registrar{ASAP: r.asap.Channel, TCP: r.tcp, Failed: r.couldNotSend}
	if r.enrp != nil {
		r.links.ENRP = r.enrp.Channel
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ch := range r.channels() {
		ch.Post = r.loop.Post
	}
	r.loop.Post(registrar.Start{})
	for _, ch := range r.channels() {
		ch.port.Notify(func() { r.receive(ch) }, func(id assoc.ID) { r.writable(ch, id) })
	}
	if r.tcp != nil {
		r.tcp.start(r)
	}
	if r.stateWriter != nil {
		go r.stateWriter.run()
	}
	r.listen()
	return r, nil
}

func (r *Registrar) machineConfig(cfg RegistrarConfig) registrar.Config {
	m := cfg.Machine
	m.Rand, m.Peers, m.LookUp = NewRand(), cfg.Peers, len(cfg.PeerNames) > 0
	m.Announce, m.Multicast = cfg.Announce != nil, cfg.Multicast != nil
	m.ASAP = []protocol.Transport{reachable(r.asap.port.LocalAddrs(), cfg.Host.Addrs(), cfg.Advertise)}
	for _, a := range cfg.Advertise { // what is in front of this host is in front of its PEs
		m.Accept = append(slices.Clone(m.Accept), netip.PrefixFrom(a, a.BitLen()))
	}
	if r.tcp != nil {
		m.ASAP = append(m.ASAP, overTCP(m.ASAP[0])...)
	}
	if r.enrp != nil {
		m.Local = r.enrp.port.LocalAddrs()
		m.ENRP = reachable(m.Local, cfg.Host.Addrs(), cfg.Advertise)
	}
	return m
}

// A registrar receives short messages, and none that is longer than their length
// field can say, and padding: nobody has to hold more of them for one peer.
const (
	longestMessage = wire.MaxMessage + 1
	receiveWindow  = 4 * longestMessage
)

func openChannel(cfg RegistrarConfig, name registrar.Channel, ppid uint32, local []netip.AddrPort) (*channel, error) {
	ep, kind, err := cfg.Open(transport.Config{
		Kind: cfg.Transport, Local: local, MaxAssocs: cfg.Machine.Limits.Associations(), Logger: cfg.Logger,
		Params: assoc.Params{MaxMessage: longestMessage},
	})
	if err == nil && kind == transport.KindUserland { // the kernel's associations share one buffer
		err = ep.SetParams(0, assoc.Params{ReceiveBuffer: receiveWindow})
	}
	if err != nil {
		return nil, err
	}
	port := NewPort(ep)
	return &channel{&driver.Channel{Name: name, PPID: ppid, Endpoint: port, Here: cfg.Host.Here}, port}, nil
}

// NewRand returns a source for a machine, seeded by the system.
func NewRand() *rand.Rand {
	var seed [32]byte
	_, _ = cryptorand.Read(seed[:]) // never fails
	return rand.New(rand.NewChaCha8(seed))
}

func (r *Registrar) channels() []*channel {
	if r.enrp == nil {
		return []*channel{r.asap}
	}
	return []*channel{r.asap, r.enrp}
}

func (r *Registrar) closeChannels() error {
	if r.tcp != nil {
		r.tcp.closeListeners()
		r.tcp.wait()
	}
	r.announcer.leave()
	r.discovery.leave()
	var errs []error
	for _, ch := range r.channels() {
		errs = append(errs, ch.port.Close())
	}
	return errors.Join(errs...)
}

// Leave hands the registrar's PEs over to its peers, if it has any, shuts the
// associations with them down, and waits for both for some seconds at most. Close
// comes after it.
func (r *Registrar) Leave(ctx context.Context) {
	r.mu.Lock()
	if !r.closed {
		r.loop.Post(registrar.Leave{})
	}
	r.mu.Unlock()
	select {
	case <-r.parting.done:
	case <-r.ended:
	case <-ctx.Done():
	}
}

// Close ends the registrar: its associations break, and the PEs and PUs look
// for another one.
func (r *Registrar) Close() error {
	r.closing.Do(func() { r.closeErr = r.close() })
	return r.closeErr
}

func (r *Registrar) close() error {
	r.mu.Lock()
	r.closed = true
	close(r.ended)
	r.names.cancel()
	r.loop.Stop()
	if r.tcp != nil {
		r.tcp.stop()
	}
	last := r.machine.Snapshot(now())
	r.mu.Unlock()
	if r.stateWriter != nil {
		r.stateWriter.stop(last)
	}
	return r.closeChannels()
}

// ASAPAddrs returns where ASAP is served.
func (r *Registrar) ASAPAddrs() []netip.AddrPort { return r.asap.port.LocalAddrs() }

// ENRPAddrs returns where ENRP is served; nil without it.
func (r *Registrar) ENRPAddrs() []netip.AddrPort {
	if r.enrp == nil {
		return nil
	}
	return r.enrp.port.LocalAddrs()
}
