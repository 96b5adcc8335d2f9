package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// handleUnreachable looks after a PE that somebody could not reach (RFC 5352
// section 3.5): it is asked at once (ASAP-3.5-06), and it goes when it does
// not answer or when there were more reports than the threshold (ASAP-3.5-09,
// E-10). There is no response, and nothing happens for a PE that is not known
// (ASAP-3.5-10).
func (r *Registrar) handleUnreachable(now time.Time, l *link, m asap.EndpointUnreachable) {
	if !l.reports.allow(now, r.cfg.Limits.ReportRate, r.cfg.Limits.ReportBurst) {
		return // SEC-2.13-01
	}
	el := r.space.Element(m.Handle, m.ID)
	if el == nil {
		return
	}
	r.counts.Reports++
	mon := r.monitorOf(el)
	// Who is not the owner asks too, but leaves it to the owner to count
	// (ASAP-3.5-14, OWN-09).
	if el.Home == r.id {
		mon.reports++
		if limit := r.cfg.Limits.BadReports; limit >= 0 && int(mon.reports) > limit {
			r.tellGone(mon)
			r.remove(now, el, "PE was reported unreachable too often, removed")
			return
		}
	}
	r.probeSoon(now, mon)
}
