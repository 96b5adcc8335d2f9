package main

// #include "abi.h"
import "C"

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// readAddresses reads addresses that lie one behind the other, for a socket of the
// given domain.
func readAddresses(at unsafe.Pointer, count, domain int) (addrs []netip.AddrPort, err error) {
	for range count {
		a, size, err := readAddress(at, 0)
		if err != nil {
			return nil, err
		}
		if domain == unix.AF_INET && !a.Addr().Is4() {
			return nil, failf(unix.EAFNOSUPPORT, "%v is no IPv4 address; a socket of AF_INET6 takes both kinds", a.Addr())
		}
		addrs, at = append(addrs, a), unsafe.Add(at, size)
	}
	return addrs, nil
}

// bind is rsp_bind and rsp_bindx.
func (d *descriptor) bind(addrs ...netip.AddrPort) error {
	if d.conn != nil {
		return failf(unix.EINVAL, "the socket is a session that rsp_accept returned, and has its address")
	}
	return d.sock.Bind(addrs...)
}

//export rspgo_bindx
func rspgo_bindx(ino C.uint64_t, addrs unsafe.Pointer, count C.int, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_bindx", func(d *descriptor) (int64, error) {
		as, err := readAddresses(addrs, int(count), d.domain)
		if err != nil {
			return 0, err
		}
		return 0, d.bind(as...)
	}))
}

// localAddrs is rsp_getlocaladdrs.
func (d *descriptor) localAddrs(session socket.SessionID) ([]netip.AddrPort, error) {
	session, err := d.named(session)
	switch {
	case err != nil:
		return nil, err
	case session != 0:
		local, _, err := d.sock.SessionAddrs(session)
		return local, err
	}
	if local := d.sock.LocalAddrs(); len(local) > 0 {
		return local, nil
	}
	return []netip.AddrPort{noAddress(d.domain)}, nil
}

// peerAddrs is rsp_getpeeraddrs.
func (d *descriptor) peerAddrs(session socket.SessionID) ([]netip.AddrPort, error) {
	session, err := d.named(session)
	if err != nil {
		return nil, err
	}
	_, peer, err := d.sock.SessionAddrs(session)
	return peer, err
}

// writeAddresses puts as many addresses into room as it holds whole, and returns
// the length of all of them.
func writeAddresses(room []byte, addrs []netip.AddrPort, domain int) (length int) {
	for _, a := range addrs {
		b := formatAddress(a, domain)
		if length += len(b); length <= len(room) {
			copy(room[length-len(b):], b)
		}
	}
	return length
}

//export rspgo_addresses
func rspgo_addresses(ino C.uint64_t, session C.uint32_t, peer C.int, addrs unsafe.Pointer, n *C.size_t, space *C.struct_rspgo_error) C.int {
	function, find := "rsp_getlocaladdrs", (*descriptor).localAddrs
	if peer != 0 {
		function, find = "rsp_getpeeraddrs", (*descriptor).peerAddrs
	}
	return C.int(onSocket(ino, space, function, func(d *descriptor) (int64, error) {
		found, err := find(d, socket.SessionID(session))
		if err != nil {
			return 0, err
		}
		*n = C.size_t(writeAddresses(unsafe.Slice((*byte)(addrs), int(min(*n, maxBuffer))), found, d.domain))
		return int64(len(found)), nil
	}))
}
