package endpoint

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Config is read once, by New. Zero fields take the default that is given with
// them; the names are those of RFC 5352 section 7.
type Config struct {
	// Rand draws PE identifiers, jitter, the order of the hunt and random
	// selections. The owner seeds it well: PE identifiers must not be
	// predictable (ASAP-3.1-04). Required.
	Rand *rand.Rand

	// Registrars are known from the start and never forgotten (ASAP-3.6-07).
	// Each entry is one registrar with one or more addresses.
	Registrars [][]netip.AddrPort
	// LookUp says that registrars are configured by name, too: the effect of
	// that name asks for their addresses.
	LookUp bool
	// Discover is how long a hunt that knows no registrar at all waits for
	// announcements before the round counts as failed. Default 0: not at all.
	Discover time.Duration
	// MaxAnnounced bounds the list of announced registrars (SEC-2.12-02).
	// Default 64.
	MaxAnnounced int
	// HuntRounds is after how many rounds in which no known registrar could be
	// reached Register, Resolve and OpenSession fail with NoRegistrarError.
	// Default 1; negative: never, they wait for a registrar.
	HuntRounds int

	RequestTimeout  time.Duration // T1-ENRPrequest; 15 s
	RegisterTimeout time.Duration // T2-registration; 30 s
	DeregTimeout    time.Duration // T3-deregistration; 30 s
	Reregister      time.Duration // T4-reregistration, upper limit; 600 s
	HuntTimeout     time.Duration // T5-Serverhunt, first value; 10 s
	AnnounceLife    time.Duration // T7-ENRPoutdate; 5 s
	RetransMax      time.Duration // RETRAN-MAX, limit of T5; 60 s
	MaxRegAttempt   int           // MAX-REG-ATTEMPT; 2, negative: none
	MaxRetransmit   int           // MAX-REQUEST-RETRANSMIT; 2, negative: none
	StaleCache      time.Duration // stale_cache_value; 30 s, negative: no cache

	// Items is how many PEs a resolution asks for; 0: the registrar decides.
	Items uint32
	// Subscribe asks registrars for updates of the pools of open sessions
	// (ASAP-2.2.5-01).
	Subscribe bool
	// FailoverLimit is how long a session looks for another PE after its own
	// failed, and a new one for its first. Default 30 s; negative: for ever.
	FailoverLimit time.Duration
	// MaxWaiting bounds the sessions and resolutions that wait at a time.
	// Default 65536.
	MaxWaiting int
}

// withDefaults returns the values to work with.
func (c Config) withDefaults() *Config {
	c.MaxAnnounced = cmp.Or(c.MaxAnnounced, 64)
	c.HuntRounds = cmp.Or(c.HuntRounds, 1)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 15*time.Second)
	c.RegisterTimeout = cmp.Or(c.RegisterTimeout, 30*time.Second)
	c.DeregTimeout = cmp.Or(c.DeregTimeout, 30*time.Second)
	c.Reregister = cmp.Or(c.Reregister, 600*time.Second)
	c.HuntTimeout = cmp.Or(c.HuntTimeout, 10*time.Second)
	c.AnnounceLife = cmp.Or(c.AnnounceLife, 5*time.Second)
	c.RetransMax = cmp.Or(c.RetransMax, 60*time.Second)
	c.MaxRegAttempt = cmp.Or(c.MaxRegAttempt, 2)
	c.MaxRetransmit = cmp.Or(c.MaxRetransmit, 2)
	c.StaleCache = cmp.Or(c.StaleCache, 30*time.Second)
	c.FailoverLimit = cmp.Or(c.FailoverLimit, 30*time.Second)
	c.MaxWaiting = cmp.Or(c.MaxWaiting, 65536)
	c.MaxRegAttempt, c.MaxRetransmit = max(c.MaxRegAttempt, 0), max(c.MaxRetransmit, 0)
	return &c
}
