package endpoint

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// newsKind tells news about the home apart.
type newsKind uint8

// What hunt may tell of.
const (
	foundHome     newsKind = iota + 1 // a home was found by hunting
	movedHome                         // a registrar made itself home (H flag)
	restartedHome                     // the home restarted and has forgotten us
	lostHome                          // the home is gone
	failedRound                       // every known registrar was tried in vain
)

// homeNews is news about the home. err belongs to lostHome and failedRound.
type homeNews struct {
	kind newsKind
	err  error
}

// maxAssocs is how many associations with registrars there may be at a time,
// the home's included (SH1, ASAP-3.6-10).
const maxAssocs = 3

// hunt is the sub-state that finds and keeps the home registrar. Endpoint calls
// takeNews after every other call, and want whenever the need of a home may
// have changed.
type hunt struct {
	cfg     *Config
	effects *effects
	timers  timers

	known []*candidate // whom to try next first
	names registrarNames
	peers map[assoc.ID]assocAddrs // of all associations that stand

	hunting      bool
	attempts     []connectAttempt
	t5           timer
	interval     time.Duration // of T5
	retry        timer         // when the next registrar may be tried
	failedRounds int
	tryingAll    bool // the present round began for somebody who waits
	lastToken    Token

	home       homeRegistrar
	formerHome assoc.ID // kept until releaseFormerHome
	news       []homeNews
}

// assocAddrs are the two ends of an association. host are addresses at which
// the own end is reached beside local, of a peer on this host.
type assocAddrs struct{ local, host, remote []netip.AddrPort }

func newHunt(cfg *Config, out *effects) *hunt {
	h := &hunt{cfg: cfg, effects: out, peers: map[assoc.ID]assocAddrs{}, interval: cfg.HuntTimeout}
	h.t5.Value = h.t5Due
	h.retry.Value = h.retryDue
	h.names.again.Value = h.lookUpAgain
	return h
}

// takeNews returns the oldest news that was not taken yet.
func (h *hunt) takeNews() (homeNews, bool) {
	if len(h.news) == 0 {
		return homeNews{}, false
	}
	news := h.news[0]
	h.news = h.news[1:]
	return news, true
}

// assocUp notes an association that stands; it may be one that was asked for.
func (h *hunt) assocUp(now time.Time, id assoc.ID, addrs assocAddrs) {
	h.peers[id] = addrs
	if i := h.attemptByAssoc(id); i >= 0 {
		h.attemptSucceeded(now, i)
	}
}

// assocLost notes that an association ended or could not be set up.
func (h *hunt) assocLost(now time.Time, id assoc.ID, err error) {
	delete(h.peers, id)
	switch i := h.attemptByAssoc(id); {
	case id == 0:
	case i >= 0:
		h.attemptFailed(now, i, err)
	case id == h.home.id:
		h.homeLost(now, err)
	case id == h.formerHome:
		h.formerHome = 0
		h.connectMore(now)
	}
}

// assocRestarted notes that the other end of an association lost its memory.
func (h *hunt) assocRestarted(id assoc.ID) {
	if id != 0 && id == h.home.id {
		h.home.server = 0
		h.news = append(h.news, homeNews{kind: restartedHome})
	}
}

// addrs returns the addresses of an association that stands.
func (h *hunt) addrs(id assoc.ID) assocAddrs { return h.peers[id] }

// homeServer returns the identifier by which the home is known, or 0.
func (h *hunt) homeServer() protocol.ServerID { return h.home.server }
