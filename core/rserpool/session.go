package rserpool

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// sessionState says what a session can do at the moment.
type sessionState uint8

const (
	searching   sessionState = iota + 1 // the machine looks for an element
	connecting                          // to the element it found
	established                         // its association stands
	draining                            // the peer is shutting it down: nothing more can be sent
	ended
)

// session is one conversation. That of a pool user outlives its associations:
// what one element did not get is sent to the next. That of a pool element
// ends with its association. The socket's lock guards it.
type session struct {
	id     SessionID
	opts   SessionOptions
	own    bool // the socket is the pool user
	ending bool // to be ended as soon as nothing waits to be sent
	state  sessionState
	assoc  assoc.ID           // zero in searching and ended
	peer   Name               // empty for a pool user
	at     protocol.Transport // where peer serves
	err    error              // ended: why
	waits  error              // searching for the first element: why that is not there yet
	stood  bool               // has been established
	moves  int                // how often it was established again

	failover // of a pool user's session
	hold     hold
	told     *Notification      // heldBack: what the program has to read
	stay                        // of a pool element's session
	card     []protocol.Element // of a pool user that is an element itself

	kept        fifo[outgoing] // Replay: was sent, but no cookie covers it
	toSend      fifo[outgoing] // waits for the association, or for room in it
	returned    fifo[outgoing] // came back from an association that ends; older than toSend
	queuedBytes int            // of all

	inbox      fifo[incoming]
	inboxBytes int
	held       bool   // the inbox is full: what is in the transport stays there (window.go)
	parked     bool   // too many wait for Accept: the same
	readable   signal // there is something in inbox, or the session ended
	writable   signal // there is room again, or the session ended
	room              // to send
	ready      readiness
}

// outgoing is a message on its way out.
type outgoing struct {
	data      []byte
	stream    uint16
	ppid      uint32
	unordered bool
	expires   time.Time // zero: never
}

// incoming is a message on its way to the application.
type incoming struct {
	data      []byte // what was not yet received of it
	length    int    // of the whole
	pe        PEID
	stream    uint16
	ppid      uint32
	unordered bool
	echo      bool          // a cookie's state
	note      *Notification // no message
	lent      assoc.ID      // whose window it counts against; zero: none
}

// waiting says that something was not yet handed to the transport.
func (ss *session) waiting() bool { return ss.toSend.len() > 0 || ss.returned.len() > 0 }

// bounded marks, as the context of a message in the transport, one with a
// lifetime: if it comes back, its time is over.
const bounded = 1

// enqueue keeps a message until it can be sent. There is always room for one,
// however large.
func (ss *session) enqueue(b []byte, info *SendInfo) error {
	if ss.crowded(len(b)) {
		return ErrWouldBlock
	}
	ss.toSend.push(newOutgoing(b, info))
	ss.queuedBytes += len(b)
	return nil
}

// crowded says that there is no room for n more bytes.
func (ss *session) crowded(n int) bool {
	return ss.queuedBytes > 0 && ss.queuedBytes+n > ss.opts.SendBuffer
}

func newOutgoing(b []byte, info *SendInfo) outgoing {
	m := outgoing{data: append([]byte(nil), b...), stream: info.Stream, ppid: info.PPID, unordered: info.Unordered}
	if info.Lifetime > 0 {
		m.expires = time.Now().Add(info.Lifetime)
	}
	return m
}

// flush hands the transport what waits, in order, as far as it takes it.
func (s *Socket) flush(ss *session) {
	for ss.state == established && ss.hold == notHeld && ss.toSend.len() > 0 {
		m := ss.toSend.first()
		err := s.transmit(ss, m)
		if errors.Is(err, assoc.ErrWouldBlock) {
			return
		}
		if errors.Is(err, assoc.ErrPipe) || errors.Is(err, assoc.ErrNotConnected) {
			return // the end of the association follows, and then the next one
		}
		if err != nil {
			s.refused(ss, m, err)
		}
		s.handedOver(ss)
	}
	if ss.state != established {
		return
	}
	if ss.ending {
		s.shutdown(ss)
		return
	}
	if !ss.crowded(1) || ss.ahead() {
		s.relax(ss)
	}
}

// refused: the transport never takes the first message that waits. Replay
// counts messages, and cannot go on without one.
func (s *Socket) refused(ss *session, m *outgoing, err error) {
	s.log.Warn("a message is lost: the transport refuses it", "session", ss.id, "bytes", len(m.data), "err", err)
	s.giveBack(ss, m, err)
	if ss.opts.Replay {
		s.abandon(ss)
		ss.err = err
	}
}

// handedOver drops the first message that waited, or keeps it for replay.
func (s *Socket) handedOver(ss *session) {
	if ss.state == ended {
		return
	}
	m := ss.toSend.pop()
	ss.handed++
	if ss.opts.Replay && ss.own {
		ss.kept.push(m)
		return
	}
	ss.queuedBytes -= len(m.data)
}

func (s *Socket) transmit(ss *session, m *outgoing) error {
	info := assoc.SendInfo{Assoc: ss.assoc, Stream: m.stream, PPID: m.ppid, Unordered: m.unordered}
	if !m.expires.IsZero() {
		info.Context = bounded
		if info.Lifetime = time.Until(m.expires); info.Lifetime <= 0 {
			ss.handed-- // handedOver counts it
			s.giveBack(ss, m, errExpired)
			return nil
		}
	}
	return s.port.Send(m.data, &info)
}
