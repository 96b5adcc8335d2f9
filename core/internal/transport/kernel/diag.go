package kernel

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Offsets and numbers of linux/sock_diag.h, linux/inet_diag.h and struct
// sctp_info.
const (
	sockDiagByFamily = 20
	diagRequestSize  = unix.SizeofNlMsghdr + 56 // struct inet_diag_req_v2
	diagMessageSize  = 72                       // struct inet_diag_msg
	diagInfo         = 2                        // INET_DIAG_INFO
	diagWriteQueue   = 60                       // idiag_wqueue
	infoOutqueue     = 28
	infoFlight       = 336
	infoErrors       = 340
	infoSize         = 344
)

// details is what the kernel tells by no option of a socket.
type details struct {
	queued int // bytes, with the kernel's bookkeeping
	unsent int // DATA chunks
	flight int // bytes on the primary path
	errors int // of the primary path
}

// noDiag says that the kernel lacks its module sctp_diag: asking again would
// make it look for it again.
var noDiag atomic.Bool

// diagnose asks for the details of the association between two addresses.
// Its error is ENOENT if there is none, or no module.
func diagnose(local, peer netip.AddrPort) (d details, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return d, err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, diagRequest(local, peer), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return d, err
	}
	answer := make([]byte, 8<<10)
	n, _, err := unix.Recvfrom(fd, answer, unix.MSG_DONTWAIT) // it is there when the request has been made
	if err != nil {
		return d, err
	}
	return parseDetails(answer[:n])
}

func diagRequest(local, peer netip.AddrPort) []byte {
	b := make([]byte, diagRequestSize)
	native.PutUint32(b, diagRequestSize)
	native.PutUint16(b[4:], sockDiagByFamily)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[unix.SizeofNlMsghdr:]
	r[0], r[1], r[2] = unix.AF_INET6, unix.IPPROTO_SCTP, 1<<(diagInfo-1)
	if peer.Addr().Is4() {
		r[0] = unix.AF_INET
	}
	binary.BigEndian.PutUint16(r[8:], local.Port())
	binary.BigEndian.PutUint16(r[10:], peer.Port())
	copy(r[12:28], local.Addr().AsSlice())
	copy(r[28:44], peer.Addr().AsSlice())
	native.PutUint64(r[48:], ^uint64(0)) // no cookie
	return b
}

func parseDetails(b []byte) (d details, err error) {
	if len(b) < unix.SizeofNlMsghdr+4 || int(native.Uint32(b)) > len(b) || native.Uint32(b) < unix.SizeofNlMsghdr+4 {
		return d, unix.EBADMSG
	}
	kind, body := native.Uint16(b[4:]), b[unix.SizeofNlMsghdr:native.Uint32(b)]
	switch {
	case kind == unix.NLMSG_ERROR:
		return d, unix.Errno(-int32(native.Uint32(body)))
	case kind != sockDiagByFamily || len(body) < diagMessageSize:
		return d, unix.EBADMSG
	}
	d.queued = int(native.Uint32(body[diagWriteQueue:]))
	for attrs := body[diagMessageSize:]; len(attrs) >= 4; {
		size := int(native.Uint16(attrs))
		if size < 4 || size > len(attrs) {
			break
		}
		if info := attrs[4:size]; native.Uint16(attrs[2:]) == diagInfo && len(info) >= infoSize {
			d.unsent, d.flight = int(native.Uint32(info[infoOutqueue:])), int(native.Uint32(info[infoFlight:]))
			d.errors = int(native.Uint16(info[infoErrors:]))
			return d, nil
		}
		attrs = attrs[min((size+3)&^3, len(attrs)):]
	}
	return d, unix.EBADMSG
}
