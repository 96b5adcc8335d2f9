package endpoint

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Token correlates an effect or event with its answer. Tokens of Connect
// effects are the machine's, which never uses 0, those of Resolve events the
// owner's; the two never meet.
type Token uint64

// SessionID names a session of the pool user role. The owner chooses it and
// does not use it again after CloseSession or SessionFailed.
type SessionID uint32

// Event is what an Endpoint is told: one of the structs of this file, by
// value.
type Event interface{ event() }

// Register makes the endpoint an element of a pool, or changes what it is
// registered with (then Handle must be the same). The answer is Registered or
// RegistrationFailed. Afterwards the machine renews the registration and moves
// it to other registrars by itself.
type Register struct {
	Handle protocol.PoolHandle
	// Element is the template. ID 0 lets the machine draw one. Life 0 is
	// 300 s. A zero Policy is Round Robin. A zero User transport, or an SCTP
	// one without Addrs, gets the local addresses of the association with the
	// home (ASAP-6.1-01) and, when Port is 0, its port. Home and ASAP are
	// ignored.
	Element protocol.Element
	// Wait is for how long after the first attempt a registrar that is not there
	// yet is waited for; negative: for ever.
	Wait time.Duration
}

// Deregister takes the endpoint out of its pool. The answer is Deregistered; a
// Register that has no answer yet gets none any more.
type Deregister struct{}

// OpenSession asks for a PE of the pool. The answer is UsePE, or SessionFailed
// when there is none.
type OpenSession struct {
	Session SessionID
	Handle  protocol.PoolHandle
	// Wait is how long a pool or a registrar that is not there yet is waited for
	// (ErrUnknownPool, *NoRegistrarError, ErrTimeout), which Waits tells;
	// negative: for ever.
	Wait time.Duration
}

// SetFailoverLimit changes the failover limit of a session, which is that of
// Config at first. A search that goes on keeps the one it began with.
type SetFailoverLimit struct {
	Session SessionID
	Limit   time.Duration // not 0; negative: for ever
}

// SessionUp tells that the association with the PE of the last UsePE stands.
// Its control messages then reach the machine in Received events.
type SessionUp struct {
	Session SessionID
	Assoc   assoc.ID
}

// SessionLost tells that the PE of the last UsePE failed: its association could
// not be set up or was lost. The answer is UsePE with another PE, or
// SessionFailed. What the lost association has in store (AssocLost) may come
// before or after it.
type SessionLost struct {
	Session SessionID
	// Err is nil when the PE ended the association gracefully. Then it is
	// not reported, but another one serves the session.
	Err error
	// ByUser: the application says so, not the transport. Then the PE is
	// reported as unreachable only if Sent, that is if the application asked
	// to send something to it (ASAP-3.5-05).
	ByUser, Sent bool
	// Over: the session ends with its PE (ASAP-6.5.5-02). There is no answer.
	Over bool
}

// PELeft tells that the PE of a session took leave of its pool but goes on
// serving the session: its removal from the pool means nothing.
type PELeft struct{ Session SessionID }

// CloseSession ends a session; there is no answer. The owner ends the
// association.
type CloseSession struct{ Session SessionID }

// Resolve asks for the PEs of a pool. The answer is Resolved or ResolveFailed
// with the same token.
type Resolve struct {
	Token  Token
	Handle protocol.PoolHandle
	// MaxAge is how old an answer of the cache may be; 0: StaleCache of Config;
	// negative: ask a registrar.
	MaxAge time.Duration
	// Items is how many PEs are wanted at most; 0: as many as the registrar gives.
	Items uint32
	// Wait is that of OpenSession.
	Wait time.Duration
	// Cached asks the cache alone, and then there is no answer if it has none.
	Cached bool
}

// PEFailed tells that the application could not reach a PE over a transport of
// its own, which it tried. There is no answer: the PE is reported to the home,
// once, and drops out of the cache.
type PEFailed struct {
	Handle protocol.PoolHandle
	ID     protocol.PEID
}

// WatchPool has updates of a pool subscribed to, from its next Resolve on and as for
// pools of sessions, until it is called as often with On false. PoolChanged tells of each.
type WatchPool struct {
	Handle protocol.PoolHandle
	On     bool
}

