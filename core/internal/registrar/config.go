package registrar

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Config is everything a registrar is told. Zero fields mean the default
// given in their comment. New reads it once.
type Config struct {
	// Rand is the only source of randomness. It must be set.
	Rand *rand.Rand

	// ServerID is the registrar's identity until it restarts; 0 draws a random
	// one (ENRP-2.1-01).
	ServerID protocol.ServerID

	// ASAP lists the transports (SCTP, TCP) on which ASAP is served, as
	// announced to others. ENRP is the transport of the ENRP endpoint; without
	// it the registrar has no peers.
	ASAP []protocol.Transport
	ENRP protocol.Transport

	// Peers are the ENRP addresses of other registrars, one entry each
	// (ENRP-3.2-01). Without any, the registrar serves at once (ENRP-3.2-02).
	Peers [][]netip.AddrPort

	// Accept are addresses that PEs may register beside those of their
	// association: PEs behind a NAT advertise them.
	Accept []netip.Prefix

	// LookUp says that peers are configured by name, too: LookUpPeers asks for
	// their addresses.
	LookUp bool

	// Local are the addresses that our ENRP endpoint is bound to, perhaps a
	// wildcard: a peer that is configured there is ourselves, as at those of ENRP.
	Local []netip.AddrPort

	// Restored is what the registrar knew before a restart (restore).
	Restored []enrp.PoolEntry

	// Handover makes the registrar give PEs away: all when it leaves, some when
	// it owns more than its share; and take what others give it.
	Handover bool

	// Announce sends ASAP_SERVER_ANNOUNCE (ASAP-3.6-02).
	Announce bool

	// Multicast looks for peers by ENRP_PRESENCE to a group, besides Peers.
	Multicast bool

	Limits    Limits
	KeepAlive KeepAlive
	Timers    Timers
	Interop   Interop
}

// Interop are habits of RSPLIB that a group which includes it has to share.
type Interop struct {
	// LifeInMilliseconds reads registration lives as RSPLIB writes them, and
	// lets none be infinite.
	LifeInMilliseconds bool
	// LowerIDWins inverts the arbitration of takeovers.
	LowerIDWins bool
	// NoWarnings grants registrations without an Operation Error beside, which
	// its PEs take for a refusal.
	NoWarnings bool
}

// Limits bound what others can make the registrar hold or send.
type Limits struct {
	Pools         int // 100,000
	Elements      int // 1,000,000 in all pools
	Links         int // 100,000 associations and connections beside those of PEs, which Elements bounds
	Subscriptions int // 100,000; beyond, answers say A = 0 (ASAP-2.2.6-01)
	Handle        int // protocol.MaxPoolHandle bytes; longer ones are refused (COM-3.9-02)
	Peers         int // 1,000 registrars
	TablePart     int // 60,000 bytes of entries in one part of a handle table

	// ResponseItems bounds the PEs in one answer (E-07): 128, which is also
	// the most the incumbent's PUs accept.
	ResponseItems int

	// Life is the longest registration life granted, in seconds; longer and
	// infinite ones are shortened with a warning (ASAP-3.1-30). 0 = any.
	Life protocol.Life

	// BadReports is MAX-BAD-PE-REPORT: a PE is removed when the number of
	// unreachability reports exceeds it (ASAP-3.5-09, E-10): 3. Negative: never.
	BadReports int

	// Reports per second heard from one link, and the burst above that
	// (SEC-2.13-01): 20 and 100.
	ReportRate, ReportBurst int
}

// Associations is how many there can be at the ASAP endpoint: those of PEs, one
// each, and the others.
func (l Limits) Associations() int {
	l.fill()
	return l.Elements + l.Links
}

// KeepAlive tunes the supervision of PEs (ASAP-3.5; E-25).
type KeepAlive struct {
	Interval time.Duration // 30 s between probes, each drawn from +-50 % (ASAP-3.5-13); negative: none
	Timeout  time.Duration // 5 s for the acknowledgement
	Retries  int           // 1 more probe before a PE counts as dead; negative: none
	Gap      time.Duration // 1 s at least between two probes of a PE that others can provoke (SEC-2.14-01)

	// Rate is a budget of probes per second for all PEs that the registrar
	// owns: with few of them each is asked more often than Interval says, down
	// to once per Least (1 s), and has less time to answer, down to 60 % of
	// that. 0: always Interval and Timeout.
	Rate  int
	Least time.Duration
}

// Attentive finds a PE that hangs within three seconds while there are few, for
// 100 probes per second: up to 100 PEs are asked once per second. From 3,000 on
// each is asked once per Interval, whatever that takes.
func Attentive() KeepAlive { return KeepAlive{Rate: 100} }

