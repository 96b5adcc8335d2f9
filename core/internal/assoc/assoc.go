// Package assoc holds what one says about SCTP associations, in the terms of
// RFC 6458: identifiers, the information that travels beside a message,
// notifications, and the parameters of an association. The userland engine,
// the kernel transport and everything above them share these types.
package assoc

import (
	"cmp"
	"errors"
	"net/netip"
	"time"
)

// ID names an association within one endpoint. Zero names none. The userland
// engine never uses an ID twice, so a stale one cannot reach another peer.
type ID uint32

// SendInfo goes with a message to send (RFC 6458 section 5.3.4).
type SendInfo struct {
	Assoc     ID
	Stream    uint16
	PPID      uint32 // host byte order
	Unordered bool
	SackNow   bool          // ask the peer to acknowledge at once (I bit)
	Lifetime  time.Duration // RFC 3758; 0 = reliable
	Context   uint64        // comes back in SendFailed
}

// Kind tells what Recv returned.
type Kind uint8

// A message or one of the notifications of RFC 6458 section 6.1. CommUp is the
// first of an association and exactly one of CommLost, ShutdownComplete and
// CannotStart is its last; every SendFailed comes before that last one, in the
// order in which the messages were sent.
const (
	Message          Kind = iota + 1
	CommUp                // association established, by either side
	Restart               // the peer restarted; same ID, nothing sent before arrives any more
	CommLost              // ended by ABORT, failure threshold or local abort
	ShutdownComplete      // ended gracefully
	CannotStart           // set-up failed
	ShutdownEvent         // the peer wants to end: nothing more can be sent
	SendFailed            // a message that is not known to have arrived; data as sent
	PeerAddrChange        // a path changed its state
	RemoteError           // the peer reported an error
	PartialAborted        // the rest of the message that arrives on Stream never will: its pieces are void
)

// PathState is the state of one path in a PeerAddrChange.
type PathState uint8

// States of RFC 6458 section 6.1.2.
const (
	PathAvailable PathState = iota + 1
	PathUnreachable
	PathAdded
	PathRemoved
	PathMadePrimary
	PathConfirmed
)

// RecvInfo describes what Recv returned.
type RecvInfo struct {
	Kind  Kind
	Assoc ID

	// Message, and SendFailed for the message that failed.
	Stream    uint16
	SSN       uint16
	PPID      uint32 // host byte order
	Unordered bool
	More      bool // the rest of this message follows in the next Recv

	// SendFailed.
	Unsent  bool // no byte of it was put on the wire
	Context uint64

	// Message: where it came from. PeerAddrChange: the path.
	From netip.AddrPort

	PathState PathState // PeerAddrChange

	// CommLost, CannotStart, RemoteError: the SCTP error cause, if there was
	// one, and what happened in words.
	Cause uint16
	Err   error

	// CommUp, Restart: negotiated numbers of streams.
	InStreams, OutStreams uint16
	// CommUp: the peer opened the association; of one from Connect, which was to
	// be Exclusive, that it was the peer's Connect that succeeded.
	Incoming bool
}

// Params are the tunables of an association (RFC 9260 section 16). Zero fields
// take the value of the profile in Default; negative durations switch off what
// can be switched off. The kernel transport maps them to socket options.
type Params struct {
	RTOInitial, RTOMin, RTOMax time.Duration
	HeartbeatInterval          time.Duration // negative = no heartbeats
	PathMaxRetrans             int
	AssocMaxRetrans            int
	MaxInitRetransmits         int
	ConnectTimeout             time.Duration // limit for the whole set-up
	SackDelay                  time.Duration
	SackPackets                int // acknowledge every n-th packet with data
	CookieLife                 time.Duration
	MaxBurst                   int
	ShutdownGuard              time.Duration // T5
	SendBuffer                 int           // bytes
	ReceiveBuffer              int           // bytes
	MaxMessage                 int           // bytes, both directions
	OutStreams, InStreams      uint16
	EncapPort                  uint16 // peer's UDP port; 0 = same as its SCTP port
	MTU                        int    // IP packet size on paths; 0 = found by probing, as with a negative one

	DSCP int // differentiated services codepoint of packets, 1 to 63; negative = 0

	// Exclusive is for Connect where the one who opens an association is its
	// client: if both ends do so at the same moment, and both say so, one of them
	// is told in CommUp that the association is Incoming. The kernel's SCTP does not
	// tell.
	Exclusive bool

	// Primary is the peer's address that data goes to while it works; invalid
	// means the first one that Connect was given. It can be changed later to
	// an address that is verified.
	Primary netip.Addr
}

// MaxMessage is the largest message, in bytes.
const MaxMessage = 1 << 20

