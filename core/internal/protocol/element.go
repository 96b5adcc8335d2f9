package protocol

import "time"

// Life is a registration life in seconds (COM-3.10-03); negative one never
// ends.
type Life int32

// LifeInfinite is the registration life that never ends.
const LifeInfinite Life = -1

// Duration returns the life as a duration; ok is false when it never ends.
func (l Life) Duration() (d time.Duration, ok bool) {
	if l == LifeInfinite {
		return 0, false
	}
	return time.Duration(l) * time.Second, true
}

// Element is a pool element as the wire, the handlespace and the API know it:
// parsed once, stored, and encoded again (RFC 5354 section 3.10).
type Element struct {
	ID     PEID
	Home   ServerID // 0 = undetermined (COM-3.10-02)
	Life   Life
	User   Transport // where it serves
	Policy Policy
	ASAP   Transport // its ASAP endpoint, recorded by its home; zero when absent
}

// Server is a registrar as ENRP's Server Information parameter gives it.
type Server struct {
	ID        ServerID
	Transport Transport
}
