package rserpool

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// PEID identifies a pool element within its pool: a number of 32 bits, which prints,
// and marshals as text and JSON, like 0x2990abb9.
type PEID = protocol.PEID

// ServerID identifies a registrar until it restarts. It prints and marshals like a
// PEID.
type ServerID = protocol.ServerID

// PolicyType names a policy of RFC 5356. Those of private use have other numbers than
// the constants.
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

// TransportProtocol is the kind of transport over which a pool element serves.
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