// Default is the profile of associations whose owner sets nothing: a silent
// peer is noticed in about six seconds, one whose process died at once (ICMP).
// RTO.Min below RFC 9260's one second is what section 16 allows by option.
func Default() Params {
	return Params{
		RTOInitial: 300 * time.Millisecond, RTOMin: 100 * time.Millisecond, RTOMax: 500 * time.Millisecond,
		HeartbeatInterval: time.Second,
		PathMaxRetrans:    3, AssocMaxRetrans: 3, MaxInitRetransmits: 4,
		ConnectTimeout: 3 * time.Second,
		SackDelay:      20 * time.Millisecond, SackPackets: 2,
		CookieLife: 10 * time.Second, MaxBurst: 4, ShutdownGuard: 5 * time.Second,
		SendBuffer: 4 << 20, ReceiveBuffer: 4 << 20, MaxMessage: MaxMessage,
		OutStreams: 64, InStreams: 1024,
	}
}

// OrDefault returns p with every zero field taken from Default.
func (p Params) OrDefault() Params {
	d := Default()
	p.RTOInitial = cmp.Or(p.RTOInitial, d.RTOInitial)
	p.RTOMin = cmp.Or(p.RTOMin, d.RTOMin)
	p.RTOMax = cmp.Or(p.RTOMax, d.RTOMax)
	p.HeartbeatInterval = cmp.Or(p.HeartbeatInterval, d.HeartbeatInterval)
	p.PathMaxRetrans = cmp.Or(p.PathMaxRetrans, d.PathMaxRetrans)
	p.AssocMaxRetrans = cmp.Or(p.AssocMaxRetrans, d.AssocMaxRetrans)
	p.MaxInitRetransmits = cmp.Or(p.MaxInitRetransmits, d.MaxInitRetransmits)
	p.ConnectTimeout = cmp.Or(p.ConnectTimeout, d.ConnectTimeout)
	p.SackDelay = cmp.Or(p.SackDelay, d.SackDelay)
	p.SackPackets = cmp.Or(p.SackPackets, d.SackPackets)
	p.CookieLife = cmp.Or(p.CookieLife, d.CookieLife)
	p.MaxBurst = cmp.Or(p.MaxBurst, d.MaxBurst)
	p.ShutdownGuard = cmp.Or(p.ShutdownGuard, d.ShutdownGuard)
	p.SendBuffer = cmp.Or(p.SendBuffer, d.SendBuffer)
	p.ReceiveBuffer = cmp.Or(p.ReceiveBuffer, d.ReceiveBuffer)
	p.MaxMessage = cmp.Or(p.MaxMessage, d.MaxMessage)
	p.OutStreams = cmp.Or(p.OutStreams, d.OutStreams)
	p.InStreams = cmp.Or(p.InStreams, d.InStreams)
	return p
}

// PathStatus is one path in a Status.
type PathStatus struct {
	Addr     netip.AddrPort // SCTP address
	UDPPort  uint16         // peer's encapsulation port in use
	Active   bool
	SRTT     time.Duration
	RTO      time.Duration
	Cwnd     int
	InFlight int
	MTU      int
	Errors   int
}

// Status is a snapshot of an association (RFC 6458 section 8.2.1).
type Status struct {
	State           string // RFC 9260 name, e.g. "ESTABLISHED"
	Primary         int    // index into Paths
	Paths           []PathStatus
	PeerWindow      int
	Unacked, Unsent int    // messages
	QueuedBytes     int    // send buffer in use
	QueuedPayload   int    // bytes of messages that were not acknowledged; QueuedBytes where that is not known
	Unread          int    // bytes received and not yet taken by Recv; the kernel's SCTP does not tell
	Retransmissions uint64 // DATA chunks sent again
	InStreams       uint16
	OutStreams      uint16
}

// Errors that the operations of an endpoint return; the terminal notifications
// carry them too where they fit.
var (
	ErrWouldBlock    = errors.New("operation would block")
	ErrNotConnected  = errors.New("no such association")
	ErrPipe          = errors.New("association is shutting down")
	ErrMessageSize   = errors.New("message is larger than the transport carries")
	ErrInvalid       = errors.New("invalid argument")
	ErrRefused       = errors.New("connection refused")
	ErrTimeout       = errors.New("peer does not answer")
	ErrAborted       = errors.New("association aborted by peer")
	ErrLocalAbort    = errors.New("association aborted locally")
	ErrProtocol      = errors.New("protocol violation")
	ErrAlreadyExists = errors.New("association with this peer exists")
	ErrUnreachable   = errors.New("peer unreachable")
	ErrFamily        = errors.New("there are only IPv6 addresses, and the socket is for IPv4 (AF_INET): make it for IPv6 (AF_INET6), which reaches both")
	ErrNoResources   = errors.New("out of resources")
)
