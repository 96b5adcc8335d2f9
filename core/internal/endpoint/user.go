package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// user is the sub-state that is the PU role.
type user struct {
	cfg     *Config
	effects *effects
	hunt    *hunt
	element *element
	timers  timers

	cache      cache
	down       []downPE
	reports    []report
	reportsEnd timer      // of the newest
	requests   []*request // in the order in which they were made
	waiting    int        // waiters of all requests
	sessions   map[SessionID]*session
	inUse      map[protocol.PoolHandle]int // sessions by pool
	byAssoc    map[assoc.ID]*session
}

func newUser(cfg *Config, h *hunt, e *element, out *effects) *user {
	u := &user{
		cfg: cfg, hunt: h, element: e, effects: out,
		cache:    cache{pools: map[protocol.PoolHandle]*cachedPool{}},
		sessions: map[SessionID]*session{},
		inUse:    map[protocol.PoolHandle]int{},
		byAssoc:  map[assoc.ID]*session{},
	}
	u.reportsEnd.Value = u.reportsOver
	return u
}

// needsHome says whether the user wants to have a home: to ask or report
// something now, or to be quick when the PE of a session fails.
func (u *user) needsHome() bool {
	return len(u.requests) > 0 || len(u.sessions) > 0 || len(u.reports) > 0
}

// homeFound sends what could not be sent (ASAP-3.3-05, ASAP-3.7-06), and asks
// for updates again: subscriptions die with the association (ASAP-2.2.5-02).
func (u *user) homeFound(now time.Time) {
	for _, r := range slices.Clone(u.requests) {
		u.send(now, r)
	}
	u.sendReports(now)
	for _, e := range u.cache.order {
		if e.subscribed == 0 || e.subscribed == u.hunt.homeAssoc() {
			continue
		}
		e.subscribed = 0
		if u.inUse[e.handle] > 0 {
			u.refresh(now, e.handle)
		}
	}
}

// homeLost notes that the home is gone; requests wait for the next one.
func (u *user) homeLost(now time.Time) {
	for _, r := range u.requests {
		r.sentTo = 0
		u.timers.Stop(&r.t1)
		u.rest(now, r)
	}
	for _, e := range u.cache.order {
		if e.subscribed != 0 {
			e.subscribed = subscriptionLost
		}
	}
}

// handleError treats an ASAP_ERROR as the refusal of the only request that is
// outstanding at its sender (ASAP-2.2.14-02).
func (u *user) handleError(now time.Time, from assoc.ID, m asap.Error) {
	i := slices.IndexFunc(u.requests, func(r *request) bool { return r.sentTo == from })
	if i >= 0 {
		r := u.requests[i]
		u.turnDown(now, r, &RejectedError{Handle: r.handle, Causes: m.Causes})
	}
}

// outstanding returns how many requests an association owes an answer to.
func (u *user) outstanding(at assoc.ID) int {
	n := 0
	for _, r := range u.requests {
		if at != 0 && r.sentTo == at {
			n++
		}
	}
	return n
}

// control says whether there is a control channel to a PE.
func control(e protocol.Element) bool {
	return e.User.Protocol == protocol.SCTP && e.User.Use == protocol.DataAndControl
}
