package main

// #include "../abi.h"
import "C"

import (
	"net/netip"
	"unsafe"

	"github.com/librserpool/librserpool/core/rserpool"
)

// localAddrs is rsp_getlocaladdrs.
func (d *descriptor) localAddrs(session rserpool.SessionID) ([]netip.AddrPort, error) {
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
func (d *descriptor) peerAddrs(session rserpool.SessionID) ([]netip.AddrPort, error) {
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
		found, err := find(d, rserpool.SessionID(session))
		if err != nil {
			return 0, err
		}
		*n = C.size_t(writeAddresses(unsafe.Slice((*byte)(addrs), int(min(*n, maxBuffer))), found, d.domain))
		return int64(len(found)), nil
	}))
}
