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

	cache       cache
	failedPEs   []failedPE
	reports     []unreachableReport
	reportsEnd  timer         // when the newest is too old
	resolutions []*resolution // in the order in which they were made
	waiting     int           // waiters of all requests
	sessions    map[SessionID]*session
	inUse       poolCounts // sessions and watchers by pool
	watched     poolCounts // watchers alone
	byAssoc     map[assoc.ID]*session
}

func newUser(cfg *Config, h *hunt, e *element, out *effects) *user {
	u := &user{
		cfg: cfg, hunt: h, element: e, effects: out,
		cache:    cache{pools: map[protocol.PoolHandle]*cachedPool{}},
		sessions: map[SessionID]*session{},
		inUse:    poolCounts{},
		watched:  poolCounts{},
		byAssoc:  map[assoc.ID]*session{},
	}
	u.reportsEnd.Value = u.giveUpReports
	return u
}

// handleError treats an ASAP_ERROR as the refusal of the only request that is
// outstanding at its sender (ASAP-2.2.14-02).
func (u *user) handleError(now time.Time, from assoc.ID, m asap.Error) {
	i := slices.IndexFunc(u.resolutions, func(r *resolution) bool { return r.sentTo == from })
	if i >= 0 {
		r := u.resolutions[i]
		u.resolutionFailed(now, r, &RejectedError{Handle: r.handle, Causes: m.Causes})
	}
}

// outstanding returns how many requests an association owes an answer to.
func (u *user) outstanding(at assoc.ID) int {
	n := 0
	for _, r := range u.resolutions {
		if at != 0 && r.sentTo == at {
			n++
		}
	}
	return n
}
