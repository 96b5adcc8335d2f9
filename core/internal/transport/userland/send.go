package userland

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

const (
	// writeBatch is the number of packets one system call may take.
	writeBatch = 64
	// segments and segmentBytes limit what the system cuts up in one go.
	segments     = 64
	segmentBytes = 65000
	// briefBytes is how much a thread sends while the runtime thinks that it
	// runs: what it can send in about as many microseconds as a message of a few
	// bytes takes times writeBatch.
	briefBytes = 64 << 10
)

// sendBatch is a batch of packets on their way to the system. Batches are shared
// by all endpoints of the process.
//
// Packets of one length to one peer that follow each other go through the
// system's stack as one and are cut up at its end (UDP_SEGMENT).
type sendBatch struct {
	packets [writeBatch]sctp.Packet // with their buffers
	msgs    mmsg
	iovecs  [writeBatch]unix.Iovec
	first   [writeBatch + 1]int // index of the first packet of each message

	s        *socket               // the one that is written to
	try      func(fd uintptr) bool // writeAll, made once because a method value is allocated
	run      []sctp.Packet         // what is written
	troubled bool                  // the system reported an error that came with ICMP
	lost     int                   // packets the system did not take
	tooBig   []sctp.Packet         // of these, those that are larger than the path carries

	unroutable []unroutable // and those for which there is no way
}

// unroutable is a packet that the system does not know how to send: without a
// route, or to a link-local address without its interface.
type unroutable struct {
	packet sctp.Packet
	errno  unix.Errno
}

var sendBatches = sync.Pool{New: func() any {
	t := &sendBatch{msgs: newMmsg(writeBatch)}
	t.try = t.writeAll
	return t
}}

// write sends packets, at most writeBatch, in their order. What the system
// refuses is a lost packet (SCTP-5-10); lost counts them. troubled says that
// the error queue is worth a look.
func (t *sendBatch) write(s *socket, packets []sctp.Packet) (lost int, troubled bool) {
	t.s, t.run, t.troubled, t.lost = s, packets, false, 0 // tooBig waits for flush
	if err := s.conn.Write(t.try); err != nil {
		t.lost = len(packets) // closed
	}
	t.s, t.run = nil, nil
	return t.lost, t.troubled
}

func (t *sendBatch) writeAll(fd uintptr) bool {
	for rest := t.run; len(rest) > 0; {
		n := 1
		if rest[0].DontFragment {
			t.s.setFragment(int(fd), true)
			t.submit(fd, rest[:1])
			t.s.setFragment(int(fd), false)
		} else {
			for n < len(rest) && !rest[n].DontFragment {
				n++
			}
			t.submit(fd, rest[:n])
		}
		rest = rest[n:]
	}
	return true
}

// submit sends packets that need the same socket options.
func (t *sendBatch) submit(fd uintptr, packets []sctp.Packet) {
	count := t.arrange(packets)
	bytes := 0
	for i := range packets {
		bytes += len(packets[i].Data)
	}
	retried := -1
	for k := 0; k < count; {
		n, errno := t.msgs.send(fd, k, count, bytes > briefBytes)
		if errno == 0 {
			k += n
			continue
		}
		members := t.first[k+1] - t.first[k]
		switch {
		case members > 1 && (errno == unix.EINVAL || errno == unix.EIO):
			// Segmentation does not work towards this peer, for instance because
			// its packets are larger than the device's MTU.
			t.s.gso = false
			t.submit(fd, packets[t.first[k]:])
			return
		case retried != k && errno != unix.EAGAIN && errno != unix.EMSGSIZE && errno != unix.ENOBUFS:
			// This may be an earlier packet's error, which the system reports once.
			retried = k
			t.troubled = true
		default:
			switch p := packets[t.first[k]]; errno {
			case unix.EMSGSIZE:
				t.tooBig = append(t.tooBig, p)
			case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.EADDRNOTAVAIL, unix.EINVAL:
				t.unroutable = append(t.unroutable, unroutable{p, errno})
			}
			t.lost += members
			k++
		}
	}
}

// arrange builds the messages for packets and returns their number.
func (t *sendBatch) arrange(packets []sctp.Packet) (count int) {
	for i := 0; i < len(packets); count++ {
		p := &packets[i]
		t.first[count] = i
		h := &t.msgs.headers[count]
		h.Namelen = t.msgs.names[count].put(p.Peer)
		h.Iov = &t.iovecs[i]
		n := t.gather(packets[i:], i)
		h.SetIovlen(n)
		i += n

		control := t.msgs.controls[count][:]
		used := 0
		if t.s.wildcard && p.Local.IsValid() {
			used = appendSource(control, used, p.Local)
		}
		if p.DSCP != 0 {
			used = appendClass(control, used, t.s.v6, p.DSCP)
		}
		if n > 1 {
			var data []byte
			data, used = appendControl(control, used, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
			binary.NativeEndian.PutUint16(data, uint16(len(p.Data)))
		}
		h.Control = &control[0]
		if used == 0 {
			h.Control = nil
		}
		h.SetControllen(used)
	}
	t.first[count] = len(packets)
	return count
}

// kernelPort is the UDP port that kernels' SCTP usually has (RFC 6951).
const kernelPort = 9899

// mayCoalesce says whether packets to a peer may travel together on this host.
// Linux (seen with 6.1) crashes when its own SCTP gets such packets from a
// local socket. A kernel has one UDP port for all SCTP ports, so a peer whose
// two ports are the same is none.
func mayCoalesce(p *sctp.Packet) bool {
	port := p.Peer.Port()
	return len(p.Data) > 4 && binary.BigEndian.Uint16(p.Data[2:]) == port && port != kernelPort
}

// gather fills the iovecs from index at on with the packets that can go into
// one message, and returns how many these are.
func (t *sendBatch) gather(packets []sctp.Packet, at int) (n int) {
	first, total := &packets[0], 0
	coalesce := t.s.gso && mayCoalesce(first)
	for n < len(packets) {
		p := &packets[n]
		if n > 0 && (!coalesce || n == segments || len(p.Data) > len(first.Data) || total+len(p.Data) > segmentBytes ||
			p.Peer != first.Peer || p.Local != first.Local || p.DSCP != first.DSCP) {
			break
		}
		t.iovecs[at+n].Base = &p.Data[0]
		t.iovecs[at+n].SetLen(len(p.Data))
		total += len(p.Data)
		n++
		if len(p.Data) < len(first.Data) {
			break // only the last one may be shorter
		}
	}
	return n
}
