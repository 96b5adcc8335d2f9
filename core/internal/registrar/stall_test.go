package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// A registrar that did not run while a PE's acknowledgement and renewal were
// due reads what waits for it before it removes anybody. A PE that has not answered
// then is removed (ASAP-3.5-07, ASAP-3.1-29).
func TestStall(t *testing.T) {
	for _, answers := range []bool{true, false} {
		s := startedWith(t, func(c *Config) { c.KeepAlive = Attentive(); c.KeepAlive.Retries = -1 })
		pe := s.connect(1, "192.0.2.1:5000")
		pe.registers("pool", 1)
		at, _ := s.r.Next()
		s.sleep(at.Sub(s.now))
		s.want(pe.gets(ask("pool", 1)))

		s.now = s.now.Add(time.Hour) // far beyond the life of the registration
		s.r.Advance(s.now)
		s.collect()
		s.want()
		s.wantListed("pool", 1)
		if answers {
			pe.sends(ack("pool", 1))
			pe.sends(pe.offer("pool", 1))
			s.want(pe.gets(asap.RegistrationResponse{Handle: "pool", ID: 1}))
		}
		s.sleep(catchUp)
		if answers {
			s.want()
			s.wantListed("pool", 1)
		} else {
			s.take()
			s.wantListed("pool")
		}
	}
}
