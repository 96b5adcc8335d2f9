// Package sctp is the SCTP engine: RFC 9260 over the UDP encapsulation of
// RFC 6951, as a pure machine. Packets, API calls and the time go in; packets,
// messages, notifications and the next deadline come out. It has no socket,
// goroutine, lock, clock or global random source, so the code that ships is
// the code that is fuzzed and simulated.
//
// An Endpoint is not safe for concurrent use; its owner serialises the calls.
// After any call the owner drains Output, then looks at Next.
package sctp

import (
	"io"
	"net/netip"
)

// Config describes an endpoint. It is read once, by New.
type Config struct {
	// Port is the SCTP port of the endpoint.
	Port uint16
	// Rand gives tags, TSNs, nonces and keys: crypto/rand.Reader, or a seeded
	// source in a simulation.
	Rand io.Reader
	// NoListen refuses associations that peers open.
	NoListen bool
	// Limits; zero means the default in limits.go.
	MaxAssocs int
}

// Packet is one UDP datagram on its way in or out.
type Packet struct {
	Peer  netip.AddrPort // IP address and UDP port of the other side
	Local netip.Addr     // own IP address; invalid = let the system choose
	Data  []byte         // an SCTP packet
	// DontFragment asks for DF on the way out (path MTU probes).
	DontFragment bool
}
