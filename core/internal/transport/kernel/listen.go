package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Listen opens an endpoint. The error wraps ErrNoSCTP where the kernel has
// none, or else the system's reason: syscall.EADDRINUSE, EACCES,
// EADDRNOTAVAIL.
func Listen(cfg transport.Config) (*Endpoint, error) {
	local, err := normalLocal(cfg.Local)
	if err != nil {
		return nil, err
	}
	fd, local, err := open(local)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		local: local, params: cfg.Params.OrDefault(), assocs: map[assoc.ID]*association{},
		hungry: make(chan struct{}, 1), full: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := e.setup(fd, cfg.NoListen); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("SCTP endpoint %v: %w", local, err)
	}
	if err := e.adoptMain(fd); err != nil {
		return nil, fmt.Errorf("SCTP endpoint %v: %w", local, err)
	}
	e.reader.init()
	return e, nil
}

// adoptMain takes over the common socket. It does not block, but the runtime is not to
// know: it would put it into its poller.
func (e *Endpoint) adoptMain(fd int) (err error) {
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return err
	}
	if e.main, err = adopt(fd, nil); err != nil {
		return err
	}
	err = unix.SetNonblock(fd, true)
	if err == nil {
		e.arrival, err = newWatcher(fd, unix.EPOLLIN)
	}
	if err == nil {
		e.room, err = newWatcher(fd, 0)
	}
	if err != nil {
		e.arrival.close()
		e.main.file.Close()
	}
	e.fds, e.lead.Watch = []int{fd}, e.watchArrival
	return err
}

// normalLocal applies the default, unmaps IPv4, and checks.
func normalLocal(local []netip.AddrPort) (out []netip.AddrPort, err error) {
	if len(local) == 0 {
		local = []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), 0)}
	}
	for _, a := range local {
		if !a.IsValid() || a.Port() != local[0].Port() || a.Addr().IsMulticast() {
			return nil, fmt.Errorf("local addresses %v: want unicast addresses with one port: %w", local, assoc.ErrInvalid)
		}
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if a.Addr() == netip.IPv6Unspecified() {
			return []netip.AddrPort{a}, nil // includes all others
		}
		out = append(out, a)
	}
	return out, nil
}

// open makes a socket bound to local. Where the host has no IPv6, [::] becomes
// 0.0.0.0.
func open(local []netip.AddrPort) (fd int, bound []netip.AddrPort, err error) {
	fd, bound, err = openFamily(local)
	if local[0].Addr() == netip.IPv6Unspecified() && (errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)) {
		return openFamily([]netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), local[0].Port())})
	}
	return fd, bound, err
}

// openFamily binds an IPv4 socket if all addresses are of that family, or else
// an IPv6 socket that also takes IPv4 unless all addresses are IPv6 ones.
func openFamily(local []netip.AddrPort) (fd int, bound []netip.AddrPort, err error) {
	four, six := false, false
	for _, a := range local {
		four = four || a.Addr().Is4() || a.Addr().IsUnspecified()
		six = six || a.Addr().Is6()
	}
	family := unix.AF_INET
	if six {
		family = unix.AF_INET6
	}
	if fd, err = newSocket(family); err != nil {
		return -1, nil, err
	}
	if six {
		only := 1
		if four {
			only = 0
		}
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only))
	}
	if err == nil {
		bound, err = bind(fd, local)
	}
	if err != nil {
		unix.Close(fd)
		return -1, nil, fmt.Errorf("bind SCTP port of %v: %w", local, err)
	}
	return fd, bound, nil
}

// bind binds the first address, which settles the port, then the others.
func bind(fd int, local []netip.AddrPort) ([]netip.AddrPort, error) {
	if err := sctp.SCTPBind(fd, sctpAddr(local[:1]), sctp.SCTP_BINDX_ADD_ADDR); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, os.NewSyscallError("getsockname", err)
	}
	port := 0
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		port = name.Port
	case *unix.SockaddrInet6:
		port = name.Port
	}
	var bound []netip.AddrPort
	for _, a := range local {
		bound = append(bound, netip.AddrPortFrom(a.Addr(), uint16(port)))
	}
	if len(bound) > 1 {
		if err := sctp.SCTPBind(fd, sctpAddr(bound[1:]), sctp.SCTP_BINDX_ADD_ADDR); err != nil {
			return nil, os.NewSyscallError("bindx", err)
		}
	}
	return bound, nil
}

// exposeEnabled makes the kernel tell when a path begins to fail.
const exposeEnabled = 2

// setup makes the socket tell what an endpoint has to know, and live.
func (e *Endpoint) setup(fd int, noListen bool) error {
	events := []byte{0, 1, 1, 1, 1, 1, 1, 0, 0, 0} // association, address, send failure, peer error, shutdown, partial delivery
	for _, o := range []struct {
		name  int
		value []byte
	}{
		{sctp.SCTP_EVENTS, events},
		{sctp.SCTP_NODELAY, words(1)},
		{optRecvRcvInfo, words(1)},
		{optFragmentInterleave, words(1)}, // one association's long message does not hold up the others
		{sctp.SCTP_I_WANT_MAPPED_V4_ADDR, words(0)},
	} {
		if err := setOption(uintptr(fd), o.name, o.value); err != nil {
			return fmt.Errorf("set option %d: %w", o.name, err)
		}
	}
	_ = setOption(uintptr(fd), optExposeFailing, words(0, exposeEnabled)) // Linux 5.5
	takeTurns(uintptr(fd))
	if err := abortOnClose(uintptr(fd), true); err != nil {
		return err
	}
	if err := setParams(uintptr(fd), 0, e.params); err != nil {
		return err
	}
	if noListen {
		return nil
	}
	return os.NewSyscallError("listen", unix.Listen(fd, unix.SOMAXCONN))
}
