package userland

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// portAttempts is how often a free port is asked for until it is free on every
// address.
const portAttempts = 50

// burst is Max.Burst (SCTP-3-12) if nothing else is asked for. RFC 9260 gives 4
// packets per opportunity to send and assumes one for every two packets that
// the peer gets. Here packets are received and acknowledged in batches of up to
// 64, so one opportunity stands for many of the RFC's; the congestion window
// limits them all the same.
const burst = 32

// sackDelay is SACK.Delay if nothing else is asked for. It is below the time
// after which a peer of this kind resends a lone message (sctp.Config.EarlyResend).
const sackDelay = 5 * time.Millisecond

// Listen opens an endpoint. The system's reason for a refusal can be found in
// the error with errors.Is: syscall.EADDRINUSE, EACCES, EADDRNOTAVAIL.
func Listen(cfg transport.Config) (*Endpoint, error) {
	if cfg.Led {
		return listen(cfg, func() bool { return false })
	}
	return listen(cfg, mayBeAlone)
}

// listen opens an endpoint; alone is asked for each of its sockets.
func listen(cfg transport.Config, alone func() bool) (*Endpoint, error) {
	local := normalLocal(cfg.Local)
	port := local[0].Port()
	for _, a := range local {
		if a.Port() != port || !a.IsValid() || a.Addr().IsMulticast() {
			return nil, fmt.Errorf("local addresses %v: want unicast addresses with one port: %w", cfg.Local, assoc.ErrInvalid)
		}
	}
	udpPort := cfg.UDPPort
	if udpPort == 0 {
		udpPort = port
	}
	sockets, err := openSockets(local, udpPort, alone)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		// One SCTP port per UDP port tells endpoints of one host apart
		// (SCTP-2-05).
		port = sockets[0].local.Port()
		if cfg.UDPPort != 0 {
			port = randomPort()
		}
	}
	e := &Endpoint{sockets: sockets, log: cfg.Logger, guard: cfg.Params.OrDefault().ShutdownGuard}
	e.starved = true
	e.written = sync.NewCond(&e.mu)
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	for _, a := range local {
		if !a.Addr().IsUnspecified() || e.serves(a.Addr()) {
			e.local = append(e.local, netip.AddrPortFrom(a.Addr(), port))
		}
	}
	if len(e.local) == 0 { // [::] on a host without IPv6
		e.local = []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port)}
	}
	params := cfg.Params
	params.MaxBurst = cmp.Or(params.MaxBurst, burst)
	params.SackDelay = cmp.Or(params.SackDelay, sackDelay)
	e.engine = sctp.New(sctp.Config{Port: port, Local: specific(e.local), Rand: rand.Reader, NoListen: cfg.NoListen, MaxAssocs: cfg.MaxAssocs, EarlyResend: true, MaxMTU: maxMTU(sockets)})
	if err := e.engine.SetParams(0, params); err != nil {
		closeSockets(sockets)
		return nil, fmt.Errorf("parameters of associations: %w", err)
	}
	if err := e.start(); err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.die()
		return nil, err
	}
	return e, nil
}

// normalLocal applies the default, unmaps IPv4, and drops what [::] includes.
func normalLocal(local []netip.AddrPort) []netip.AddrPort {
	if len(local) == 0 {
		return []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), 0)}
	}
	var out []netip.AddrPort
	for _, a := range local {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		both := netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port())
		if slices.Contains(out, a) || a.Addr() == netip.IPv4Unspecified() && slices.Contains(local, both) {
			continue
		}
		out = append(out, a)
	}
	return out
}

// specific returns the addresses that a peer may be told of: those bound to,
// unless a wildcard is among them.
func specific(local []netip.AddrPort) (addrs []netip.Addr) {
	for _, a := range local {
		if a.Addr().IsUnspecified() {
			return nil
		}
		addrs = append(addrs, normal(a).Addr())
	}
	return addrs
}

// burstRoom is how many packets in a row a socket's buffer is expected to hold.
const burstRoom = 64

// maxMTU limits packets to what sockets can buffer: where the system gives
// little room a burst of the largest packets that loopback carries would not
// survive, and peers on this host get no more.
func maxMTU(sockets []*socket) int {
	room := 65535 * burstRoom
	for _, s := range sockets {
		room = min(room, s.room)
	}
	return max(room/burstRoom, 1500)
}

// openSockets opens a socket for each address, all with one UDP port.
func openSockets(local []netip.AddrPort, port uint16, alone func() bool) (sockets []*socket, err error) {
	for range portAttempts {
		if sockets, err = trySockets(local, port, alone); port != 0 || !errors.Is(err, unix.EADDRINUSE) {
			return sockets, err
		}
	}
	return nil, err
}

func trySockets(local []netip.AddrPort, port uint16, alone func() bool) (sockets []*socket, err error) {
	open := func(addr netip.Addr) error {
		own := alone()
		s, err := openSocket(netip.AddrPortFrom(addr, port), own)
		if err != nil {
			if own {
				loners.Add(-1)
			}
			return err
		}
		port = s.local.Port()
		sockets = append(sockets, s)
		return nil
	}
	for _, a := range local {
		err := open(a.Addr())
		if a.Addr() == netip.IPv6Unspecified() && (err == nil || noIPv6(err)) {
			err = open(netip.IPv4Unspecified())
		}
		if err != nil {
			closeSockets(sockets)
			return nil, err
		}
	}
	return sockets, nil
}

// noIPv6 says that the host has none, or has it switched off.
func noIPv6(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)
}

func closeSockets(sockets []*socket) {
	for _, s := range sockets {
		s.close()
	}
}

// randomPort returns one of the dynamic ports.
func randomPort() uint16 {
	var b [2]byte
	rand.Read(b[:])
	return 49152 + binary.BigEndian.Uint16(b[:])%16384
}
