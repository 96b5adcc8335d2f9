package main

// #include <stdlib.h>
// #include "abi.h"
// #include "rserpool.h"
import "C"

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// basic is what the calls without a descriptor share: the resolver of the
// process, and the elements that it has registered.
var basic = directory{members: make(map[socket.Name]*member)}

type directory struct {
	mu       sync.Mutex
	resolver *socket.Resolver
	members  map[socket.Name]*member
}

// member is an element, or the attempt to become one or to end.
type member struct {
	*socket.Member // nil while it is being made
	at             socket.Transport
	busy           bool
}

func (d *directory) resolve() (*socket.Resolver, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.resolver != nil {
		return d.resolver, nil
	}
	cfg, err := config()
	if err != nil {
		return nil, err
	}
	r, err := socket.NewResolver(&socket.Options{Config: cfg})
	d.resolver = r
	return r, err
}

// join registers an element, or changes one that this process has registered.
func (d *directory) join(ctx context.Context, cfg socket.Config, pool string, at socket.Transport, r socket.Registration) (id socket.PEID, made bool, err error) {
	name := socket.Name{Pool: pool, PE: r.PE}
	m, err := d.claim(name, at)
	if err != nil {
		return 0, false, err
	}
	if m.Member != nil {
		defer d.release(m)
		return r.PE, false, m.Update(ctx, r)
	}
	m.Member, err = socket.Join(ctx, pool, at, &socket.Options{Config: cfg, Registration: r})
	d.mu.Lock()
	defer d.mu.Unlock()
	m.busy = false
	delete(d.members, name)
	if err != nil {
		return 0, false, err
	}
	d.members[m.Name()] = m
	return m.Name().PE, true, nil
}

// claim returns the element of that name, which nobody else uses until release, or
// a new one.
func (d *directory) claim(name socket.Name, at socket.Transport) (*member, error) {
	if name.PE == 0 { // its name is not known yet
		return &member{at: at}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.members[name]
	switch {
	case m == nil:
		m = &member{at: at}
		d.members[name] = m
	case m.busy:
		return nil, errBusy
	case m.at.Protocol != at.Protocol || m.at.ServiceCode != at.ServiceCode || !slices.Equal(m.at.Addrs, at.Addrs):
		return nil, failf(unix.EEXIST, "element %v of pool %.40q is registered at %v; deregister it first", name.PE, name.Pool, m.at.Addrs)
	}
	m.busy = true
	return m, nil
}

var errBusy = failf(unix.EALREADY, "another thread registers or deregisters this element at the moment")

func (d *directory) release(m *member) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m.busy = false
}

// leave deregisters an element.
func (d *directory) leave(ctx context.Context, name socket.Name) error {
	d.mu.Lock()
	m := d.members[name]
	switch {
	case m == nil:
		d.mu.Unlock()
		return failf(unix.ENOTCONN, "this process has registered no element %v in pool %.40q", name.PE, name.Pool)
	case m.busy:
		d.mu.Unlock()
		return errBusy
	}
	delete(d.members, name)
	d.mu.Unlock()
	return m.Leave(ctx)
}

// undo deregisters an element that nobody knows of.
func (d *directory) undo(name socket.Name) {
	ctx, cancel := context.WithTimeout(context.Background(), lingerLimit)
	defer cancel()
	_ = d.leave(ctx, name) // or its registration ends with its life
}

// query is what rsp_getaddrinfo asks for.
func query(h *C.struct_rspgo_hints) socket.Query {
	q := socket.Query{Items: int(h.items), MaxAge: time.Duration(h.stale) * time.Millisecond}
	if h.wait != 0 {
		q.WaitForPool = new(time.Duration(h.wait) * time.Millisecond)
	}
	if h.family != unix.AF_UNSPEC {
		q.Items = 0 // some may not fit
	}
	return q
}

// found is what rsp_getaddrinfo returns of the elements, for the program to free.
func found(pool string, elements []socket.Element, h *C.struct_rspgo_hints) (unsafe.Pointer, error) {
	out, err := places(pool, elements, int(h.family), int(h.socktype), int(h.protocol))
	if h.items > 0 && len(out) > int(h.items) {
		out = out[:h.items]
	}
	if err != nil {
		return nil, err
	}
	return list(out, int(h.socktype))
}

