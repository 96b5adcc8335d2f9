package user

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/hunt"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Config is what a User needs to know. All fields but Items and Subscribe are
// set; negative values are explained in endpoint.Config.
type Config struct {
	Rand           *rand.Rand
	RequestTimeout time.Duration // T1-ENRPrequest
	MaxRetransmit  int           // MAX-REQUEST-RETRANSMIT
	StaleCache     time.Duration // stale_cache_value
	FailoverLimit  time.Duration
	HuntRounds     int
	MaxWaiting     int
	Items          uint32
	Subscribe      bool
}

// Out takes the effects of a User. They are those of package endpoint that
// have the same names.
type Out interface {
	Send(to assoc.ID, m asap.Message)
	Resolved(t hunt.Token, h protocol.PoolHandle, p protocol.PolicyType, es []protocol.Element)
	ResolveFailed(t hunt.Token, h protocol.PoolHandle, err error)
	UsePE(s SessionID, h protocol.PoolHandle, e protocol.Element, failover bool)
	LeavePE(s SessionID)
	SessionFailed(s SessionID, h protocol.PoolHandle, err error)
	Waits(s SessionID, t hunt.Token, h protocol.PoolHandle, why error)
	CookieReceived(s SessionID, data []byte)
	SendBusinessCard(to assoc.ID)
	// IsSelf says whether a PE is the endpoint itself.
	IsSelf(h protocol.PoolHandle, id protocol.PEID) bool
}

// User is the sub-state.
type User struct {
	cfg    Config
	out    Out
	hunt   *hunt.Hunt
	timers timerq.Queue[func(time.Time)]

	cache      cache
	down       []downPE
	reports    []report
	reportsEnd timerq.Timer[func(time.Time)] // of the newest
	requests   []*request                    // in the order in which they were made
	waiting    int                           // waiters of all requests
	sessions   map[SessionID]*session
	inUse      map[protocol.PoolHandle]int // sessions by pool
	byAssoc    map[assoc.ID]*session
}

// New returns a User without sessions.
func New(cfg Config, h *hunt.Hunt, out Out) *User {
	u := &User{
		cfg: cfg, hunt: h, out: out,
		cache:    cache{pools: map[protocol.PoolHandle]*entry{}},
		sessions: map[SessionID]*session{},
		inUse:    map[protocol.PoolHandle]int{},
		byAssoc:  map[assoc.ID]*session{},
	}
	u.reportsEnd.Value = u.reportsOver
	return u
}

// Next returns the earliest deadline.
func (u *User) Next() (time.Time, bool) { return u.timers.Next() }

// Advance lets deadlines pass.
func (u *User) Advance(now time.Time) {
	for t := u.timers.Due(now); t != nil; t = u.timers.Due(now) {
		t.Value(now)
	}
}

// NeedsHome says whether the user wants to have a home: to ask or report
// something now, or to be quick when the PE of a session fails.
func (u *User) NeedsHome() bool {
	return len(u.requests) > 0 || len(u.sessions) > 0 || len(u.reports) > 0
}

// HomeFound sends what could not be sent (ASAP-3.3-05, ASAP-3.7-06), and asks
// for updates again: subscriptions die with the association (ASAP-2.2.5-02).
func (u *User) HomeFound(now time.Time) {
	for _, r := range slices.Clone(u.requests) {
		u.send(now, r)
	}
	u.sendReports(now)
	for _, e := range u.cache.order {
		if e.subscribed == 0 || e.subscribed == u.hunt.Home() {
			continue
		}
		e.subscribed = 0
		if u.inUse[e.handle] > 0 {
			u.refresh(now, e.handle)
		}
	}
}

// HomeLost notes that the home is gone; requests wait for the next one.
func (u *User) HomeLost(now time.Time) {
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

// HandleError treats an ASAP_ERROR as the refusal of the only request that is
// outstanding at its sender (ASAP-2.2.14-02).
func (u *User) HandleError(now time.Time, from assoc.ID, m asap.Error) {
	i := slices.IndexFunc(u.requests, func(r *request) bool { return r.sentTo == from })
	if i >= 0 {
		r := u.requests[i]
		u.turnDown(now, r, &hunt.RejectedError{Handle: r.handle, Causes: m.Causes})
	}
}

// Outstanding returns how many requests an association owes an answer to.
func (u *User) Outstanding(at assoc.ID) int {
	n := 0
	for _, r := range u.requests {
		if at != 0 && r.sentTo == at {
			n++
		}
	}
	return n
}
