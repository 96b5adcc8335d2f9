package endpoint

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// newsKind tells news about the home apart.
type newsKind uint8

// What may come out of a hunt.
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
// takeNews after every other call, and want whenever the need of a home may have changed.
type hunt struct {
	cfg     *Config
	effects *effects
	timers  timers

	known []*candidate // whom to try next first
	names registrarNames
	peers map[assoc.ID]assocAddrs

	hunting      bool
	attempts     []attempt
	t5           timer
	interval     time.Duration // of T5
	retry        timer
	failedRounds int
	tryingAll    bool // nobody waited for the present round before it began
	lastToken    Token

	home   homeRegistrar
	former assoc.ID // home before, kept until releaseFormer
	news   []homeNews
}

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
	o := h.news[0]
	h.news = h.news[1:]
	return o, true
}

// want says whether anything needs a home. The hunt starts and stops with it
// (ASAP-3.6-09); a home that was found stays.
func (h *hunt) want(now time.Time, wanted bool) {
	switch {
	case wanted && h.home.id == 0 && !h.hunting:
		h.start(now)
	case !wanted && h.hunting:
		h.stop("no longer needed")
	}
}

// tryAllNow makes a hunt that has slowed down try everybody at once, because
// somebody begins to wait for it. It returns at once when others wait already.
func (h *hunt) tryAllNow(now time.Time) { h.tryAll(now, true) }

// tryAllAgain is tryAllNow for somebody who has waited for some time, and asks
// often: names are not looked up each time.
func (h *hunt) tryAllAgain(now time.Time) { h.tryAll(now, now.Sub(h.names.answered) >= lookUpPause) }

func (h *hunt) tryAll(now time.Time, lookUp bool) {
	if h.home.id != 0 || !h.hunting || h.tryingAll || !lookUp && len(h.known) == 0 {
		return
	}
	h.tryingAll = true
	if lookUp {
		h.lookUp(now)
	}
	for _, c := range h.known {
		c.failed, c.readyAt = false, now
	}
	h.interval = h.cfg.HuntTimeout
	h.timers.Set(&h.t5, now.Add(h.interval))
	h.fill(now)
}

// registrarStarted notes that a known registrar has just been started: whoever
// refused of late may be tried at once.
func (h *hunt) registrarStarted(now time.Time) {
	for _, c := range h.known {
		if c.refused > 0 && !c.busy {
			c.failed, c.refused, c.readyAt = false, 0, now
		}
	}
	h.fill(now)
}

// assocUp notes an association that stands; it may be one that was asked for.
// host are addresses at which the own end is reached beside local, of a peer on
// this host.
func (h *hunt) assocUp(now time.Time, id assoc.ID, local, host, remote []netip.AddrPort) {
	h.peers[id] = assocAddrs{local, host, remote}
	if i := h.attemptOf(id); i >= 0 {
		h.attemptSucceeded(now, i)
	}
}

// assocLost notes that an association ended or could not be set up.
func (h *hunt) assocLost(now time.Time, id assoc.ID, err error) {
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

// assocRestarted notes that the other end of an association lost its memory.
func (h *hunt) assocRestarted(id assoc.ID) {
	if id != 0 && id == h.home.id {
		h.home.server = 0
		h.news = append(h.news, homeNews{kind: restartedHome})
	}
}

// peer returns the two ends of an association that stands.
func (h *hunt) peer(id assoc.ID) (local, remote []netip.AddrPort) {
	p := h.peers[id]
	return p.local, p.remote
}

// hostAddrs returns the addresses of this host beside those of an association
// that stands, if its peer is on it.
func (h *hunt) hostAddrs(id assoc.ID) []netip.AddrPort { return h.peers[id].host }

// homeServer returns the identifier by which the home is known, or 0.
func (h *hunt) homeServer() protocol.ServerID { return h.home.server }
