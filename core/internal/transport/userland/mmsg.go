package userland

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	unix.Msghdr
	length uint32
}

// controlSize holds a packet-info, a class and a segment-size message of either
// family.
const controlSize = 96

// mmsg is a batch of messages for one system call. Its arrays point into each
// other, so it stays where it is.
type mmsg struct {
	headers  []mmsghdr
	names    []sockaddr
	controls [][controlSize]byte
}

func newMmsg(n int) mmsg {
	m := mmsg{make([]mmsghdr, n), make([]sockaddr, n), make([][controlSize]byte, n)}
	for i := range m.headers {
		m.headers[i].Name = &m.names[i][0]
		m.headers[i].Control = &m.controls[i][0]
	}
	return m
}

// receive runs recvmmsg on all messages.
func (m *mmsg) receive(fd uintptr) (n int, errno unix.Errno) {
	return rawSyscall(unix.SYS_RECVMMSG, fd, unsafe.Pointer(&m.headers[0]), uintptr(len(m.headers)), unix.MSG_DONTWAIT, nil, 0)
}

// send sends messages from to to, and returns how many were taken. For one
// message there are quicker calls. long says that they are so many bytes that
// the runtime should know that the thread is busy.
func (m *mmsg) send(fd uintptr, from, to int, long bool) (n int, errno unix.Errno) {
	h := &m.headers[from]
	switch {
	case long:
		return call(unix.SYS_SENDMMSG, fd, unsafe.Pointer(h), uintptr(to-from), unix.MSG_DONTWAIT, nil, 0)
	case to-from > 1:
		return rawSyscall(unix.SYS_SENDMMSG, fd, unsafe.Pointer(h), uintptr(to-from), unix.MSG_DONTWAIT, nil, 0)
	case h.Iovlen > 1 || h.Controllen > 0:
		_, errno = rawSyscall(unix.SYS_SENDMSG, fd, unsafe.Pointer(&h.Msghdr), unix.MSG_DONTWAIT, 0, nil, 0)
	default:
		_, errno = rawSyscall(unix.SYS_SENDTO, fd, unsafe.Pointer(h.Iov.Base), uintptr(h.Iov.Len), unix.MSG_DONTWAIT, unsafe.Pointer(h.Name), uintptr(h.Namelen))
	}
	return 1, errno
}

// readySockets runs epoll_pwait without waiting.
func readySockets(epoll uintptr, events []unix.EpollEvent) int {
	n, errno := rawSyscall(unix.SYS_EPOLL_PWAIT, epoll, unsafe.Pointer(&events[0]), uintptr(len(events)), 0, nil, 0)
	if errno != 0 {
		return 0
	}
	return n
}

// call runs a system call on a socket that a signal may interrupt.
func call(trap, fd uintptr, a unsafe.Pointer, b, c uintptr, d unsafe.Pointer, e uintptr) (int, unix.Errno) {
	for {
		n, _, errno := unix.Syscall6(trap, fd, uintptr(a), b, c, uintptr(d), e)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// rawSyscall is call for what takes some microseconds. The runtime is not told of
// it: the telling costs, and then it would soon take the thread's work away.
func rawSyscall(trap, fd uintptr, a unsafe.Pointer, b, c uintptr, d unsafe.Pointer, e uintptr) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(trap, fd, uintptr(a), b, c, uintptr(d), e)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// appendControl adds a control message of size bytes to the first used bytes
// of b and returns its zeroed data and the new length.
func appendControl(b []byte, used int, level, kind int32, size int) (data []byte, newUsed int) {
	space := unix.CmsgSpace(size)
	clear(b[used : used+space])
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[used]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return b[used+unix.CmsgLen(0) : used+unix.CmsgLen(size)], used + space
}

// appendClass asks for a differentiated services codepoint.
func appendClass(b []byte, used int, v6 bool, dscp uint8) int {
	level, kind := int32(unix.IPPROTO_IP), int32(unix.IP_TOS)
	if v6 {
		level, kind = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	}
	data, n := appendControl(b, used, level, kind, 4)
	binary.NativeEndian.PutUint32(data, uint32(dscp)<<2) // ECN has the other two bits
	return n
}

// appendSource asks for the source address of a packet (SCTP-5-11).
func appendSource(b []byte, used int, addr netip.Addr) int {
	if addr.Is4() {
		data, n := appendControl(b, used, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		ip := addr.As4()
		copy(data[4:], ip[:]) // ipi_spec_dst
		return n
	}
	data, n := appendControl(b, used, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	ip := addr.As16()
	copy(data, ip[:])
	binary.NativeEndian.PutUint32(data[16:], zoneIndex(addr.Zone()))
	return n
}
