package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Connect implements transport.Endpoint.
func (e *Endpoint) Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error) {
	addrs, err := normalPeer(peer)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, net.ErrClosed
	}
	if e.isSelf(addrs) {
		return 0, fmt.Errorf("connect to %v, which is this endpoint itself: %w", peer, assoc.ErrRefused)
	}
	params := e.params
	if p != nil {
		params = overlay(params, *p)
	}
	var id assoc.ID
	if id, err = e.existing(addrs); err == nil {
		return id, fmt.Errorf("connect to %v: %w", peer, assoc.ErrAlreadyExists)
	}
	err = e.main.control(func(fd uintptr) (err error) {
		if params != e.params {
			// The kernel takes the parameters of a new association from the socket.
			defer e.restore(fd, params)
			if err := setParams(fd, 0, params); err != nil {
				return err
			}
		}
		id, err = dial(fd, addrs)
		return err
	})
	switch {
	case errors.Is(err, assoc.ErrAlreadyExists):
		return id, fmt.Errorf("connect to %v: %w", peer, err)
	case err != nil:
		return 0, fmt.Errorf("connect to %v: %w", peer, translate(err))
	}
	a := &association{id: id, sock: e.main, outgoing: true, maxMessage: params.MaxMessage, guard: params.ShutdownGuard, patience: time.Now().Add(setupTime(params)), primary: params.Primary}
	if params.ConnectTimeout > 0 {
		a.timeout = time.AfterFunc(params.ConnectTimeout, func() { e.connectDue(a) })
	}
	e.assocs[id] = a
	return id, nil
}

// dial is connectx for a peer that may have opened the association in the
// meantime.
func dial(fd uintptr, addrs []netip.AddrPort) (assoc.ID, error) {
	id, err := connectx(fd, addrs)
	if err == unix.EISCONN || err == unix.EALREADY {
		if id, err := associationWith(fd, addrs); err == nil {
			return id, assoc.ErrAlreadyExists
		}
	}
	return id, err
}

// setupTime is how long the kernel tries before it gives up, with a margin for
// its clock.
func setupTime(p assoc.Params) (total time.Duration) {
	for rto := p.RTOInitial; p.MaxInitRetransmits >= 0; p.MaxInitRetransmits-- {
		total += min(rto, p.RTOMax)
		rto *= 2
	}
	return total * 9 / 10
}

// restore gives the socket its own parameters back.
func (e *Endpoint) restore(fd uintptr, params assoc.Params) {
	_ = setParams(fd, 0, e.params)
	if params.EncapPort != 0 && e.params.EncapPort == 0 {
		_ = setOption(fd, optUDPEncapsPort, encapsulation(0, 0))
	}
	if params.DSCP > 0 && e.params.DSCP == 0 {
		_ = setParams(fd, 0, assoc.Params{DSCP: -1})
	}
	if params.MTU > 0 && e.params.MTU <= 0 {
		// The socket keeps a size even if it is told to find out: the largest
		// then, because smaller ones of the paths count.
		_ = setParams(fd, 0, assoc.Params{MTU: 0xffff})
		_ = setParams(fd, 0, assoc.Params{MTU: -1})
	}
}

// existing finds the association with a peer.
func (e *Endpoint) existing(peer []netip.AddrPort) (id assoc.ID, err error) {
	for _, s := range e.sockets() {
		err = s.control(func(fd uintptr) (err error) {
			id, err = associationWith(fd, peer)
			return err
		})
		if err == nil {
			return id, nil
		}
	}
	return 0, err
}

func associationWith(fd uintptr, peer []netip.AddrPort) (assoc.ID, error) {
	for _, a := range peer {
		var info [pathInfoSize]byte
		putAddr(info[4:], a)
		if _, err := getOption(fd, optPathInfo, info[:]); err == nil {
			return assoc.ID(native.Uint32(info[:])), nil
		}
	}
	return 0, assoc.ErrNotConnected
}

