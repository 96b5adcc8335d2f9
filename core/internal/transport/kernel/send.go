package kernel

import (
	"encoding/binary"
	"net"
	"sync"
	"unsafe"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// chunkMemory is less than what the kernel counts for the smallest message that
// is queued: two of its structures.
const chunkMemory = 256

// message is one sendmsg.
type message struct {
	header  unix.Msghdr
	iovec   unix.Iovec
	control [64]byte
	try     func(fd uintptr) // send, made once because a method value is allocated
	errno   unix.Errno
}

var messages = sync.Pool{New: func() any {
	m := &message{}
	m.try = m.send
	return m
}}

func (m *message) send(fd uintptr) {
	for {
		_, _, m.errno = unix.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&m.header)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if m.errno != unix.EINTR {
			return
		}
	}
}

// fill lays out data and information for sendmsg.
func (m *message) fill(b []byte, id assoc.ID, stream, flags uint16, ppid, context, lifetime uint32) {
	m.iovec.Base = unsafe.SliceData(b)
	m.iovec.SetLen(len(b))
	m.header = unix.Msghdr{Iov: &m.iovec, Control: &m.control[0]}
	m.header.SetIovlen(1)
	data, used := m.add(0, sctp.SCTP_CMSG_SNDINFO, 16)
	native.PutUint16(data, stream)
	native.PutUint16(data[2:], flags)
	binary.BigEndian.PutUint32(data[4:], ppid)
	native.PutUint32(data[8:], context)
	native.PutUint32(data[12:], uint32(id))
	if lifetime != 0 {
		data, used = m.add(used, cmsgPrInfo, 8)
		native.PutUint16(data, prTTL)
		native.PutUint32(data[4:], lifetime)
	}
	m.header.SetControllen(used)
}

// add adds a control message and returns its zeroed data and the new length.
func (m *message) add(used int, kind int32, size int) (data []byte, newUsed int) {
	space := unix.CmsgSpace(size)
	clear(m.control[used : used+space])
	h := (*unix.Cmsghdr)(unsafe.Pointer(&m.control[used]))
	h.Level, h.Type = unix.IPPROTO_SCTP, kind
	h.SetLen(unix.CmsgLen(size))
	return m.control[used+unix.CmsgLen(0) : used+unix.CmsgLen(size)], used + space
}

// sendControl ends an association: flags are flagEOF or flagAbort, whose reason
// is b.
func sendControl(fd uintptr, id assoc.ID, flags uint16, b []byte) error {
	m := messages.Get().(*message)
	defer m.free()
	m.fill(b, id, 0, flags, 0, 0, 0)
	if m.send(fd); m.errno != 0 {
		return m.errno
	}
	return nil
}

func (m *message) free() {
	m.iovec.Base = nil
	messages.Put(m)
}

// Send implements transport.Endpoint.
func (e *Endpoint) Send(b []byte, info *assoc.SendInfo) error {
	a, s, context, err := e.admit(b, info)
	if err != nil {
		return err
	}
	m := messages.Get().(*message)
	defer m.free()
	flags := uint16(0)
	if info.Unordered {
		flags |= flagUnordered
	}
	if info.SackNow {
		flags |= flagSackNow
	}
	m.fill(b, info.Assoc, info.Stream, flags, info.PPID, context, milliseconds(info.Lifetime))
	for {
		if closed := s.conn.Control(m.try); closed != nil {
			m.errno = unix.EBADF
		}
		switch m.errno {
		case 0:
			return nil
		case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
			if s == e.main && e.makeRoom() {
				if s, err = e.socketOf(a); err != nil {
					return err
				}
				continue
			}
			e.block(a)
			return assoc.ErrWouldBlock
		case unix.EPIPE, unix.ENOTCONN, unix.ECONNRESET, unix.ECONNABORTED, unix.ECONNREFUSED, unix.ETIMEDOUT, unix.EBADF:
			if s, err = e.whereabouts(a, s); err != nil {
				return err
			}
			continue
		}
		return translate(m.errno)
	}
}

// whereabouts returns the socket of an association that the kernel did not know
// on the one where it was looked for: it may have been peeled off meanwhile. If
// not it has ended, although that has not been read yet.
func (e *Endpoint) whereabouts(a *association, not *socket) (*socket, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, net.ErrClosed
	case e.assocs[a.id] != a || a.sock == not:
		return nil, assoc.ErrNotConnected
	}
	return a.sock, nil
}

// admit checks a message before the kernel gets it, and returns the number by
// which the kernel hands it back.
func (e *Endpoint) admit(b []byte, info *assoc.SendInfo) (a *association, s *socket, context uint32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err = e.lookup(info.Assoc)
	switch {
	case err != nil:
		return nil, nil, 0, err
	case a.closing:
		return nil, nil, 0, assoc.ErrPipe
	case len(b) == 0:
		return nil, nil, 0, assoc.ErrInvalid
	case a.maxMessage > 0 && len(b) > a.maxMessage:
		return nil, nil, 0, assoc.ErrMessageSize
	}
	if a.contexts.full() {
		_ = a.sock.control(func(fd uintptr) error {
			a.contexts.trim(queued(fd)/chunkMemory + 1)
			return nil
		})
	}
	a.early = a.early || !a.up
	return a, a.sock, a.contexts.key(info.Context), nil
}

// block notes an association whose next message has to wait for room.
func (e *Endpoint) block(a *association) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.sock == e.main {
		e.blocked = append(e.blocked, a.id)
		signal(e.full)
		return
	}
	if !a.waiting {
		a.waiting = true
		go e.awaitOwnRoom(a, a.sock)
	}
}

// awaitOwnRoom calls the writable hook for an association that was peeled off.
func (e *Endpoint) awaitOwnRoom(a *association, s *socket) {
	if s.awaitRoom() != nil {
		return // it has ended
	}
	e.mu.Lock()
	a.waiting = false
	e.mu.Unlock()
	e.hook(func() { e.writable(a.id) })
}
