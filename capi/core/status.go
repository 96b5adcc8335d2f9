package main

// #include "rserpool.h"
import "C"

import (
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// status is reading RSP_STATUS. It returns the size of what it writes.
func (d *descriptor) status(session socket.SessionID, room []byte) (size int, err error) {
	if size = int(C.sizeof_struct_rsp_status); len(room) < size {
		return 0, failf(unix.EINVAL, "RSP_STATUS: there is room for %d bytes; struct rsp_status has %d", len(room), size)
	}
	session, err = d.named(session)
	if err != nil {
		return 0, err
	}
	st, err := d.sock.Stats(session)
	if err != nil {
		return 0, err
	}
	out := (*C.struct_rsp_status)(unsafe.Pointer(&room[0]))
	clear(room[:size])
	fill(out, &st)
	if len(st.Addrs) > 0 {
		peer := room[unsafe.Offsetof(out.peer):][:unsafe.Sizeof(out.peer)]
		copy(peer, formatAddress(st.Addrs[0], d.domain))
	}
	return size, nil
}

func fill(out *C.struct_rsp_status, st *socket.SessionStats) {
	out.session, out.state, out.transport = C.uint32_t(st.ID), C.uint32_t(st.State), transportNumber(st.Transport)
	out.pe_id, out.peer_addrs, out.failovers = C.uint32_t(st.Peer.PE), number32(len(st.Addrs)), number32(st.Failovers)
	out.rtt, out.rto, out.mtu = microseconds(st.RTT), microseconds(st.RTO), number32(st.MTU)
	out.uncovered = number32(st.Uncovered)
	out.send_messages, out.recv_messages = number32(st.Sending.Messages), number32(st.Receiving.Messages)
	out.send_bytes, out.recv_bytes = C.uint64_t(st.Sending.Bytes), C.uint64_t(st.Receiving.Bytes)
	out.retransmissions = C.uint64_t(st.Retransmissions)
}

func transportNumber(kind string) C.uint32_t {
	switch kind {
	case "userland":
		return C.RSP_TRANSPORT_USERLAND
	case "kernel":
		return C.RSP_TRANSPORT_KERNEL
	}
	return 0
}

func number32(n int) C.uint32_t { return C.uint32_t(min(n, math.MaxUint32)) }

func microseconds(d time.Duration) C.uint32_t { return number32(int(d.Microseconds())) }
