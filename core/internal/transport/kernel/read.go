package kernel

import (
	"encoding/binary"
	"net"
	"unsafe"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// reader is one recvmsg.
type reader struct {
	try     func(fd uintptr) // receive, made once because a method value is allocated
	header  unix.Msghdr
	iovec   unix.Iovec
	name    [unix.SizeofSockaddrInet6]byte
	control [128]byte

	n     int
	errno unix.Errno
}

func (r *reader) init() { r.try = r.receive }

func (r *reader) receive(fd uintptr) {
	for {
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.header)), unix.MSG_DONTWAIT)
		if errno != unix.EINTR {
			r.n, r.errno = int(n), errno
			return
		}
	}
}

// maxTrouble bounds the errors that are passed over at a time.
const maxTrouble = 100

// read reads once into b. An error of an association that the kernel also
// keeps for the socket (ECONNREFUSED, ETIMEDOUT and the like) is returned once
// and means nothing here.
func (e *Endpoint) read(s *socket, b []byte) (n int, notification, whole bool, err error) {
	r := &e.reader
	for range maxTrouble {
		r.iovec.Base = unsafe.SliceData(b)
		r.iovec.SetLen(len(b))
		r.header = unix.Msghdr{Name: &r.name[0], Namelen: uint32(len(r.name)), Iov: &r.iovec, Control: &r.control[0]}
		r.header.SetIovlen(1)
		r.header.SetControllen(len(r.control))
		closed := s.conn.Control(r.try)
		r.iovec.Base = nil
		switch {
		case closed != nil || r.errno == unix.EBADF:
			return 0, false, false, net.ErrClosed
		case r.errno == 0 && r.n > 0:
			return r.n, r.header.Flags&sctp.MSG_NOTIFICATION != 0, r.header.Flags&unix.MSG_EOR != 0, nil
		case r.errno == unix.EAGAIN || r.errno == 0:
			return 0, false, false, assoc.ErrWouldBlock
		}
	}
	return 0, false, false, assoc.ErrWouldBlock
}

// describe fills info for the message, or the piece of one, that was read.
func (r *reader) describe(info *assoc.RecvInfo, whole bool) {
	*info = assoc.RecvInfo{Kind: assoc.Message, More: !whole}
	info.From, _ = parseAddr(r.name[:min(int(r.header.Namelen), len(r.name))])
	control := r.control[:min(int(r.header.Controllen), len(r.control))]
	for len(control) >= unix.SizeofCmsghdr {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if int(c.Len) < unix.SizeofCmsghdr || int(c.Len) > len(control) {
			return
		}
		data := control[unix.CmsgLen(0):c.Len]
		if c.Level == unix.IPPROTO_SCTP && c.Type == sctp.SCTP_CMSG_RCVINFO && len(data) >= 28 {
			info.Stream, info.SSN = native.Uint16(data), native.Uint16(data[2:])
			info.Unordered = native.Uint16(data[4:])&flagUnordered != 0
			info.PPID = binary.BigEndian.Uint32(data[8:])
			info.Assoc = assoc.ID(native.Uint32(data[24:]))
		}
		control = control[min(unix.CmsgSpace(len(data)), len(control)):]
	}
}

// starve says that all has been read.
func (e *Endpoint) starve() {
	if e.stalls == 0 {
		signal(e.hungry)
	}
	if e.peeled.hungry != nil {
		signal(e.peeled.hungry)
	}
}

// Recv implements transport.Endpoint.
func (e *Endpoint) Recv(b []byte, info *assoc.RecvInfo) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return e.inbox.leftover(b, info)
	}
	n, err = e.next(b, info)
	if err == assoc.ErrWouldBlock {
		e.starve()
	}
	return n, err
}
