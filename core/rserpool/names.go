package rserpool

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// PEID identifies a pool element within its pool: a number of 32 bits. String, MarshalText
// and so JSON have it like "0x2990abb9"; UnmarshalText reads that, and decimal digits.
type PEID = protocol.PEID

// ServerID identifies a registrar until it restarts. It prints and marshals like a
// PEID.
type ServerID = protocol.ServerID

// PolicyType names a policy of RFC 5356: the constants RoundRobin to RandomizedLeastUsed,
// for which Known returns true, and other numbers for those of private use. String returns
// the name.
type PolicyType = protocol.PolicyType

// The policies of RFC 5356.
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
// TCP, UDP or UDPLite. String returns the name.
type TransportProtocol = protocol.TransportProtocol

// The transports of RFC 5354. This library carries messages over SCTP; the others
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
