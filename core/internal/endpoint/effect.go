package endpoint

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Effect is what an Endpoint wants done or tells: one of the structs of this
// file, by value. Effects are performed in order. Slices in them belong to the
// machine: read, do not change.
type Effect interface{ effect() }

// effects are what the sub-states want done and tell, in order.
type effects struct{ list []Effect }

func (e *effects) add(effect Effect) { e.list = append(e.list, effect) }

func (e *effects) log(level Level, text string) { e.add(Log{Level: level, Text: text}) }

// Connect opens an association with a registrar. Answer with Connecting or
// ConnectFailed, later with AssocUp or AssocLost.
type Connect struct {
	Token Token
	Addrs []netip.AddrPort // of one registrar
}

// LookUp asks for the addresses of the registrars that are configured by name.
// Answer with LookedUp, soon: a hunt is not given up before. It comes at the
// beginning of a hunt and every few seconds until there is a home.
type LookUp struct{}

// Send sends one message: PPID 11, stream 0, ordered (ASAP-5-02, ASAP-5-07). It
// may be for a registrar or for the PE or PU of a session.
type Send struct {
	Assoc   assoc.ID
	Message asap.Message
}

// Shutdown ends an association gracefully. AssocLost may follow or not.
type Shutdown struct{ Assoc assoc.ID }

// Abort ends an association at once. AssocLost may follow or not.
type Abort struct {
	Assoc  assoc.ID
	Reason string
}

// HomeFound tells which registrar is home now.
type HomeFound struct {
	Assoc assoc.ID
	Addrs []netip.AddrPort
}

// HomeLost tells that the home is gone. If anything needs one, the hunt is on.
type HomeLost struct{ Err error }

// Registered tells that a registrar granted a registration: the first time,
// after a change, and again after RegistrationLost or a change of home. Plain
// renewals are not told.
type Registered struct {
	Handle   protocol.PoolHandle
	Element  protocol.Element // as registered: ID, addresses and life filled in
	Warnings []protocol.Cause // what the registrar changed (ASAP-2.2.3-01)
}

// RegistrationFailed tells that a Register event had no success, or that a
// registrar refused a renewal: ErrRegistered, ErrNoAddress, *NoRegistrarError,
// *RejectedError or ErrTimeout. Where the endpoint was
// registered before with other values, StillRegistered says that it is so with
// those; otherwise the machine stops trying (ASAP-3.1-12, ASAP-3.1-15).
type RegistrationFailed struct {
	Handle          protocol.PoolHandle
	Err             error
	StillRegistered bool
}

// RegistrationLost tells that a registration no longer stands, because its life
// expired (ErrExpired) or no registrar renewed it (*NoRegistrarError,
// ErrTimeout). The machine goes on trying to register
// again, and says Registered when it succeeded.
type RegistrationLost struct {
	Handle protocol.PoolHandle
	Err    error
}

// Deregistered tells that the endpoint is no PE any more. Err is not nil when
// no registrar confirmed it (ErrNotRegistered, *NoRegistrarError,
// *RejectedError, ErrTimeout); its life then ends the registration.
type Deregistered struct {
	Handle protocol.PoolHandle
	Err    error
}

// Resolved answers Resolve.
type Resolved struct {
	Token  Token
	Handle protocol.PoolHandle
	Policy protocol.PolicyType // of the pool
	// Elements are one or more, in the order of the pool's policy, the one to
	// use first in front; those that failed of late come last.
	Elements []protocol.Element
}

// ResolveFailed answers Resolve: ErrUnknownPool, *NoRegistrarError,
// *RejectedError, ErrTimeout or ErrTooMany.
type ResolveFailed struct {
	Token  Token
	Handle protocol.PoolHandle
	Err    error
}

// PoolChanged tells that an update has come of a pool that is watched (WatchPool): what
// the cache says of it is new.
type PoolChanged struct{ Handle protocol.PoolHandle }

// UsePE tells that a session is to be served by this PE now: connect to
// Element.User, then SessionUp or SessionLost. Whatever the session had before
// is over; data that was not delivered goes to the new PE. Failover says that
// the session was served by, or tried, another PE before.
type UsePE struct {
	Session  SessionID
	Handle   protocol.PoolHandle
	Element  protocol.Element
	Failover bool
}

// LeavePE tells that a registrar removed the PE of a session, which did not say
// that it leaves: it hangs, and another one is there. Abort its association;
// SessionLost is to follow, and is not reported. Where it was heard of just now,
// do nothing: the effect comes again as long as the PE stays removed.
type LeavePE struct{ Session SessionID }

// SessionFailed tells that a session is over: no PE could be found for it
// (ErrUnknownPool, *NoRegistrarError, *RejectedError, ErrTimeout, ErrTooMany),
// or none within the failover limit (*NoElementError).
type SessionFailed struct {
	Session SessionID
	Handle  protocol.PoolHandle
	Err     error
}

// Waits tells that an OpenSession or a Resolve, whose token it is then, waits for a
// pool or a registrar that is not there yet, as its Wait allows; and again when
// the reason changes (ErrUnknownPool, *NoRegistrarError, ErrTimeout). Its answer
// comes later.
type Waits struct {
	Session SessionID // 0: a Resolve
	Token   Token
	Handle  protocol.PoolHandle
	Err     error
}

// CookieReceived tells that the PE of a session left a cookie. The machine
// keeps the newest one and hands it to the next PE (ASAP-3.8-02).
type CookieReceived struct {
	Session SessionID
	Data    []byte
}

// CookieEchoReceived hands a PE the cookie with which a PU came from another
// PE (ASAP-2.2.12-01). It comes before any data of that PU.
type CookieEchoReceived struct {
	Assoc assoc.ID
	Data  []byte
}

// BusinessCardReceived tells of a peer's card: its pool and its recommended
// failover order, which the machine follows for the sessions it concerns
// (ASAP-3.9-06).
type BusinessCardReceived struct {
	Assoc    assoc.ID
	Handle   protocol.PoolHandle
	Elements []protocol.Element
}

// Level says how much a Log matters.
type Level uint8

// Levels of Log.
const (
	Debug Level = iota
	Info
	Warn
)

// Log is a line for a human.
type Log struct {
	Level Level
	Text  string
}

func (Connect) effect()              {}
func (LookUp) effect()               {}
func (Send) effect()                 {}
func (Shutdown) effect()             {}
func (Abort) effect()                {}
func (HomeFound) effect()            {}
func (HomeLost) effect()             {}
func (Registered) effect()           {}
func (RegistrationFailed) effect()   {}
func (RegistrationLost) effect()     {}
func (Deregistered) effect()         {}
func (Resolved) effect()             {}
func (ResolveFailed) effect()        {}
func (UsePE) effect()                {}
func (PoolChanged) effect()          {}
func (LeavePE) effect()              {}
func (SessionFailed) effect()        {}
func (Waits) effect()                {}
func (CookieReceived) effect()       {}
func (CookieEchoReceived) effect()   {}
func (BusinessCardReceived) effect() {}
func (Log) effect()                  {}
