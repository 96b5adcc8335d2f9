package main

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

func forHints[A, T, R any](func(A, *T) R) *T { return new(T) }

// TestElementsOfTheProcess: an element has one name and one place, and one caller at a
// time; what the process did not register it cannot deregister.
func TestElementsOfTheProcess(t *testing.T) {
	d := directory{members: map[socket.Name]*member{}}
	name := socket.Name{Pool: "pool", PE: 5}
	at := socket.Transport{Protocol: socket.TCP, Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7")}}
	wantErrno(t, d.leave(t.Context(), name), unix.ENOTCONN)
	m, err := d.claim(name, at)
	if err != nil {
		t.Fatal(err)
	}
	m.busy = true
	_, err = d.claim(name, at)
	wantErrno(t, err, unix.EALREADY)
	wantErrno(t, d.leave(t.Context(), name), unix.EALREADY)
	if d.members[name] != m {
		t.Error("who is busy was removed")
	}
	d.release(m)
	for _, change := range []func(*socket.Transport){
		func(a *socket.Transport) { a.Protocol = socket.UDP },
		func(a *socket.Transport) { a.ServiceCode = 1 },
		func(a *socket.Transport) { a.Addrs = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:8")} },
	} {
		other := at
		change(&other)
		_, err = d.claim(name, other)
		wantErrno(t, err, unix.EEXIST)
	}
	again, err := d.claim(name, at)
	if again != m || err != nil || !m.busy {
		t.Errorf("claimed again: %v, %v", again, err)
	}
	for range 2 { // without a name of their own there may be many
		if m, err := d.claim(socket.Name{Pool: "pool"}, at); err != nil || m.Member != nil {
			t.Errorf("a new one: %v, %v", m, err)
		}
	}
	if len(d.members) != 1 {
		t.Errorf("%d elements", len(d.members))
	}
}

// TestHints: what rsp_getaddrinfo can be asked, and how long it takes at most.
func TestHints(t *testing.T) {
	wait := 4 * time.Second
	r, err := socket.NewResolver(&socket.Options{Config: socket.Config{WaitForPool: &wait}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h := forHints(findLimit)
	check := func(errno unix.Errno) {
		t.Helper()
		if err := checkHints(h); errno != 0 {
			wantErrno(t, err, errno)
		} else if err != nil {
			t.Error(err)
		}
		clean := forHints(findLimit)
		*h = *clean
	}
	check(0)
	h.family = unix.AF_INET
	check(0)
	h.family = unix.AF_INET6
	check(0)
	h.family = unix.AF_UNIX
	check(unix.EAFNOSUPPORT)
	h.stale, h.wait = -1, -1
	check(0)
	h.stale = -2
	check(unix.EINVAL)
	h.timeout = -1
	check(unix.EINVAL)
	h.wait = -2
	check(unix.EINVAL)
	h.protocol = 1
	check(unix.EPROTONOSUPPORT)
	limit := func(want time.Duration) {
		t.Helper()
		if got := findLimit(r, h); got != want {
			t.Errorf("it takes %v at most, want %v", got, want)
		}
	}
	limit(34 * time.Second)
	h.wait = 1500
	limit(31500 * time.Millisecond)
	h.wait = -1
	limit(math.MaxInt64)
	h.timeout = 700
	limit(700 * time.Millisecond)
}

// listed is struct rsp_addrinfo.
type listed struct {
	flags, family, socktype, protocol int32
	addrlen, addrs                    uint32
	addr                              unsafe.Pointer
	next                              *listed
	id, service                       uint32
	reserved                          [6]uint32
}

// TestList: the list for the program has every element with all its addresses, in their
// order, and what it points to lies within its one piece of memory, in line.
func TestList(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("[2001:db8::1]:8")
	ps, err := places("pool", []socket.Element{
		{ID: 1, Transport: socket.SCTP, Addrs: []netip.AddrPort{six, four}},
		{ID: 2, Transport: socket.DCCP, ServiceCode: 9, Addrs: []netip.AddrPort{four}},
		{ID: 3, Transport: socket.SCTP, Addrs: []netip.AddrPort{six, six, six}},
	}, unix.AF_UNSPEC, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for socktype, types := range map[int][]int32{0: {unix.SOCK_SEQPACKET, unix.SOCK_DCCP, unix.SOCK_SEQPACKET}, 1: {1, 1, 1}} {
		block, err := list(ps, socktype)
		if err != nil {
			t.Fatal(err)
		}
		n := (*listed)(block)
		for i, p := range ps {
			want := listed{
				family: int32(familyOf(p.addrs[0].Addr())), socktype: types[i], protocol: int32(p.protocol), addrlen: uint32(sockaddrSize(p.addrs[0])),
				addrs: uint32(len(p.addrs)), addr: n.addr, next: n.next, id: uint32(p.element.ID), service: p.element.ServiceCode,
			}
			if *n != want {
				t.Errorf("element %d: %+v, want %+v", i, *n, want)
			}
			if got, err := readAddresses(n.addr, len(p.addrs), unix.AF_INET6); err != nil || !slices.Equal(got, p.addrs) || uintptr(n.addr)%8 != 0 {
				t.Errorf("element %d is at %v (%p), %v", i, got, n.addr, err)
			}
			if (n.next == nil) != (i == len(ps)-1) {
				t.Fatalf("behind element %d: %p", i, n.next)
			}
			n = n.next
		}
	}
}

// TestTransportOf: where an element serves, as rsp_pe_registration is told.
func TestTransportOf(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("[2001:db8::1]:7")
	var b []byte
	for range 33 {
		b = appendSockaddr(appendSockaddr(b, four), six)
	}
	nowhere := appendSockaddr(nil, netip.MustParseAddrPort("192.0.2.1:0"))
	w := forLoad(transportOf)
	for _, c := range []struct {
		socktype, protocol int
		addrs, addrlen     uint32
		at                 *byte
		want               int // addresses
		errno              unix.Errno
	}{
		{0, 0, 1, 16, &b[0], 0, unix.EPROTONOSUPPORT},
		{unix.SOCK_STREAM, 0, 1, 16, &b[0], 1, 0},
		{unix.SOCK_STREAM, 0, 0, 16, &b[0], 1, 0},
		{unix.SOCK_STREAM, 0, 1, 15, &b[0], 0, unix.EINVAL},
		{unix.SOCK_STREAM, 0, 1, 40, &b[0], 1, 0},
		{unix.SOCK_STREAM, 0, 2, 16, &b[0], 0, unix.EINVAL},
		{0, unix.IPPROTO_SCTP, 2, 16, &b[0], 2, 0},
		{0, unix.IPPROTO_SCTP, 64, 16, &b[0], 64, 0},
		{0, unix.IPPROTO_SCTP, 65, 16, &b[0], 0, unix.EINVAL},
		{0, unix.IPPROTO_SCTP, 1, 16, &nowhere[0], 0, unix.EINVAL},
		{unix.SOCK_RAW, 0, 1, 16, &b[0], 0, unix.ESOCKTNOSUPPORT},
	} {
		where := *w
		*(*int32)(unsafe.Pointer(&where.socktype)), *(*int32)(unsafe.Pointer(&where.protocol)) = int32(c.socktype), int32(c.protocol)
		*(*uint32)(unsafe.Pointer(&where.addrs)), *(*uint32)(unsafe.Pointer(&where.addrlen)) = c.addrs, c.addrlen
		where.service, where.addr = 9, unsafe.Pointer(c.at)
		got, err := transportOf(&where)
		if c.errno != 0 {
			wantErrno(t, err, c.errno)
			continue
		}
		if err != nil || got.ServiceCode != 9 || len(got.Addrs) != c.want || got.Addrs[0] != four || c.want > 1 && got.Addrs[c.want-1] != six {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}
