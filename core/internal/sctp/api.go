package sctp

import (
	"io"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Config describes an endpoint. It is read once, by New.
type Config struct {
	// Port is the SCTP port of the endpoint. Packets for other ports are out
	// of the blue.
	Port uint16
	// Local are the specific addresses that the endpoint is bound to. Peers
	// are told of them if there is more than one; with none or one, or behind
	// a NAT, they go by where packets come from. The owner sends a packet
	// from its Packet.Local.
	Local []netip.Addr
	// Rand gives tags, TSNs, nonces and keys: crypto/rand.Reader, or a seeded
	// source in a simulation. A failing source panics.
	Rand io.Reader
	// InitialTSN replaces the random first TSN of an association (RFC 9260
	// section 3.3.2); nil = random. Simulations start near the wrap with it.
	InitialTSN func() uint32
	// NoListen refuses associations that peers open.
	NoListen bool
	// Params are the parameters of associations that peers open, and of those
	// that Connect opens without parameters of their own.
	Params assoc.Params
	// MaxMTU is the largest IP packet that the search for the MTU of a path
	// tries; zero means 65,535.
	MaxMTU int
	// EarlyResend repairs the loss of a message that nothing follows long
	// before RTO.Min is over (early.go).
	EarlyResend bool
	// NoInterleaving keeps to DATA, also with peers that know I-DATA (RFC 8260).
	NoInterleaving bool
	// Limits; zero means the default in limits.go.
	MaxAssocs        int   // associations of the endpoint
	MaxAssocsPerPeer int   // of those opened by peers, per IP address; loopback is exempt
	MaxReceiveMemory int64 // bytes of received data held, all associations together
}

// Packet is one UDP datagram on its way in or out.
type Packet struct {
	Peer  netip.AddrPort // IP address and UDP port of the other side
	Local netip.Addr     // own IP address; invalid = let the system choose
	Data  []byte         // an SCTP packet
	// DontFragment asks for DF on the way out (path MTU probes).
	DontFragment bool
	// DSCP is the differentiated services codepoint on the way out; 0 = best effort.
	DSCP uint8
}

// Counters count what happened at an endpoint since New.
type Counters struct {
	PacketsIn, PacketsOut uint64
	BadChecksum           uint64 // dropped: CRC32c wrong
	BadPacket             uint64 // dropped whole or in part: malformed
	BadTag                uint64 // dropped: verification tag wrong for a known peer
	OutOfTheBlue          uint64 // no association (RFC 9260 section 8.4)
	RepliesLimited        uint64 // answers not sent because of a rate or size limit
	CookiesRefused        uint64 // forged, foreign or expired State Cookies
	InitsRefused          uint64 // INITs answered with ABORT, or not at all by a limit
	PortChanges           uint64 // peers that moved to another UDP port (RFC 6951 section 5.4)
	UnreachableIgnored    uint64 // ICMP messages that named no association and tag of ours
	DataIn, DataOut       uint64 // DATA chunks, first transmissions
	Duplicates            uint64 // DATA chunks that had been received before
	DataDropped           uint64 // DATA chunks outside the window or the limits
	Retransmissions       uint64 // DATA chunks sent again
	FastRetransmissions   uint64 // of those, by missing reports
	EarlyRetransmissions  uint64 // of those, before T3-rtx expired
	Timeouts              uint64 // T3-rtx expirations
	HeartbeatsLost        uint64
	Restarts              uint64
	AssocsUp, AssocsDown  uint64
	NotificationsDropped  uint64 // path changes and remote errors that nobody read
}