// findLimit is how long rsp_getaddrinfo takes at most.
func findLimit(r *socket.Resolver, h *C.struct_rspgo_hints) time.Duration {
	switch {
	case h.timeout != 0:
		return time.Duration(h.timeout) * time.Millisecond
	case h.wait != 0:
		return beyond(time.Duration(h.wait) * time.Millisecond)
	}
	return beyond(r.WaitForPool())
}

// checkHints finds what makes no sense whatever the pool is like.
func checkHints(h *C.struct_rspgo_hints) error {
	if !slices.Contains([]int{unix.AF_UNSPEC, unix.AF_INET, unix.AF_INET6}, int(h.family)) {
		return failf(unix.EAFNOSUPPORT, "family %d is not supported; use AF_UNSPEC, AF_INET or AF_INET6", int(h.family))
	}
	if h.stale < -1 || h.timeout < 0 || h.wait < -1 {
		return failf(unix.EINVAL, "stale is %d, timeout %d and wait %d; they are milliseconds, 0 for the default, and stale and wait may be -1", int(h.stale), int(h.timeout), int(h.wait))
	}
	_, err := serviceOf(int(h.socktype), int(h.protocol))
	return err
}

// list makes the list for the program, in one piece of its memory.
func list(ps []place, socktype int) (unsafe.Pointer, error) {
	const aligned = 8
	heads := len(ps) * int(C.sizeof_struct_rsp_addrinfo)
	size := heads
	for _, p := range ps {
		for _, a := range p.addrs {
			size += sockaddrSize(a)
		}
		size = (size + aligned - 1) &^ (aligned - 1)
	}
	block := C.calloc(1, C.size_t(size))
	if block == nil {
		return nil, failf(unix.ENOMEM, "there is no memory for %d elements", len(ps))
	}
	nodes := unsafe.Slice((*C.struct_rsp_addrinfo)(block), len(ps))
	at := heads
	for i, p := range ps {
		n := &nodes[i]
		n.ai_family = C.int(familyOf(p.addrs[0].Addr()))
		n.ai_protocol, n.ai_socktype = C.int(p.protocol), C.int(p.types[0])
		if socktype != 0 {
			n.ai_socktype = C.int(socktype)
		}
		n.ai_addrlen, n.ai_addrs = C.socklen_t(sockaddrSize(p.addrs[0])), C.uint32_t(len(p.addrs))
		n.ai_pe_id, n.ai_service = C.uint32_t(p.element.ID), C.uint32_t(p.element.ServiceCode)
		var b []byte
		for _, a := range p.addrs {
			b = appendSockaddr(b, a)
		}
		n.ai_addr = (*C.struct_sockaddr)(unsafe.Add(block, at))
		copy(unsafe.Slice((*byte)(unsafe.Add(block, at)), len(b)), b)
		at = (at + len(b) + aligned - 1) &^ (aligned - 1)
		if i > 0 {
			nodes[i-1].ai_next = n
		}
	}
	return block, nil
}

// transportOf reads what rsp_pe_registration is given.
func transportOf(w *C.struct_rspgo_where) (socket.Transport, error) {
	if w.socktype == 0 && w.protocol == 0 {
		return socket.Transport{}, failf(unix.EPROTONOSUPPORT, "neither ai_protocol nor ai_socktype says over what the element serves")
	}
	s, err := serviceOf(int(w.socktype), int(w.protocol))
	if err != nil {
		return socket.Transport{}, err
	}
	out := socket.Transport{Protocol: s.transport, ServiceCode: uint32(w.service)}
	count := max(int(w.addrs), 1)
	if count > C.RSP_ADDRS_MAX || count > 1 && s.transport != socket.SCTP {
		return out, failf(unix.EINVAL, "%d addresses; an element that serves over %v has one, with SCTP up to %d", count, s.transport, C.RSP_ADDRS_MAX)
	}
	at, left := unsafe.Pointer(w.addr), int(w.addrlen)
	for range count {
		a, size, err := readAddress(at, left)
		if err != nil {
			return out, err
		}
		if a.Port() == 0 {
			return out, failf(unix.EINVAL, "port 0 is nowhere; getsockname(2) tells which one bind(2) has chosen")
		}
		out.Addrs = append(out.Addrs, a)
		at, left = unsafe.Add(at, size), 0 // ai_addrlen is that of the first one
	}
	return out, nil
}

