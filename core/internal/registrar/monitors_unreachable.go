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
func (ms *monitors) handleUnreachable(now time.Time, l *link, m asap.EndpointUnreachable) {
	if !l.reports.allow(now, ms.cfg.Limits.ReportRate, ms.cfg.Limits.ReportBurst) {
		return // it reports too often (SEC-2.13-01)
	}
	el := ms.space.Element(m.Handle, m.ID)
	if el == nil {
		return
	}
	ms.counts.Reports++
	mon := ms.of(el)
	// Only the owner counts reports; any other registrar just asks the PE, too
	// (ASAP-3.5-14, OWN-09).
	if el.Home == ms.id {
		mon.reports++
		if limit := ms.cfg.Limits.BadReports; limit >= 0 && int(mon.reports) > limit {
			ms.tellGone(mon)
			ms.elements.remove(now, el, "PE was reported unreachable too often, removed")
			return
		}
	}
	ms.probeSoon(now, mon)
}