// CancelResolve withdraws a Resolve; there is no answer.
type CancelResolve struct{ Token Token }

// Purge drops what the cache knows of a pool (ASAP-6.4-01).
type Purge struct{ Handle protocol.PoolHandle }

// RegistrarStarted tells that one of the known registrars has just been started:
// those that refused of late are tried at once, now or when a hunt begins.
type RegistrarStarted struct{}

// LookedUp answers a LookUp effect: Found are the registrars behind the names,
// one for each address, in place of those that were found before; Failed the
// names that have no address.
type LookedUp struct {
	Found  [][]netip.AddrPort
	Failed []Tried
}

// Announced tells of an announcement received by multicast. From is its UDP
// source.
type Announced struct {
	Message asap.ServerAnnounce
	From    netip.AddrPort
}

// Connecting answers a Connect effect with the association's ID. If the
// transport says that the association exists already and it is up, AssocUp is
// to follow (again).
type Connecting struct {
	Token Token
	Assoc assoc.ID
}

// ConnectFailed answers a Connect effect that the transport refused at once.
// A failure after Connecting is an AssocLost.
type ConnectFailed struct {
	Token Token
	Err   error
}

// AssocUp tells that an association is established, by either side. The owner
// passes on all of them, or all but those of its sessions.
type AssocUp struct {
	Assoc       assoc.ID
	Local, Peer []netip.AddrPort
	// Host: the peer is on this host, where the endpoint has these addresses
	// beside Local. Others reach it there.
	Host []netip.AddrPort
}

// AssocRestarted tells that the peer of an association restarted: what it knew
// of us is gone.
type AssocRestarted struct{ Assoc assoc.ID }

// AssocLost tells that an association ended or could not be set up, for
// whatever reason. Unknown ones are ignored.
type AssocLost struct {
	Assoc assoc.ID
	Err   error // nil: ended gracefully
}

// SendFailed tells that a message of a Send effect could not be handed to the
// transport, although the association may still stand. When the association is
// lost anyway, AssocLost is enough.
type SendFailed struct {
	Assoc assoc.ID
	Err   error
}

// Received is an ASAP message that arrived on an association.
type Received struct {
	Assoc   assoc.ID
	Message asap.Message
}

// SendCookie gives the PU on an association a cookie to keep (ASAP-3.8-01). It
// is dropped, with a Log, when the registered transport has no control channel.
type SendCookie struct {
	Assoc assoc.ID
	Data  []byte
}

// SendBusinessCard tells the peer on an association the own pool, and which PEs
// of it to fail over to: those to Prefer, in this order, as far as the cache
// knows them, then this one (ASAP-3.9-01). It is dropped when the registered
// transport has no control channel.
type SendBusinessCard struct {
	Assoc  assoc.ID
	Prefer []protocol.PEID
}

// FollowCard makes a session of this PE, whose PU is lost and was a PE itself,
// one of the PU role: it is to go on with another element of that pool (RFC 5351
// section 4.2). The answers are those to OpenSession, UsePE with Failover.
type FollowCard struct {
	Session SessionID
	Handle  protocol.PoolHandle
	Lost    protocol.PEID // is reported; 0 = its identifier is not known
	// Card are the PEs that it recommended, which go before the policy.
	Card  []protocol.Element
	Limit time.Duration // as SetFailoverLimit
	Err   error         // why it was lost
}

func (Register) event()         {}
func (Deregister) event()       {}
func (OpenSession) event()      {}
func (SessionUp) event()        {}
func (SessionLost) event()      {}
func (CloseSession) event()     {}
func (SetFailoverLimit) event() {}
func (PELeft) event()           {}
func (Resolve) event()          {}
func (CancelResolve) event()    {}
func (WatchPool) event()        {}
func (PEFailed) event()         {}
func (Purge) event()            {}
func (RegistrarStarted) event() {}
func (LookedUp) event()         {}
func (Announced) event()        {}
func (Connecting) event()       {}
func (ConnectFailed) event()    {}
func (AssocUp) event()          {}
func (AssocRestarted) event()   {}
func (AssocLost) event()        {}
func (SendFailed) event()       {}
func (Received) event()         {}
func (SendCookie) event()       {}
func (SendBusinessCard) event() {}
func (FollowCard) event()       {}
