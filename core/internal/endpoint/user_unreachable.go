package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// downPE is a PE that failed a moment ago. It is passed over even if the
// registrar still lists it.
type downPE struct {
	handle protocol.PoolHandle
	id     protocol.PEID
	at     time.Time
}

// A PE that failed is passed over for avoidFor; when there is no other, it is
// tried again after againAfter.
const (
	avoidFor   = 10 * time.Second
	againAfter = time.Second
	maxDown    = 256
)

func (u *user) downIndex(h protocol.PoolHandle, id protocol.PEID) int {
	return slices.IndexFunc(u.down, func(d downPE) bool { return d.handle == h && d.id == id })
}

// markDown notes a failure. It says whether that is news: several sessions may
// meet the same one, which is reported once (ASAP-3.5-04).
func (u *user) markDown(now time.Time, h protocol.PoolHandle, id protocol.PEID) bool {
	u.down = slices.DeleteFunc(u.down, func(d downPE) bool { return now.Sub(d.at) >= avoidFor })
	if u.downIndex(h, id) >= 0 {
		return false
	}
	if len(u.down) >= maxDown {
		u.down = slices.Delete(u.down, 0, 1)
	}
	u.down = append(u.down, downPE{h, id, now})
	return true
}

// peFailed notes that the application could not reach a PE over its own
// transport (Transport.Failure, ASAP-6.9.2-01). Who calls it has tried: that is
// the request to send without which nothing is reported (ASAP-3.5-05).
func (u *user) peFailed(now time.Time, h protocol.PoolHandle, id protocol.PEID) {
	u.failed(now, h, id, true)
}

// failed passes a PE over from now on, and reports it if that is news and to be
// reported.
func (u *user) failed(now time.Time, h protocol.PoolHandle, id protocol.PEID, report bool) {
	u.cache.drop(h, id)
	if u.markDown(now, h, id) && report {
		u.report(now, h, id)
	}
}

func (u *user) markUp(h protocol.PoolHandle, id protocol.PEID) {
	if i := u.downIndex(h, id); i >= 0 {
		u.down = slices.Delete(u.down, i, i+1)
	}
}

func (u *user) downSince(h protocol.PoolHandle, id protocol.PEID) (time.Time, bool) {
	i := u.downIndex(h, id)
	if i < 0 {
		return time.Time{}, false
	}
	return u.down[i].at, true
}

func (u *user) isDown(now time.Time, h protocol.PoolHandle, id protocol.PEID) bool {
	at, ok := u.downSince(h, id)
	return ok && now.Sub(at) < avoidFor
}

// report is an unreachable PE that no registrar could be told of yet.
type report struct {
	message asap.EndpointUnreachable
	at      time.Time
}

// Reports wait for a home no longer than reportLife, and not more than
// maxReports of them.
const (
	reportLife = 30 * time.Second
	maxReports = 64
)

// report tells the home that a PE is unreachable (ASAP-3.5-01, ASAP-3.5-02,
// ASAP-6.9-01), or the next home when there is none (E-24).
func (u *user) report(now time.Time, h protocol.PoolHandle, id protocol.PEID) {
	m := asap.EndpointUnreachable{Handle: h, ID: id}
	if home := u.hunt.homeAssoc(); home != 0 {
		u.effects.add(Send{Assoc: home, Message: m})
		return
	}
	if len(u.reports) >= maxReports {
		u.reports = slices.Delete(u.reports, 0, 1)
	}
	u.reports = append(u.reports, report{m, now})
	u.timers.Set(&u.reportsEnd, now.Add(reportLife))
}

// reportsOver gives up reports for which no home was found.
func (u *user) reportsOver(time.Time) { u.reports = nil }

func (u *user) sendReports(now time.Time) {
	u.timers.Stop(&u.reportsEnd)
	for _, r := range u.reports {
		if now.Sub(r.at) < reportLife {
			u.effects.add(Send{Assoc: u.hunt.homeAssoc(), Message: r.message})
		}
	}
	u.reports = nil
}