// readAddress reads the address at p of size bytes, or of as many as its family
// has when size is 0.
func readAddress(p unsafe.Pointer, size int) (netip.AddrPort, int, error) {
	if size != 0 && size < 2 {
		return netip.AddrPort{}, 0, failf(unix.EINVAL, "an address of %d bytes has no family", size)
	}
	family := int(binary.NativeEndian.Uint16(unsafe.Slice((*byte)(p), 2)))
	own := map[int]int{unix.AF_INET: unix.SizeofSockaddrInet4, unix.AF_INET6: unix.SizeofSockaddrInet6}[family]
	switch {
	case own == 0:
		return netip.AddrPort{}, 0, failf(unix.EAFNOSUPPORT, "address family %d is not supported; use AF_INET or AF_INET6", family)
	case size != 0 && size < own:
		return netip.AddrPort{}, 0, failf(unix.EINVAL, "ai_addrlen is %d; an address of family %d has %d bytes", size, family, own)
	}
	a, err := parseAddress(unsafe.Slice((*byte)(p), own), family)
	return a, own, err
}

//export rspgo_find
func rspgo_find(pool unsafe.Pointer, n C.size_t, hints *C.struct_rspgo_hints, outcome *C.struct_rspgo_outcome, space *C.struct_rspgo_error) C.int {
	handle, h := handleOf(pool, n), *hints
	return C.int(call(space, "rsp_getaddrinfo", func() (int64, error) {
		if err := checkHints(&h); err != nil {
			return 0, err
		}
		r, err := basic.resolve()
		if err != nil {
			return 0, err
		}
		if elements, err := r.TryResolve(handle, query(&h)); err != socket.ErrWouldBlock {
			if err == nil {
				outcome.list, err = found(handle, elements, &h)
			}
			return C.RSPGO_ENDED, err
		}
		return started(start(ask{"rsp_getaddrinfo", handle, h}, findLimit(r, &h), func(ctx context.Context, c *completion) error {
			elements, err := r.Resolve(ctx, handle, query(&h))
			if err != nil {
				return err
			}
			block, err := found(handle, elements, &h)
			c.result, c.undo = block, func() { C.free(block) }
			return err
		}))
	}))
}

//export rspgo_join
func rspgo_join(pool unsafe.Pointer, n C.size_t, where *C.struct_rspgo_where, info *C.struct_rspgo_loadinfo, space *C.struct_rspgo_error) C.int {
	handle, as := handleOf(pool, n), *info
	return C.int(call(space, "rsp_pe_registration", func() (int64, error) {
		r, err := registration(info)
		if err != nil {
			return 0, err
		}
		at, err := transportOf(where)
		if err != nil {
			return 0, err
		}
		cfg, err := config()
		if err != nil {
			return 0, err
		}
		return started(start(ask{"rsp_pe_registration", handle, entering{fmt.Sprint(at), as}}, beyond(*cfg.WaitForPool), func(ctx context.Context, c *completion) error {
			id, made, err := basic.join(ctx, cfg, handle, at, r)
			c.result = id
			if made {
				c.undo = func() { basic.undo(socket.Name{Pool: handle, PE: id}) }
			}
			return err
		}))
	}))
}

// entering is what one call of rsp_pe_registration asks for, besides the pool.
type entering struct {
	at string
	as C.struct_rspgo_loadinfo
}

//export rspgo_about
func rspgo_about(what C.int, pool unsafe.Pointer, n C.size_t, id C.uint32_t, space *C.struct_rspgo_error) C.int {
	name, function := socket.Name{Pool: handleOf(pool, n), PE: socket.PEID(id)}, "rsp_pe_deregistration"
	if what == C.RSPGO_FAILED {
		function = "rsp_pe_failure"
	}
	return C.int(call(space, function, func() (int64, error) {
		return started(start(ask{function, name.Pool, name.PE}, controlLimit, func(ctx context.Context, _ *completion) error {
			if what != C.RSPGO_FAILED {
				return basic.leave(ctx, name)
			}
			r, err := basic.resolve()
			if err != nil {
				return err
			}
			return r.Failed(ctx, name.Pool, name.PE)
		}))
	}))
}

func handleOf(pool unsafe.Pointer, n C.size_t) string {
	return string(unsafe.Slice((*byte)(pool), int(n)))
}
