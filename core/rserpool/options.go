package rserpool

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/socket"
)

// Options are the settings of what Listen, Dial, Join, Resolve and Pools make. A nil
// pointer means the zero value. A field that is not set takes its value from the
// environment, then from the configuration file, then the documented default; what is
// set here wins. They are read at the beginning and do not change afterwards.
type Options struct {
	// Registrars are addresses of registrars, host:port or only host; all are
	// tried, a few at a time. Each address of a name is a registrar; names are
	// looked up when a registrar is needed, and every two seconds until one is
	// found. tcp:host:port is asked over TCP, which pool users can use and pool
	// elements cannot. RSERPOOL_REGISTRARS.
	Registrars []string
	// Transport is kernel, userland (the SCTP of this library, over UDP), or
	// auto, the better one that this host has. RSERPOOL_TRANSPORT; auto.
	Transport string
	// NoEmbedded forbids a registrar inside the process. RSERPOOL_EMBEDDED=off.
	NoEmbedded bool
	// LoopbackPort is where a registrar on this host is looked for when no
	// other is configured, and where one inside the process listens.
	// RSERPOOL_PORT; 3863.
	LoopbackPort uint16
	// WaitForPool is how long Dial, Resolve, Listen and Join wait
	// for a pool or a registrar that is not there yet, so that the order in which
	// programs are started does not matter; 0: not at all, negative: for ever.
	// Where a registrar does not even refuse, the first attempt may take longer.
	// nil is the default. RSERPOOL_WAIT; 2 s.
	WaitForPool *time.Duration
	// PoolKey is a secret that the elements of a pool share, of 16 bytes or
	// more: with it their cookies are encrypted and authenticated, and what
	// was not made with it is rejected. RSERPOOL_POOL_KEY, hexadecimal or the
	// name of a file that holds it so; none.
	PoolKey []byte
	// CookieLife is how long cookies made with a pool key are accepted; 24 h.
	CookieLife time.Duration
	// LoadInterval is how often at most SetLoad tells the registrar; 1 s.
	LoadInterval time.Duration
	// Compat is rsplib where registrars, pool elements or pool users of RSPLIB
	// take part: it writes registration lives in milliseconds, and its
	// registrars arbitrate takeovers the other way round. All programs of this
	// library in such a group need it. RSERPOOL_COMPAT.
	Compat string
	// Announce is a multicast group at which registrars announce themselves, an
	// address like 224.0.1.185, perhaps with :port and @interface: registrars of
	// this process do, and sockets find theirs there, besides those that
	// Registrars names. With a group none is looked for on loopback, or started inside.
	// A registrar on this host that has the group's port has to announce itself as well.
	// RSERPOOL_ANNOUNCE; none.
	Announce string
	// Advertise are the addresses that others are told in place of this host's own:
	// where a NAT or a container's host passes what comes on, to the same port
	// numbers. A pool element registers them, if its registrar accepts them: one that
	// advertises the same ones does, and see RegistrarOptions.Accept.
	// RSERPOOL_ADVERTISE, with commas between them; none.
	Advertise []netip.Addr
	// Logger takes what is to be said. By default warnings and errors go to
	// standard error as text; RSERPOOL_LOG chooses another level.
	Logger *slog.Logger
	// MaxMessage is the largest message that is sent, in bytes; 1 MiB, which is
	// also the most.
	MaxMessage int
	// Network is ip, ip4 or ip6, which also reaches IPv4; ip.
	Network string
	// Local are the addresses to bind, all with one port; an ephemeral port of
	// the wildcard address.
	Local []netip.AddrPort
	// Backlog is how many sessions may wait for Accept; 128, and 4096 at most. Those
	// beyond it are not refused, which could lose what their pool users sent: of each
	// the first message is taken and the rest left in the transport. Only when 4096 are
	// waiting further ones are aborted.
	Backlog int

	// Policy, Life, PE, DataOnly and Preferred are how Listen and Join register, and
	// Update changes that. Policy defaults to round robin.
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

	// Session are the settings of sessions.
	Session SessionOptions
}

// CompatRSPLIB is the value of Options.Compat for groups with RSPLIB.
const CompatRSPLIB = socket.CompatRSPLIB

// DefaultConfigFile is read when RSERPOOL_CONFIG names no other; it need not exist.
const DefaultConfigFile = socket.DefaultConfigFile

// ParseAdvertise reads addresses as RSERPOOL_ADVERTISE has them, with commas between
// them. Its errors wrap ErrInvalid.
func ParseAdvertise(text string) ([]netip.Addr, error) { return socket.ParseAdvertise(text) }

// socket returns the options as the socket below knows them.
func (o *Options) socket() *socket.Options {
	if o == nil {
		return nil
	}
	return &socket.Options{
		Config: socket.Config{
			Registrars: o.Registrars, Transport: o.Transport, NoEmbedded: o.NoEmbedded, LoopbackPort: o.LoopbackPort,
			WaitForPool: o.WaitForPool, SessionOptions: socket.SessionOptions(o.Session), PoolKey: o.PoolKey,
			CookieLife: o.CookieLife, LoadInterval: o.LoadInterval, Compat: o.Compat, Announce: o.Announce,
			Advertise: o.Advertise, Logger: o.Logger, MaxMessage: o.MaxMessage,
		},
		Network: o.Network, Local: o.Local, Backlog: o.Backlog, Registration: o.registration().socket(),
	}
}