// normalPeer checks the addresses of a peer; the unspecified address means
// this host, as in every socket API.
func normalPeer(peer []netip.AddrPort) (out []netip.AddrPort, err error) {
	if len(peer) == 0 {
		return nil, fmt.Errorf("connect to no address: %w", assoc.ErrInvalid)
	}
	for _, a := range peer {
		if !a.Addr().IsValid() || a.Port() == 0 || a.Port() != peer[0].Port() || a.Addr().IsMulticast() {
			return nil, fmt.Errorf("connect to %v: %w", peer, assoc.ErrInvalid)
		}
		addr := a.Addr().Unmap()
		switch addr {
		case netip.IPv4Unspecified():
			addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		case netip.IPv6Unspecified():
			addr = netip.IPv6Loopback()
		}
		out = append(out, netip.AddrPortFrom(addr, a.Port()))
	}
	return out, nil
}

// isSelf says that an address is the endpoint's own, which it may have been given
// after a peer that had it before: the kernel would make an association of that.
func (e *Endpoint) isSelf(addrs []netip.AddrPort) bool {
	for _, l := range e.local {
		for _, a := range addrs {
			if a == l || a.Port() == l.Port() && l.Addr().IsUnspecified() && a.Addr().IsLoopback() {
				return true
			}
		}
	}
	return false
}

// connectDue ends a set-up that has taken too long: the kernel has only a
// number of attempts.
func (e *Endpoint) connectDue(a *association) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || a.up || a.aborted != nil || e.assocs[a.id] != a {
		return
	}
	e.giveUp(a, assoc.ErrTimeout)
}

// giveUp ends an association from this side; err is why.
func (e *Endpoint) giveUp(a *association, err error) {
	a.aborted = err
	_ = a.sock.control(func(fd uintptr) error { return sendControl(fd, a.id, flagAbort, []byte(err.Error())) })
}

// Shutdown implements transport.Endpoint. During the set-up it waits for that, or
// gives up if nothing is queued (SCTP-2-07).
func (e *Endpoint) Shutdown(id assoc.ID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.lookup(id)
	switch {
	case err != nil || a.closing:
		return err
	case a.outgoing && !a.up && !a.early:
		return e.abort(a, "")
	}
	a.closing = true
	if a.outgoing && !a.up {
		return nil // when it is up: the kernel would drop it without a word
	}
	return e.shutdown(a)
}

// shutdown passes Shutdown on to the kernel.
func (e *Endpoint) shutdown(a *association) error {
	err := a.sock.control(func(fd uintptr) error { return sendControl(fd, a.id, flagEOF, nil) })
	switch {
	case err == nil && a.guard > 0:
		a.timeout = time.AfterFunc(a.guard, func() { e.guardDue(a) })
	case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ESHUTDOWN), errors.Is(err, unix.ENOTCONN):
		return nil // the peer was quicker: a notification tells
	}
	return translate(err)
}

// guardDue ends a shutdown that takes too long (T5, RFC 9260 section 9.2).
// Before SHUTDOWN is sent only time without progress counts.
func (e *Endpoint) guardDue(a *association) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || a.aborted != nil || e.assocs[a.id] != a {
		return
	}
	goesOn := false
	_ = a.sock.control(func(fd uintptr) error {
		b, err := rawStatus(fd, a.id)
		left := queued(fd)
		goesOn = err == nil && native.Uint32(b[4:]) == stateShutdownPending && left != a.left
		a.left = left
		return err
	})
	if goesOn {
		a.timeout = time.AfterFunc(a.guard, func() { e.guardDue(a) })
	} else {
		e.giveUp(a, assoc.ErrTimeout)
	}
}

// Abort implements transport.Endpoint.
func (e *Endpoint) Abort(id assoc.ID, reason string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.lookup(id)
	if err != nil {
		return err
	}
	return e.abort(a, reason)
}

func (e *Endpoint) abort(a *association, reason string) error {
	a.aborted = assoc.ErrLocalAbort
	err := a.sock.control(func(fd uintptr) error { return sendControl(fd, a.id, flagAbort, []byte(reason)) })
	e.letCome(a)
	switch {
	case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ESHUTDOWN), errors.Is(err, unix.ENOTCONN):
		a.aborted = nil // it has ended by itself
		return nil
	}
	return translate(err)
}
