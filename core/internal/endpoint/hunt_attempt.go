package endpoint

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// connectAttempt is one association that is being set up with a registrar.
type connectAttempt struct {
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

// A registrar on this host costs nothing to try, and when its process dies
// another one takes its place: the first localTries pauses are no longer than
// localRetryMax.
const (
	localRetryMax = 200 * time.Millisecond
	localTries    = 50
)

// backoff is how long the registrar is left alone because it refused.
func (c *candidate) backoff() time.Duration {
	pause := min(retryFirst<<min(max(c.refusals, 1)-1, 10), retryMax)
	remote := slices.ContainsFunc(c.addrs, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
	if !remote && c.refusals <= localTries {
		return min(pause, localRetryMax)
	}
	return pause
}

// errIsHome ends an attempt that reached the home itself.
var errIsHome = errors.New("the same registrar")

func (h *hunt) abortAttempts(why string) {
	for _, a := range h.attempts {
		a.to.busy = false
		if _, up := h.peers[a.id]; a.id != 0 && !up {
			h.effects.add(Abort{Assoc: a.id, Reason: why})
		}
	}
	h.attempts = h.attempts[:0]
	h.forgetExpired()
}

// connectMore starts as many attempts as SH1 allows, and sees to it that the
// hunt goes on when the next registrar may be tried.
func (h *hunt) connectMore(now time.Time) {
	if !h.hunting {
		return
	}
	free := h.freeAssocs()
	var next time.Time
	for _, c := range slices.Clone(h.known) {
		switch {
		case c.busy || free <= 0:
		case !c.notBefore.After(now):
			h.connect(c)
			free--
		case next.IsZero() || c.notBefore.Before(next):
			next = c.notBefore
		}
	}
	if !next.IsZero() {
		h.timers.Set(&h.retry, next)
	}
}

// freeAssocs is how many more associations with registrars there may be.
func (h *hunt) freeAssocs() int {
	free := maxAssocs - len(h.attempts)
	for _, id := range []assoc.ID{h.home.id, h.formerHome} {
		if id != 0 {
			free--
		}
	}
	return free
}

func (h *hunt) connect(c *candidate) {
	c.busy = true
	h.lastToken++
	h.attempts = append(h.attempts, connectAttempt{token: h.lastToken, to: c})
	// Whoever is tried now comes last next time, so that the next set is a
	// different one (ASAP-3.6-15).
	i := slices.Index(h.known, c)
	h.known = append(slices.Delete(h.known, i, i+1), c)
	h.effects.add(Connect{Token: h.lastToken, Addrs: c.addrs})
}

// connecting notes which association belongs to a token.
func (h *hunt) connecting(now time.Time, token Token, id assoc.ID) {
	_, up := h.peers[id]
	i := h.attemptByToken(token)
	switch {
	case i < 0 && !up:
		h.effects.add(Abort{Assoc: id, Reason: "no longer needed"})
	case i < 0:
	case id == h.home.id:
		h.attemptFailed(now, i, errIsHome)
	default:
		h.attempts[i].id = id
		if up {
			h.attemptSucceeded(now, i)
		}
	}
}

// connectFailed notes that the transport refused an attempt at once.
func (h *hunt) connectFailed(now time.Time, token Token, err error) {
	if i := h.attemptByToken(token); i >= 0 {
		h.attemptFailed(now, i, err)
	}
}

func (h *hunt) attemptByToken(token Token) int {
	return slices.IndexFunc(h.attempts, func(a connectAttempt) bool { return a.token == token })
}

func (h *hunt) attemptByAssoc(id assoc.ID) int {
	return slices.IndexFunc(h.attempts, func(a connectAttempt) bool { return id != 0 && a.id == id })
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
	if errors.Is(err, assoc.ErrTimeout) || errors.Is(err, errIsHome) {
		c.notBefore = h.t5.At()
	} else {
		c.refusals++
		c.notBefore = now.Add(c.backoff())
	}
	h.release(c)
	h.checkRound()
	h.connectMore(now)
}
