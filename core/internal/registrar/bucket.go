package registrar

import "time"

// bucket limits a rate: burst at once, rate per second in the long run.
type bucket struct {
	level float64 // of burst, used up
	at    time.Time
}

func (b *bucket) allow(now time.Time, rate, burst int) bool {
	b.level = max(0, b.level-now.Sub(b.at).Seconds()*float64(rate))
	b.at = now
	if b.level+1 > float64(burst) {
		return false
	}
	b.level++
	return true
}
