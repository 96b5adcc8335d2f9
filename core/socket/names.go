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

// Registration says how a pool element joins a pool.
type Registration struct {
	// Policy defaults to round robin.
	Policy Policy
	// Life is how long the registrar keeps the registration when it is not
	// renewed: whole seconds, five minutes by default. It is renewed in time.
	Life time.Duration
	// PE is the identifier of the pool element, random by default.
	PE PEID
	// DataOnly keeps ASAP away from the associations with pool users (Transport
	// Use DATA ONLY): no cookies, no business cards, and pool users do not
	// follow when a registrar removes the element. All elements of a pool have
	// the same.
	DataOnly bool
	// Preferred are the elements of the pool, the best first, that sessions of
	// this one are to move to when it fails. Pool users are told with a
	// business card when a session begins, as far as the registrar knows the
	// elements then. None: the pool's policy decides.
	Preferred []PEID
}
