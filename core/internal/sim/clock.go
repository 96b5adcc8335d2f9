package sim

import "time"

// clock is a host's own idea of time: wrong by an offset, and too fast or too
// slow by some parts in a million.
type clock struct {
	offset time.Duration
	drift  int64 // parts per million
}

func (c clock) local(t time.Time) time.Time {
	d := t.Sub(Epoch)
	return t.Add(c.offset + d/1_000_000*time.Duration(c.drift))
}

// world returns the first instant at which the clock shows local or later.
func (c clock) world(local time.Time) time.Time {
	d := local.Add(-c.offset).Sub(Epoch)
	t := Epoch.Add(time.Duration(float64(d) / (1 + float64(c.drift)/1e6)))
	for c.local(t).Before(local) {
		t = t.Add(time.Microsecond)
	}
	return t
}