// Timers holds the other times.
type Timers struct {
	Update   time.Duration // 1 s at least between two updates of a subscription (ASAP-2.2.5-06)
	Announce time.Duration // T6-Serverannounce: 1 s, times (N+1) (ASAP-3.6-02); of presences to the group too
	IdleLink time.Duration // 60 s until a link that only served a probe is closed

	Heartbeat      time.Duration // PEER-HEARTBEAT-CYCLE: 30 s
	LastHeard      time.Duration // MAX-TIME-LAST-HEARD: 61 s
	Discover       time.Duration // 2 s until one that found nobody by multicast serves alone (ENRP-3.2-02)
	NoResponse     time.Duration // MAX-TIME-NO-RESPONSE for a probe: 5 s
	Mentor         time.Duration // MAX-TIME-NO-RESPONSE for the list of a mentor: 5 s
	MentorRetry    time.Duration // 3 s after a rejection (ENRP-3.2-08)
	TableResponse  time.Duration // 5 s for each part of a table (ENRP-3.2-19)
	TableSession   time.Duration // 30 s until an unfinished download is forgotten (ENRP-3.2-20)
	ResyncBackoff  time.Duration // 1 s, doubling while a peer keeps mismatching (ENRP-3.6-16)
	TakeoverResume time.Duration // 30 s until a takeover lost to another is started over (ENRP-3.5-11)
}

// Brisk are timers with which a registrar that dies without a word is replaced
// within four seconds: 2.5 s of silence, 1 s for the answer to a probe. With the
// RFC's values it takes 66 s, during which the PEs of the dead registrar are not
// supervised. The price is a presence per peer and second. One that is thought
// dead too early stops the takeover by any message.
func Brisk() Timers {
	return Timers{
		Heartbeat: time.Second, LastHeard: 2500 * time.Millisecond, NoResponse: time.Second,
		MentorRetry: time.Second, TakeoverResume: 5 * time.Second,
	}
}

// Shipped is how a registrar runs that nobody told otherwise.
func Shipped() Config {
	return Config{KeepAlive: Attentive(), Timers: Brisk(), Handover: true}
}

// resolve returns c with defaults filled in, or what is wrong with it.
func (c Config) resolve() (Config, error) {
	if c.Rand == nil {
		return c, errors.New("registrar: Config.Rand is not set; give it a seeded source")
	}
	for c.ServerID == 0 {
		c.ServerID = protocol.ServerID(c.Rand.Uint32())
	}
	c.Limits.fill()
	c.KeepAlive.fill()
	c.Timers.fill()
	return c, nil
}

func (l *Limits) fill() {
	l.Pools = cmp.Or(l.Pools, 100_000)
	l.Elements = cmp.Or(l.Elements, 1_000_000)
	l.Links = cmp.Or(l.Links, 100_000)
	l.Subscriptions = cmp.Or(l.Subscriptions, 100_000)
	l.Handle = cmp.Or(l.Handle, protocol.MaxPoolHandle)
	l.Peers = cmp.Or(l.Peers, 1000)
	l.TablePart = cmp.Or(l.TablePart, 60_000)
	l.ResponseItems = cmp.Or(l.ResponseItems, protocol.ResponseItems)
	l.BadReports = cmp.Or(l.BadReports, 3)
	l.ReportRate = cmp.Or(l.ReportRate, 20)
	l.ReportBurst = cmp.Or(l.ReportBurst, 100)
}

func (k *KeepAlive) fill() {
	k.Interval = cmp.Or(k.Interval, 30*time.Second)
	k.Timeout = cmp.Or(k.Timeout, 5*time.Second)
	k.Retries = cmp.Or(k.Retries, 1)
	k.Gap = cmp.Or(k.Gap, time.Second)
	k.Least = cmp.Or(k.Least, time.Second)
	k.Retries = min(max(k.Retries, 0), 100)
}

func (t *Timers) fill() {
	t.Update = cmp.Or(t.Update, time.Second)
	t.Announce = cmp.Or(t.Announce, time.Second)
	t.IdleLink = cmp.Or(t.IdleLink, time.Minute)
	t.Heartbeat = cmp.Or(t.Heartbeat, 30*time.Second)
	t.LastHeard = cmp.Or(t.LastHeard, 61*time.Second)
	t.Discover = cmp.Or(t.Discover, 2*time.Second)
	t.NoResponse = cmp.Or(t.NoResponse, 5*time.Second)
	t.Mentor = cmp.Or(t.Mentor, 5*time.Second)
	t.MentorRetry = cmp.Or(t.MentorRetry, 3*time.Second)
	t.TableResponse = cmp.Or(t.TableResponse, 5*time.Second)
	t.TableSession = cmp.Or(t.TableSession, 30*time.Second)
	t.ResyncBackoff = cmp.Or(t.ResyncBackoff, time.Second)
	t.TakeoverResume = cmp.Or(t.TakeoverResume, 30*time.Second)
}
