package registrar

import (
	"maps"
	"time"
)

// complaints are what the operator was told to be wrong, by what it is about, and
// when: at once, and then every complainEvery as long as it is so.
type complaints map[string]time.Time

// maxComplaints bounds them: pools have many names.
const (
	complainEvery = time.Minute
	maxComplaints = 1000
)

// complain warns, if it is time for that.
func (c *core) complain(now time.Time, about string, l Log) {
	if last, is := c.complaints[about]; is && now.Sub(last) < complainEvery {
		return
	}
	maps.DeleteFunc(c.complaints, func(_ string, last time.Time) bool { return now.Sub(last) >= complainEvery })
	if len(c.complaints) >= maxComplaints {
		return
	}
	c.complaints[about] = now
	l.Level = Warn
	c.emit(l)
}
