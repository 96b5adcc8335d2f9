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
	used   int         // messages that the last call filled
}

var inboxes = sync.Pool{New: func() any {
	in := &inbox{msgs: newMmsg(readBatch), iovecs: make([]unix.Iovec, readBatch), buffer: make([]byte, readBatch*datagram), used: readBatch}
	for i := range in.iovecs {
		in.iovecs[i].Base = &in.buffer[i*datagram]
		in.iovecs[i].SetLen(datagram)
		in.msgs.headers[i].Iov = &in.iovecs[i]
		in.msgs.headers[i].SetIovlen(1)
	}
	return in
}}

// receiver reads datagrams in batches. It calls take with each of n datagrams;
// troubled says that the error queue is worth a look. take returns false when
// the endpoint is dead.
type receiver struct {
	s      *socket
	in     *inbox // nil while waiting
	take   func(n int, troubled bool) (alive bool)
	failed bool // the system said so
	more   bool // the socket may not be empty

	// Made once because a method value is allocated.
	drain, visit func(fd uintptr) bool
}

func (r *receiver) init(s *socket) {
	r.s = s
	r.drain = r.readAll
	r.visit = func(fd uintptr) bool {
		r.readOnce(fd)
		return true
	}
}

// run reads until the endpoint is dead or the socket is closed.
//
// All of it is one read as far as the runtime is concerned: between two of them
// it would forget that the socket became readable, and so there would have to
// be a system call for each message that only says that no more have come.
func (r *receiver) run() error {
	defer r.release()
	return r.s.conn.Read(r.drain)
}

// readAll reads until the socket is empty. It returns false to be called again
// when there is something to read.
func (r *receiver) readAll(fd uintptr) (done bool) {
	for alive := true; alive; {
		if alive = r.readOnce(fd); alive && !r.more {
			r.release()
			return false
		}
	}
	return true
}

// readNext reads a batch into in, and says whether there may be more. failed
// says that the system reports an error.
func (r *receiver) readNext(in *inbox, failed bool) (more bool) {
	r.in, r.failed, r.more = in, failed, false
	_ = r.s.conn.Read(r.visit)
	r.in = nil
	return r.more
}

// readOnce reads a batch.
//
// One that is not full shows that the socket is empty. Could a datagram be
// behind an error that came in the middle of the batch? The system tells of an
// error before it gives any datagram, so this one came after the call began,
// hence after the last time that it was asked to wait: it will not wait.
func (r *receiver) readOnce(fd uintptr) (alive bool) {
	n, errno := r.read(fd)
	troubled := r.failed || errno != 0 && errno != unix.EAGAIN
	r.failed = false
	if errno != 0 && errno != unix.EAGAIN {
		// What came before the error matters more: an ABORT says why nobody is
		// there now.
		n, _ = r.read(fd)
	}
	r.more = n == readBatch || troubled
	return n == 0 && !troubled || r.take(n, troubled)
}

// read reads a batch.
func (r *receiver) read(fd uintptr) (n int, errno unix.Errno) {
	if r.in == nil {
		r.in = inboxes.Get().(*inbox)
	}
	for i := range r.in.used {
		h := &r.in.msgs.headers[i]
		h.Namelen = uint32(len(r.in.msgs.names[i]))
		h.SetControllen(controlSize)
	}
	r.in.used = 0
	if n, errno = r.in.msgs.receive(fd); errno != 0 {
		n = 0
	}
	r.in.used = n
	return n, errno
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
