package socket

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/session"
)

// PEID identifies a pool element within its pool.
type PEID = protocol.PEID

// ServerID identifies a registrar until it restarts.
type ServerID = protocol.ServerID

// Policy is a pool member selection policy (RFC 5356) with the values that one
// pool element gives it. Only the fields that its type uses may be set.
type Policy = protocol.Policy

// PolicyType names a policy of RFC 5356.
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

// MaxPoolHandle is the longest pool handle, in bytes, here and at registrars;
// with CompatRSPLIB it is MaxPoolHandleRSPLIB.
const (
	MaxPoolHandle       = protocol.MaxPoolHandle
	MaxPoolHandleRSPLIB = protocol.MaxPoolHandleRSPLIB
)

// SessionID names a session within one socket. It is never used twice; zero
// names none, or the session that Connect made.
type SessionID = session.ID

// Name is what RSerPool knows a socket by: a pool and a pool element in it.
type Name = session.Name

// Registration says how a pool element joins a pool; rserpool.Registration explains it.
type Registration struct {
	Policy    Policy
	Life      time.Duration
	PE        PEID
	DataOnly  bool
	Preferred []PEID
}