// registration is how a pool element registers first.
func (o *Options) registration() Registration {
	return Registration{Policy: o.Policy, Life: o.Life, PE: o.PE, DataOnly: o.DataOnly, Preferred: o.Preferred}
}

// Registration is how a pool element is registered from an Update on. The fields are
// those of Options, with their defaults.
type Registration struct {
	Policy    Policy
	Life      time.Duration
	PE        PEID
	DataOnly  bool
	Preferred []PEID
}

func (r Registration) socket() socket.Registration {
	return socket.Registration{Policy: socket.Policy(r.Policy), Life: r.Life, PE: r.PE, DataOnly: r.DataOnly, Preferred: r.Preferred}
}

// Policy is a pool member selection policy (RFC 5356) with the values that one pool
// element gives it. Only the fields that its type uses may be set.
type Policy struct {
	Type        PolicyType
	Weight      uint32 // WeightedRoundRobin, WeightedRandom; 0: cannot serve
	Priority    uint32 // Priority; larger is better
	Load        uint32 // LeastUsed and those with it; 0xffffffff is 100 %
	Degradation uint32 // LeastUsedWithDegradation, PriorityLeastUsed: load that one more session adds
	Private     string // data of a type of private use, passed on as it is
}

// String returns the policy as logs have it.
func (p Policy) String() string { return socket.Policy(p).String() }

// SessionOptions are the settings of a session. Those in Options are what sessions begin
// with; Conn.SetOptions changes them later. A zero field means the default, also when it is
// set later: to change one, take what Conn.Options returns and change that.
type SessionOptions struct {
	// FailoverLimit is how long a session looks for another element, and a new
	// one for its first, before it fails with ErrNoElement; negative: for ever.
	// RSERPOOL_FAILOVER, in seconds or like 1m30s; 15 s.
	FailoverLimit time.Duration
	// SendBuffer and ReceiveBuffer bound what a session keeps to send (with
	// Replay: and to send again) and to be received, in bytes; 4 MiB, and at least
	// 4096: less is raised to that. The first counts what the peer's library has not
	// acknowledged, with 64 bytes more for each message; when it is full, Send
	// waits. Between two elements what came back may be as much once more. The
	// second counts what the program has not received; when it is full the peer of this session has to wait, for as long as this
	// process answers. An empty one has room for one message, however long.
	// Bookkeeping, 256 bytes for each message, may take as much memory as
	// ReceiveBuffer once more where messages are small. The traffic with registrars
	// has buffers of its own. The kernel's SCTP has one send buffer, of 1 MiB or
	// more, for all sessions of a socket, and keeps one half of ReceiveBuffer
	// itself, at least 64 KiB.
	SendBuffer, ReceiveBuffer int
	// SendLimit is how long the peer of a session that has no room for a message, which
	// has to wait, may take nothing: then that session
	// fails with ErrSendLimit, and no other one. It is looked at once in that time, so up
	// to twice as much may pass.
	// It does not run while the session looks for an element. Negative: for ever,
	// which is the default.
	SendLimit time.Duration
	// Notifications are what is told in band; none.
	Notifications Notifications
	// Replay keeps what a pool user sends until a cookie covers it, and sends
	// it again after a failover, behind the echo of that cookie. Elements need
	// it too: it makes their cookies say what they cover. It is chosen before
	// the session begins. See the package documentation.
	Replay bool
	// NoFailover ends a session of a pool user with the element that serves it,
	// instead of looking for another one (RFC 5352 section 6.5.5). What that one
	// did not get is given back: see NotifyUndelivered.
	NoFailover bool
	// HoldFailover keeps everything but the cookie back after a failover. The
	// program is told FailoverCompleted in any case; what it sends after it has
	// received that goes ahead of all messages that wait, until it calls Resume:
	// so it can tell the new element what that has to know before (RFC 5351
	// section 4.2). Nothing else is sent before Resume, which does nothing where there was
	// another failover that the program has not received yet. One goroutine receives.
	HoldFailover bool
	// FailBack lets a session of a pool element outlive its pool user, if that is
	// an element of a pool itself, which it says with a business card (RFC 5351
	// section 4.2): when it fails, another element of its pool takes its place, as
	// the card recommends or else as that pool's policy says. The session goes on
	// like one of a pool user: what was not delivered is sent to the new peer, as a
	// new session there.
	FailBack bool

	// DSCP is the differentiated services codepoint of the packets that this side
	// sends, 0 to 63 (RFC 2474). Those of the option of a socket also go to registrars.
	DSCP int

	// The rest tunes SCTP's failure detection (RFC 9260 section 16). Where none
	// of it is set a session of a pool user follows the round trip that it
	// measures: on a short path an element is given up that has not acknowledged
	// anything for about 0.8 s. Elements have more patience with pool users. RTO is the retransmission timeout,
	// Heartbeat the pause between heartbeats (negative: none), PathRetransmits
	// and AssocRetransmits how often in a row a path or a peer may fail to
	// answer.
	RTOInitial, RTOMin, RTOMax        time.Duration
	Heartbeat                         time.Duration
	PathRetransmits, AssocRetransmits int
}
