package rserpool

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// PEID identifies a pool element within its pool. It is a uint32, so PEID(42) and
// uint32(id) convert, and it can be compared and be the key of a map. Zero means that
// there is none, or that one is to be chosen. Its methods:
//
//	func (id PEID) String() string                 // "0x0000002a"
//	func (id PEID) MarshalText() ([]byte, error)   // the same; so JSON has it as a string
//	func (id *PEID) UnmarshalText(b []byte) error  // reads that, and decimal digits
type PEID = protocol.PEID

// ServerID identifies a registrar until it restarts. It is a uint32, as PEID is; zero
// means that it is not known. Its methods:
//
//	func (id ServerID) String() string                 // "0x0000002a"
//	func (id ServerID) MarshalText() ([]byte, error)   // the same; so JSON has it as a string
//	func (id *ServerID) UnmarshalText(b []byte) error  // reads that, and decimal digits
type ServerID = protocol.ServerID

// PolicyType names a policy of RFC 5356. It is a uint32, the number in RFC 5354 section 3.8:
// one of the constants RoundRobin to RandomizedLeastUsed, or another one for a policy of
// private use, such as PolicyType(0x80000001). Its methods:
//
//	func (t PolicyType) String() string  // "RR", "WRR", "RAND", "WRAND", "PRIO", "LU", "LUD", "PLU", "RLU", "policy-0x80000001"
//	func (t PolicyType) Known() bool     // it is one of the constants
//	func (t PolicyType) Private() bool   // its number is one for private use
type PolicyType = protocol.PolicyType

// The policies of RFC 5356, each a PolicyType.
const (
	RoundRobin               = protocol.RoundRobin
	WeightedRoundRobin       = protocol.WeightedRoundRobin
	Random                   = protocol.Random
	WeightedRandom           = protocol.WeightedRandom
	Priority                 = protocol.Priority
	LeastUsed                = protocol.LeastUsed
	LeastUsedWithDegradation = protocol.LeastUsedWithDegradation
	PriorityLeastUsed        = protocol.PriorityLeastUsed
	RandomizedLeastUsed      = protocol.RandomizedLeastUsed
)

// TransportProtocol is the kind of transport over which a pool element serves: DCCP, SCTP,
// TCP, UDP or UDPLite. It is a uint16, the number in RFC 5354 section 3. Its method:
//
//	func (p TransportProtocol) String() string  // "DCCP", "SCTP", "TCP", "UDP", "UDP-Lite"
type TransportProtocol = protocol.TransportProtocol

// The transports of RFC 5354, each a TransportProtocol. This library carries messages over SCTP; the others
// are for applications that bring their own.
const (
	DCCP    = protocol.DCCP
	SCTP    = protocol.SCTP
	TCP     = protocol.TCP
	UDP     = protocol.UDP
	UDPLite = protocol.UDPLite
)

// MaxPoolHandle is the longest pool handle, in bytes, here and at registrars; with
// CompatRSPLIB it is MaxPoolHandleRSPLIB.
const (
	MaxPoolHandle       = protocol.MaxPoolHandle
	MaxPoolHandleRSPLIB = protocol.MaxPoolHandleRSPLIB
)
