package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// unreachableReport is an unreachable PE that no registrar could be told of
// yet.
type unreachableReport struct {
	message asap.EndpointUnreachable
	at      time.Time
}

// Reports wait for a home no longer than reportLife, and not more than
// maxReports of them.
const (
	reportLife = 30 * time.Second
	maxReports = 64
)

// reportUnreachable tells the home that a PE is unreachable (ASAP-3.5-01,
// ASAP-3.5-02, ASAP-6.9-01), or the next home when there is none (E-24).
func (u *user) reportUnreachable(now time.Time, h protocol.PoolHandle, id protocol.PEID) {
	m := asap.EndpointUnreachable{Handle: h, ID: id}
	if home := u.hunt.homeAssoc(); home != 0 {
		u.effects.add(Send{Assoc: home, Message: m})
		return
	}
	if len(u.reports) >= maxReports {
		u.reports = slices.Delete(u.reports, 0, 1)
	}
	u.reports = append(u.reports, unreachableReport{m, now})
	u.timers.Set(&u.reportsEnd, now.Add(reportLife))
}

// giveUpReports gives up reports for which no home was found.
func (u *user) giveUpReports(time.Time) { u.reports = nil }

func (u *user) sendReports(now time.Time) {
	u.timers.Stop(&u.reportsEnd)
	for _, r := range u.reports {
		if now.Sub(r.at) < reportLife {
			u.effects.add(Send{Assoc: u.hunt.homeAssoc(), Message: r.message})
		}
	}
	u.reports = nil
}
