package registrar

import "time"

// scheduleProbe sets the time of the next probe. Only the owner supervises
// (OWN-09), at intervals that vary by half so that they spread (ASAP-3.5-13).
func (ms *monitors) scheduleProbe(now time.Time, mon *monitor) {
	if interval := ms.interval(); interval > 0 && mon.el.Home == ms.id {
		half := int64(interval / 2)
		ms.setProbe(mon, now.Add(time.Duration(half+ms.cfg.Rand.Int64N(2*half+1))))
	}
}

// interval keeps all probes within the budget.
func (ms *monitors) interval() time.Duration {
	k := ms.cfg.KeepAlive
	if k.Rate <= 0 || k.Interval <= 0 {
		return k.Interval
	}
	each := time.Duration(ms.space.Owned(ms.id)) * time.Second / time.Duration(k.Rate)
	return min(max(each, k.Least), k.Interval)
}

// timeout is how long an acknowledgement may take.
func (ms *monitors) timeout() time.Duration {
	k := ms.cfg.KeepAlive
	if k.Rate <= 0 || k.Interval <= 0 {
		return k.Timeout
	}
	return min(ms.interval()*6/10, k.Timeout)
}
