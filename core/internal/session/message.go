package session

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Streams is how many SCTP streams a session has towards its peer.
const Streams = 64

// SendInfo goes with a message to send; rserpool.SendInfo explains it.
type SendInfo struct {
	Session   ID
	Stream    uint16
	PPID      uint32
	Unordered bool
	Lifetime  time.Duration
}

// RecvInfo describes what was received; rserpool.RecvInfo explains it.
type RecvInfo struct {
	Session      ID
	PE           protocol.PEID
	Stream       uint16
	PPID         uint32
	Unordered    bool
	Length       int
	Left         int
	CookieEcho   bool
	Notification *Notification
}

// outgoing is a message on its way out.
type outgoing struct {
	data      []byte
	stream    uint16
	ppid      uint32
	unordered bool
	expires   time.Time // zero: never
}

// newOutgoing copies a message to keep it.
func newOutgoing(now time.Time, b []byte, info *SendInfo) outgoing {
	m := outgoing{data: append([]byte(nil), b...), stream: info.Stream, ppid: info.PPID, unordered: info.Unordered}
	if info.Lifetime > 0 {
		m.expires = now.Add(info.Lifetime)
	}
	return m
}

// incoming is a message on its way to the program.
type incoming struct {
	data      []byte // what was not yet received of it
	length    int    // of the whole
	pe        protocol.PEID
	stream    uint16
	ppid      uint32
	unordered bool
	echo      bool          // a cookie's state
	note      *Notification // no message
	lent      assoc.ID      // whose window it counts against; zero: none
}

// special says that it is no message.
func (m *incoming) special() bool { return m.note != nil || m.echo }
