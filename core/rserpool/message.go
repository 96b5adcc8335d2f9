package rserpool

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// Streams is how many SCTP streams a session has towards its peer. A peer that is not of
// this library may take fewer; a message that it has no stream for is undelivered.
const Streams = session.Streams

// SendInfo goes with a message to send. The zero value sends it on the session
// that Connect made: reliable, in order, on stream 0, with PPID 0.
type SendInfo struct {
	Session   SessionID     // zero: the session that Connect made
	Stream    uint16        // below Streams
	PPID      uint32        // host byte order; 11 (ASAP) is refused
	Unordered bool          // may overtake other messages
	Lifetime  time.Duration // discard when not sent by then; zero: never
}

// RecvInfo describes a message received.
type RecvInfo struct {
	Session   SessionID
	PE        PEID // of the sender, if it is a pool element; else zero
	Stream    uint16
	PPID      uint32 // host byte order
	Unordered bool
	Length    int // of the whole message, in bytes
	Left      int // bytes of it that the buffer had no room for; see RecvFlags

	// CookieEcho: this is no message, but the state with which a session comes
	// from another pool element: what that one left with SendCookie last. It
	// is the first of its session.
	CookieEcho bool
	// Notification is not nil when this is no message, but something that
	// happened. It belongs to the caller.
	Notification *Notification
}
