package rserpool

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
	"github.com/librserpool/librserpool/core/socket"
)

// Streams is how many SCTP streams a session has towards its peer. A peer that is not of
// this library may take fewer; a message that it has no stream for is undelivered.
const Streams = session.Streams

// MaxCookie is the largest state that a cookie carries, in bytes.
const MaxCookie = session.MaxCookie

// SendInfo goes with a message to send. The zero value sends it reliable, in order, on
// stream 0, with PPID 0.
type SendInfo struct {
	Stream    uint16        // below Streams
	PPID      uint32        // host byte order; 11 (ASAP) is refused
	Unordered bool          // may overtake other messages
	Lifetime  time.Duration // discard when not sent by then; zero: never
}

func (i SendInfo) socket() socket.SendInfo {
	return socket.SendInfo{Stream: i.Stream, PPID: i.PPID, Unordered: i.Unordered, Lifetime: i.Lifetime}
}

// Message is one of several to send.
type Message struct {
	Data []byte
	SendInfo
}

// RecvInfo describes a message received.
type RecvInfo struct {
	PE        PEID // of the sender, if it is a pool element; else zero
	Stream    uint16
	PPID      uint32 // host byte order
	Unordered bool

	// CookieEcho: this is no message, but the state with which a session comes
	// from another pool element: what that one left with SendCookie last. It
	// is the first of its session.
	CookieEcho bool
	// Notification is not nil when this is no message, but something that
	// happened. It belongs to the caller.
	Notification *Notification
}

func publicInfo(i *socket.RecvInfo) RecvInfo {
	return RecvInfo{
		PE: i.PE, Stream: i.Stream, PPID: i.PPID, Unordered: i.Unordered,
		CookieEcho: i.CookieEcho, Notification: (*Notification)(i.Notification),
	}
}
