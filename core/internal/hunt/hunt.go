// Package hunt finds and keeps the home registrar of one ASAP endpoint: the
// list of known registrars (RFC 5352 section 3.6), the server hunt SH1 to SH6,
// and the association with the registrar that was chosen. It is a plain
// sub-state of endpoint.Endpoint.
package hunt

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// Token correlates a Connect effect with the events that answer it. Zero is
// never used.
type Token uint64

// Config is what a Hunt needs to know. All fields are set.
type Config struct {
	Rand         *rand.Rand
	Discover     time.Duration // how long an empty list waits for announcements
	LookUp       bool          // there are names, whose addresses LookUp asks for
	MaxAnnounced int
	Timeout      time.Duration // T5-Serverhunt, first value
	RetransMax   time.Duration // RETRAN-MAX
	AnnounceLife time.Duration // T7-ENRPoutdate
}

// Out takes the effects of a Hunt.
type Out interface {
	Connect(token Token, addrs []netip.AddrPort)
	LookUp() // LookedUp is the answer, always
	Shutdown(id assoc.ID)
	Abort(id assoc.ID, reason string)
}

// Kind tells Outcomes apart.
type Kind uint8

// What may come out of a hunt.
const (
	Found     Kind = iota + 1 // a home was found by hunting
	Moved                     // a registrar made itself home (H flag)
	Restarted                 // the home restarted and has forgotten us
	Lost                      // the home is gone
	RoundOver                 // every known registrar was tried in vain
)

// Outcome is news about the home. Err belongs to Lost and RoundOver.
type Outcome struct {
	Kind Kind
	Err  error
}

// maxAssocs is how many associations with registrars there may be at a time,
// the home's included (SH1, ASAP-3.6-10).
const maxAssocs = 3

// Hunt is the sub-state. Its owner calls Take after every other call and Want
// whenever the need of a home may have changed.
type Hunt struct {
	cfg    Config
	out    Out
	timers timerq.Queue[func(time.Time)]

	known []*candidate // whom to try next first
	names names
	peers map[assoc.ID]peer

	hunting   bool
	attempts  []attempt
	t5        timerq.Timer[func(time.Time)]
	interval  time.Duration // of T5
	retry     timerq.Timer[func(time.Time)]
	rounds    int
	fresh     bool // nobody waited for the present round before it began
	lastToken Token

	home     home
	former   assoc.ID // home before, kept until ReleaseFormer
	outcomes []Outcome
}

type peer struct{ local, host, remote []netip.AddrPort }

// New returns a Hunt that knows no registrar yet.
func New(cfg Config, out Out) *Hunt {
	h := &Hunt{cfg: cfg, out: out, peers: map[assoc.ID]peer{}, interval: cfg.Timeout}
	h.t5.Value = h.t5Due
	h.retry.Value = h.retryDue
	h.names.again.Value = h.lookUpAgain
	return h
}

// Next returns the earliest deadline.
func (h *Hunt) Next() (time.Time, bool) { return h.timers.Next() }

// Advance lets deadlines pass.
func (h *Hunt) Advance(now time.Time) {
	for t := h.timers.Due(now); t != nil; t = h.timers.Due(now) {
		t.Value(now)
	}
}

// Take returns the oldest outcome that was not taken yet.
func (h *Hunt) Take() (Outcome, bool) {
	if len(h.outcomes) == 0 {
		return Outcome{}, false
	}
	o := h.outcomes[0]
	h.outcomes = h.outcomes[1:]
	return o, true
}

// Want says whether anything needs a home. The hunt starts and stops with it
// (ASAP-3.6-09); a home that was found stays.
func (h *Hunt) Want(now time.Time, wanted bool) {
	switch {
	case wanted && h.home.id == 0 && !h.hunting:
		h.start(now)
	case !wanted && h.hunting:
		h.stop("no longer needed")
	}
}

// Rounds returns how many rounds failed so far.
func (h *Hunt) Rounds() int { return h.rounds }

// Kick makes a hunt that has slowed down try everybody at once, because a user
// begins to wait for it. It returns at once when others wait already.
func (h *Hunt) Kick(now time.Time) { h.kick(now, true) }

// Again is Kick for somebody who has waited for some time, and asks often: names
// are not looked up each time.
func (h *Hunt) Again(now time.Time) { h.kick(now, now.Sub(h.names.answered) >= lookUpPause) }

func (h *Hunt) kick(now time.Time, lookUp bool) {
	if h.home.id != 0 || !h.hunting || h.fresh || !lookUp && len(h.known) == 0 {
		return
	}
	h.fresh = true
	if lookUp {
		h.lookUp(now)
	}
	for _, c := range h.known {
		c.failed, c.readyAt = false, now
	}
	h.interval = h.cfg.Timeout
	h.timers.Set(&h.t5, now.Add(h.interval))
	h.fill(now)
}

// Started notes that a known registrar has just been started: whoever refused of
// late may be tried at once.
func (h *Hunt) Started(now time.Time) {
	for _, c := range h.known {
		if c.refused > 0 && !c.busy {
			c.failed, c.refused, c.readyAt = false, 0, now
		}
	}
	h.fill(now)
}

// AssocUp notes an association that stands; it may be one that was asked for.
// host are addresses at which the own end is reached beside local, of a peer on
// this host.
func (h *Hunt) AssocUp(now time.Time, id assoc.ID, local, host, remote []netip.AddrPort) {
	h.peers[id] = peer{local, host, remote}
	if i := h.attemptOf(id); i >= 0 {
		h.attemptSucceeded(now, i)
	}
}

// AssocLost notes that an association ended or could not be set up.
func (h *Hunt) AssocLost(now time.Time, id assoc.ID, err error) {
	delete(h.peers, id)
	switch i := h.attemptOf(id); {
	case id == 0:
	case i >= 0:
		h.attemptFailed(now, i, err)
	case id == h.home.id:
		h.homeLost(now, err)
	case id == h.former:
		h.former = 0
		h.fill(now)
	}
}

// AssocRestarted notes that the other end of an association lost its memory.
func (h *Hunt) AssocRestarted(id assoc.ID) {
	if id != 0 && id == h.home.id {
		h.home.server = 0
		h.outcomes = append(h.outcomes, Outcome{Kind: Restarted})
	}
}

// Peer returns the two ends of an association that stands.
func (h *Hunt) Peer(id assoc.ID) (local, remote []netip.AddrPort) {
	p := h.peers[id]
	return p.local, p.remote
}

// Host returns the addresses of this host beside those of an association that
// stands, if its peer is on it.
func (h *Hunt) Host(id assoc.ID) []netip.AddrPort { return h.peers[id].host }

// Server returns the identifier by which the home is known, or 0.
func (h *Hunt) Server() protocol.ServerID { return h.home.server }
