package endpoint

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// attempt is one association that is being set up with a registrar.
type attempt struct {
	token Token
	id    assoc.ID // 0 until the transport has told it
	to    *candidate
}

// A registrar that refuses is tried again after retryFirst, doubling up to
// retryMax: one that restarts is found within moments, whatever T5 is.
const (
	retryFirst = 100 * time.Millisecond
	retryMax   = 2 * time.Second
)

func backoff(refused int) time.Duration {
	return min(retryFirst<<min(max(refused, 1)-1, 10), retryMax)
}

// One on this host, which costs nothing to try, is tried that often for a while
// whatever it does: when its process dies another one takes its place.
const (
	retryHere = 200 * time.Millisecond
	triesHere = 50
)

// backoff is how long the registrar stands back because it refused.
func (c *candidate) backoff() time.Duration {
	here := !slices.ContainsFunc(c.addrs, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
	if here && c.refused <= triesHere {
		return min(backoff(c.refused), retryHere)
	}
	return backoff(c.refused)
}

// Those who wait for a pool or a registrar that is not there yet leave between
// two attempts a sixteenth of the time they have waited: they see what comes soon
// soon, and are no burden when it takes long.
const (
	pauseMin     = 50 * time.Millisecond
	huntPauseMax = time.Second
	pausePart    = 16
)

// pauseAfter is how long to leave somebody alone who had nothing to give for the time
// waited.
func pauseAfter(waited time.Duration) time.Duration {
	return min(max(waited/pausePart, pauseMin), huntPauseMax)
}

// errSameServer ends an attempt that reached the home itself.
var errSameServer = errors.New("the same registrar")

// start begins a hunt with a first round: SH1 and SH2.
func (h *hunt) start(now time.Time) {
	h.hunting, h.tryingAll = true, true
	h.interval = h.cfg.HuntTimeout // SH3: not what the last hunt has come to
	// The start is random so that the load spreads (ASAP-3.6-17), but those
	// that failed of late come last.
	h.cfg.Rand.Shuffle(len(h.known), func(i, j int) { h.known[i], h.known[j] = h.known[j], h.known[i] })
	slices.SortStableFunc(h.known, func(a, b *candidate) int { return min(a.refused, 1) - min(b.refused, 1) })
	for _, c := range h.known {
		c.failed, c.spurned = c.spurned, false // who has sent us away has failed
	}
	h.timers.Set(&h.t5, now.Add(h.interval))
	h.lookUp(now)
	h.fill(now)
	h.checkRound()
	if len(h.known) > 0 || h.home.id != 0 {
		return
	}
	if h.cfg.Discover > 0 {
		h.timers.Set(&h.retry, now.Add(h.cfg.Discover))
		return
	}
	h.roundOver()
}

// stop ends the hunt and all its attempts.
func (h *hunt) stop(why string) {
	h.hunting, h.tryingAll = false, false
	h.timers.Stop(&h.t5)
	h.timers.Stop(&h.retry)
	h.timers.Stop(&h.names.again)
	h.abortAttempts(why)
}

func (h *hunt) abortAttempts(why string) {
	for _, a := range h.attempts {
		a.to.busy = false
		if _, up := h.peers[a.id]; a.id != 0 && !up {
			h.effects.add(Abort{Assoc: a.id, Reason: why})
		}
	}
	h.attempts = h.attempts[:0]
	h.sweep()
}

// fill starts as many attempts as SH1 allows, and sees to it that the hunt
// goes on when the next registrar may be tried.
func (h *hunt) fill(now time.Time) {
	if !h.hunting {
		return
	}
	free := maxAssocs - len(h.attempts) - count(h.home.id) - count(h.former)
	var next time.Time
	for _, c := range slices.Clone(h.known) {
		switch {
		case c.busy || free <= 0:
		case !c.readyAt.After(now):
			h.try(c)
			free--
		case next.IsZero() || c.readyAt.Before(next):
			next = c.readyAt
		}
	}
	if !next.IsZero() {
		h.timers.Set(&h.retry, next)
	}
}

func count(id assoc.ID) int { return int(min(id, 1)) }

func (h *hunt) try(c *candidate) {
	c.busy = true
	h.lastToken++
	h.attempts = append(h.attempts, attempt{token: h.lastToken, to: c})
	// The next set is a different one (ASAP-3.6-15).
	i := slices.Index(h.known, c)
	h.known = append(slices.Delete(h.known, i, i+1), c)
	h.effects.add(Connect{Token: h.lastToken, Addrs: c.addrs})
}

// connecting notes which association belongs to a token.
func (h *hunt) connecting(now time.Time, token Token, id assoc.ID) {
	_, up := h.peers[id]
	i := slices.IndexFunc(h.attempts, func(a attempt) bool { return a.token == token })
	switch {
	case i < 0 && !up:
		h.effects.add(Abort{Assoc: id, Reason: "no longer needed"})
	case i < 0:
	case id == h.home.id:
		h.attemptFailed(now, i, errSameServer)
	default:
		h.attempts[i].id = id
		if up {
			h.attemptSucceeded(now, i)
		}
	}
}

// connectFailed notes that the transport refused an attempt at once.
func (h *hunt) connectFailed(now time.Time, token Token, err error) {
	if i := slices.IndexFunc(h.attempts, func(a attempt) bool { return a.token == token }); i >= 0 {
		h.attemptFailed(now, i, err)
	}
}

func (h *hunt) attemptOf(id assoc.ID) int {
	return slices.IndexFunc(h.attempts, func(a attempt) bool { return id != 0 && a.id == id })
}

func (h *hunt) attemptSucceeded(now time.Time, i int) {
	a := h.attempts[i]
	h.attempts = slices.Delete(h.attempts, i, i+1)
	h.becomeHome(now, a.id, a.to, foundHome)
}

// attemptFailed frees a place for another address (SH4). A refusal is soon
// worth another try; a registrar that did not answer waits for the next round.
func (h *hunt) attemptFailed(now time.Time, i int, err error) {
	c := h.attempts[i].to
	h.attempts = slices.Delete(h.attempts, i, i+1)
	c.failed, c.err = true, err
	if errors.Is(err, assoc.ErrTimeout) || errors.Is(err, errSameServer) {
		c.readyAt = h.t5.At()
	} else {
		c.refused++
		c.readyAt = now.Add(c.backoff())
	}
	h.release(c)
	h.checkRound()
	h.fill(now)
}

func (h *hunt) retryDue(now time.Time) {
	if len(h.known) == 0 {
		h.roundOver()
	}
	h.fill(now)
}

// t5Due is SH5: double T5, give up what is pending, go on with others.
func (h *hunt) t5Due(now time.Time) {
	h.interval = min(2*h.interval, h.cfg.RetransMax)
	h.timers.Set(&h.t5, now.Add(h.interval))
	for _, a := range h.attempts {
		a.to.failed, a.to.err, a.to.readyAt = true, nil, now
	}
	h.abortAttempts("no answer within T5")
	if len(h.known) == 0 {
		h.roundOver()
	}
	h.checkRound()
	h.fill(now)
}

// checkRound ends a round in which every known registrar failed.
func (h *hunt) checkRound() {
	if len(h.known) == 0 || slices.ContainsFunc(h.known, func(c *candidate) bool { return !c.failed }) {
		return
	}
	h.roundOver()
}

func (h *hunt) roundOver() {
	if h.home.id != 0 || h.unresolved() {
		return // a hunt beside a home that is still there, or whose names nobody has looked up yet
	}
	var tried []Tried
	for _, c := range h.known {
		tried = append(tried, Tried{Addrs: c.addrs, Err: c.err})
		c.failed = false
	}
	tried = append(tried, h.names.failed...)
	h.failedRounds++
	h.tryingAll = false
	h.news = append(h.news, homeNews{kind: failedRound, err: &NoRegistrarError{Tried: tried}})
}
