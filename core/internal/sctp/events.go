package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// event is what one Recv returns, or several if its data is long.
type event struct {
	next        *event
	info        assoc.RecvInfo
	a           *association // whose window the data fills; nil for other data
	first, last *fragment
	read        int  // bytes of the first piece that are read
	begun       bool // a part was returned
	note        bool
	path        *path // that it is the last news of

	// Of a message: its size and the TSNs it came in.
	size           int
	tsnLow, tsnEnd uint32
	mid            uint32 // its number in the stream: MID or SSN
}

// eventQueue is the one FIFO of messages and notifications of the endpoint.
type eventQueue struct {
	head, tail *event
	n          int
}

func (q *eventQueue) push(ev *event) {
	if q.tail == nil {
		q.head = ev
	} else {
		q.tail.next = ev
	}
	q.tail = ev
	q.n++
}

func (q *eventQueue) pop() {
	q.head = q.head.next
	if q.head == nil {
		q.tail = nil
	}
	q.n--
}

// Readable says whether Recv has something to return.
func (e *Endpoint) Readable() bool { return e.events.head != nil }

// Recv returns the next message or notification of all associations, or the
// next piece of it if it is longer than b; info.More says that there is more.
// Reading opens the receive window, and may make a packet ready that says so.
func (e *Endpoint) Recv(now time.Time, b []byte, info *assoc.RecvInfo) (int, error) {
	ev := e.events.head
	if ev == nil {
		return 0, assoc.ErrWouldBlock
	}
	n := e.read(ev, b)
	*info = ev.info
	info.More = ev.first != nil
	e.returned(ev, n)
	ev.begun = info.More
	if !info.More {
		e.events.pop()
		if ev.note && ev.a != nil {
			ev.a.notes--
		}
		if ev.path != nil {
			ev.path.note = nil
		}
		e.freeEvent(ev)
	}
	return n, nil
}

// read moves data of ev to b.
func (e *Endpoint) read(ev *event, b []byte) int {
	n := 0
	for ev.first != nil {
		k := copy(b[n:], ev.first.buf[ev.read:])
		n += k
		ev.read += k
		if ev.read < len(ev.first.buf) {
			break
		}
		p := ev.first
		ev.first, ev.read = p.next, 0
		if ev.a != nil {
			ev.a.in.ready -= len(p.buf)
			ev.a.in.free(ev.a, len(p.buf), cap(p.buf))
		}
		e.freeFragment(p)
	}
	return n
}

func (e *Endpoint) freeEvent(ev *event) {
	e.freeFragments(ev.first)
	*ev = event{}
	e.nodes.put(ev)
}

func (a *association) newEvent(kind assoc.Kind) *event {
	ev := a.e.nodes.get()
	ev.info.Kind, ev.info.Assoc = kind, a.id
	return ev
}

// notify queues a notification without data.
func (a *association) notify(kind assoc.Kind, cause chunk.Cause, err error) {
	ev := a.newEvent(kind)
	ev.info.Cause, ev.info.Err = uint16(cause), err
	a.push(ev)
}

// notifyUp tells that the association is established, or was by a restart.
func (a *association) notifyUp(kind assoc.Kind) {
	ev := a.newEvent(kind)
	ev.info.InStreams, ev.info.OutStreams = a.inStreams, a.outStreams
	ev.info.Incoming = a.incoming || a.gaveWay
	ev.info.From = netip.AddrPortFrom(a.primary.addr, a.peerPort)
	a.push(ev)
}

// notifyNote queues a notification that a flood may not multiply (SCTP-4-09).
func (a *association) notifyNote(ev *event) bool {
	if a.notes >= maxNotes {
		a.e.counters.NotificationsDropped++
		a.e.freeEvent(ev)
		return false
	}
	a.notes++
	ev.note, ev.a = true, a
	a.push(ev)
	return true
}

// notifyPath tells what has become of a path. Of its going and coming back
// only the last counts for who has not read the one before (SCTP-4-09).
func (a *association) notifyPath(p *path, s assoc.PathState, err error) {
	if a.state < established {
		return // COMM_UP comes first (SCTP-4-06)
	}
	passing := s == assoc.PathAvailable || s == assoc.PathUnreachable
	if passing && p.note != nil {
		p.note.info.PathState, p.note.info.Err = s, err
		return
	}
	ev := a.newEvent(assoc.PeerAddrChange)
	ev.info.PathState, ev.info.Err = s, err
	ev.info.From = netip.AddrPortFrom(p.addr, a.peerPort)
	if a.notifyNote(ev) && passing {
		ev.path, p.note = p, ev
	}
}

func (a *association) notifyRemoteError(cause chunk.Cause) {
	ev := a.newEvent(assoc.RemoteError)
	ev.info.Cause = uint16(cause)
	ev.info.Err = &causeError{cause: cause, kind: assoc.ErrProtocol}
	a.notifyNote(ev)
}

// notifyFailed hands a message back to its sender (SCTP-4-01). It takes the
// message over.
func (a *association) notifyFailed(m *outMessage, cause chunk.Cause, err error) {
	ev := a.newEvent(assoc.SendFailed)
	ev.info.Stream, ev.info.PPID, ev.info.Unordered = m.stream, m.ppid, m.unordered
	ev.info.SSN, ev.info.Context = uint16(m.mid), m.context
	ev.info.Unsent = m.taken == 0
	ev.info.Cause, ev.info.Err = uint16(cause), err
	p := a.e.fragments.get()
	p.buf = m.data
	ev.first, ev.last = p, p
	m.data = nil
	a.push(ev)
}

// causeError is an SCTP error cause in words.
type causeError struct {
	cause  chunk.Cause
	reason string // of an ABORT by the peer's user
	kind   error  // one of package assoc
}

func (e *causeError) Error() string {
	s := e.kind.Error()
	if e.cause != 0 {
		s += ": " + e.cause.String()
	}
	if e.reason != "" {
		s += ": " + e.reason
	}
	return s
}

func (e *causeError) Unwrap() error { return e.kind }
