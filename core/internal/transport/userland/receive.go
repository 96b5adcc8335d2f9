package userland

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

const (
	// readBatch is the number of datagrams one system call may bring.
	readBatch = 16
	// datagram is the largest UDP payload; a smaller buffer would lose what
	// peers on loopback send (SCTP-1-06).
	datagram = 65535
)

// inbox is room for a batch of datagrams. Inboxes are shared by all endpoints
// of the process: one that waits holds none.
type inbox struct {
	msgs   mmsg
	iovecs []unix.Iovec
	buffer []byte
	packet sctp.Packet // what packets gives to its visitor
}

var inboxes = sync.Pool{New: func() any {
	in := &inbox{msgs: newMmsg(readBatch), iovecs: make([]unix.Iovec, readBatch), buffer: make([]byte, readBatch*datagram)}
	for i := range in.iovecs {
		in.iovecs[i].Base = &in.buffer[i*datagram]
		in.iovecs[i].SetLen(datagram)
		in.msgs.headers[i].Iov = &in.iovecs[i]
		in.msgs.headers[i].SetIovlen(1)
	}
	return in
}}

// receiver reads datagrams in batches.
type receiver struct {
	s     *socket
	in    *inbox                // nil while waiting
	try   func(fd uintptr) bool // readOnce, made once because a method value is allocated
	waits int
	n     int
	errno unix.Errno
}

func (r *receiver) init(s *socket) { r.s, r.try = s, r.readOnce }

// read waits for datagrams or errors. It returns false when the socket is
// closed; troubled says that the error queue is worth a look.
func (r *receiver) read() (n int, troubled, ok bool) {
	r.waits = 0
	if err := r.s.conn.Read(r.try); err != nil {
		r.release()
		return 0, false, false
	}
	return r.n, r.errno != 0, true
}

// readOnce returns false to be called again when the socket is readable. A
// second EAGAIN means that it was woken without a datagram: by an entry in the
// error queue whose error a send has consumed.
func (r *receiver) readOnce(fd uintptr) bool {
	if r.in == nil {
		r.in = inboxes.Get().(*inbox)
	}
	for i := range r.in.msgs.headers {
		h := &r.in.msgs.headers[i]
		h.Namelen = uint32(len(r.in.msgs.names[i]))
		h.SetControllen(controlSize)
	}
	r.n, r.errno = r.in.msgs.call(unix.SYS_RECVMMSG, fd, 0, readBatch)
	if r.errno != 0 && r.errno != unix.EAGAIN {
		// The system tells of an error before it gives the datagrams that came
		// earlier, and they matter more: an ABORT says why nobody is there now.
		var failed unix.Errno
		if r.n, failed = r.in.msgs.call(unix.SYS_RECVMMSG, fd, 0, readBatch); failed == 0 {
			return true
		}
	}
	if r.errno == 0 {
		return true
	}
	r.n = 0
	r.release()
	r.waits++
	return r.errno != unix.EAGAIN || r.waits > 1
}

func (r *receiver) release() {
	if r.in != nil {
		inboxes.Put(r.in)
		r.in = nil
	}
}

// packets calls visit with each SCTP packet of datagram i: several where the
// system has coalesced them (UDP_GRO). It returns false if the datagram is of
// no use.
func (r *receiver) packets(i int, visit func(*sctp.Packet)) bool {
	in := r.in
	h := &in.msgs.headers[i]
	if h.Flags&unix.MSG_TRUNC != 0 {
		return false
	}
	p := &in.packet
	*p = sctp.Packet{Peer: in.msgs.names[i].get(), Local: r.s.local.Addr()}
	segment := int(h.length)
	control := in.msgs.controls[i][:min(int(h.Controllen), controlSize)]
	for len(control) >= unix.SizeofCmsghdr {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if int(c.Len) < unix.SizeofCmsghdr || int(c.Len) > len(control) {
			break
		}
		data := control[unix.CmsgLen(0):c.Len]
		switch {
		case c.Level == unix.IPPROTO_IP && c.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			p.Local = netip.AddrFrom4([4]byte(data[8:12])) // ipi_addr
		case c.Level == unix.IPPROTO_IPV6 && c.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			p.Local = withZone(netip.AddrFrom16([16]byte(data[:16])), binary.NativeEndian.Uint32(data[16:]))
		case c.Level == unix.IPPROTO_UDP && c.Type == unix.UDP_GRO && len(data) >= 4:
			segment = int(binary.NativeEndian.Uint32(data))
		}
		control = control[min(unix.CmsgSpace(len(data)), len(control)):]
	}
	if segment <= 0 || p.Local.IsUnspecified() {
		return false
	}
	for data := in.buffer[i*datagram:][:h.length]; len(data) > 0; data = data[len(p.Data):] {
		p.Data = data[:min(segment, len(data))]
		visit(p)
	}
	return true
}
