package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// ASAP-3.1-29, ASAP-2.2.4-01, COM-3.10-03: a life that passes ends the
// registration, and the PE is told; -1 never passes.
func TestExpiry(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	for id, life := range []protocol.Life{5, protocol.LifeInfinite, 2147483647} {
		m := pe.offer("pool", protocol.PEID(id+1))
		m.Element.Life = life
		pe.sends(m)
	}
	s.take()
	s.sleep(5*time.Second - 1)
	s.want()
	s.sleep(1)
	s.want(pe.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1}))
	s.sleep(365 * 24 * time.Hour)
	s.want()
	s.wantListed("pool", 2, 3)
}

// RSPLIB's lives are milliseconds, and none is infinite.
func TestLifeInMilliseconds(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.Interop.LifeInMilliseconds = true })
	pe := s.connect(1, "192.0.2.1:5000")
	pe.sends(pe.offer("pool", 1))
	forever := pe.offer("pool", 2)
	forever.Element.Life = protocol.LifeInfinite
	pe.sends(forever)
	s.sleep(299 * time.Millisecond)
	s.wantListed("pool", 1, 2)
	s.sleep(time.Millisecond)
	s.wantListed("pool", 2)
	s.sleep(50 * 24 * time.Hour)
	s.wantListed("pool")
}

// ASAP-3.6-02, 03: one announcement per (N+1) * T6, where a registrar that is
// silent does not count any more, and our own announcements never do.
func TestServerAnnounce(t *testing.T) {
	s := newScript(t, func(c *Config) {
		c.Announce = true
		c.ASAP = []protocol.Transport{{Protocol: protocol.SCTP, Port: 3863}, {Protocol: protocol.TCP, Port: 3863}, {Protocol: protocol.UDP}}
	})
	s.step(Start{})
	mine := SendAnnounce{Message: asap.ServerAnnounce{Server: myID, Transports: []protocol.Transport{
		{Protocol: protocol.TCP, Port: 3863}, {Protocol: protocol.SCTP, Port: 3863},
	}}}
	count := func(d time.Duration) (n int) {
		s.sleep(d)
		for _, e := range s.take() {
			if _, ok := e.(SendAnnounce); ok {
				n++
			}
		}
		return n
	}
	s.sleep(0)
	s.want(mine)
	if n := count(10 * time.Second); n != 10 {
		t.Errorf("alone: %d announcements in 10 s, want 10", n)
	}
	hear := func() {
		for id := range protocol.ServerID(2) {
			s.step(AnnounceReceived{Message: asap.ServerAnnounce{Server: id + 1}})
		}
		s.step(AnnounceReceived{Message: asap.ServerAnnounce{Server: myID}})
	}
	n := 0
	for range 30 {
		hear()
		n += count(time.Second)
	}
	if n < 9 || n > 11 {
		t.Errorf("one of three: %d announcements in 30 s, want 10", n)
	}
	count(20 * time.Second)
	if n := count(10 * time.Second); n != 10 {
		t.Errorf("alone again: %d announcements in 10 s, want 10", n)
	}
	for id := range protocol.ServerID(100_000) { // SEC-2.12-02
		s.step(AnnounceReceived{Message: asap.ServerAnnounce{Server: id + 1}})
	}
	if n := len(s.r.announcer.heard); n > maxAnnounced {
		t.Errorf("a flood of announcements left %d entries", n)
	}
}
