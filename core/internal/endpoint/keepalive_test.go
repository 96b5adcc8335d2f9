package endpoint

import (
	"errors"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

var ack = asap.EndpointKeepAliveAck{Handle: pool, ID: 0x1234}

// ASAP-2.2.7-01, ASAP-3.4-01, -02, -03, -05, -07, E-15, COM-3-11.
func TestKeepAlive(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	foreign := id + 100
	s.up(foreign, regB)
	for _, tt := range []struct {
		name string
		from assoc.ID
		m    asap.EndpointKeepAlive
		acks bool
	}{
		{"home", id, asap.EndpointKeepAlive{Server: 1, Handle: pool}, true},
		{"foreign registrar, same association", foreign, asap.EndpointKeepAlive{Server: 2, Handle: pool}, true},
		{"home with H", id, asap.EndpointKeepAlive{NewHome: true, Server: 1, Handle: pool}, true},
		{"with this PE's identifier", foreign, asap.EndpointKeepAlive{Server: 2, Handle: pool, ID: 0x1234}, true},
		{"wrong handle", id, asap.EndpointKeepAlive{Server: 1, Handle: "echo\x00"}, false},
		{"wrong handle with H", foreign, asap.EndpointKeepAlive{NewHome: true, Server: 2, Handle: "other"}, false},
		{"another PE", id, asap.EndpointKeepAlive{Server: 1, Handle: pool, ID: 9}, false},
	} {
		s.receive(tt.from, tt.m)
		got := s.drain()
		if tt.acks != (len(got) == 1) || tt.acks && got[0] != (Effect)(Send{tt.from, ack}) {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
	// None of them moved the home (ASAP-3.4-05).
	s.wait(280 * time.Second)
	if send := take[Send](s); send.Assoc != id || send.Message.(asap.Registration).Element.Home != 1 {
		t.Errorf("renews by %v", send)
	}
}

// A PU that is no PE has nothing to answer (OWN-03, E-28).
func TestKeepAliveToPU(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool})
	id := s.home()
	s.drain()
	s.receive(id, asap.EndpointKeepAlive{NewHome: true, Server: 1, Handle: pool})
	s.want()
}

// ASAP-3.4-04, -08, OWN-06, ASAP-3.4-06: H=1 on an association that the other
// registrar opened makes it home. The PE registers there soon, not at once, and
// keeps the old association until that is confirmed.
func TestTakeover(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	b := id + 100
	s.up(b, regB)
	s.receive(b, asap.EndpointKeepAlive{NewHome: true, Server: 0xb, Handle: pool})
	s.want(Send{b, ack}, homeFound(b, regB))
	at, _ := s.m.Next()
	if d := at.Sub(s.now); d < 0 || d >= time.Second {
		t.Fatalf("registers after %v", d)
	}
	s.wait(at.Sub(s.now))
	moved := mine()
	moved.Home = 0xb // ASAP-3.1-31
	s.want(Send{b, asap.Registration{Handle: pool, Element: moved}})
	s.receive(b, granted())
	s.want(Registered{Handle: pool, Element: moved}, Shutdown{id})
	s.wait(280 * time.Second)
	if send := take[Send](s); send.Assoc != b {
		t.Errorf("renews at %v", send.Assoc)
	}
	// And when this one is gone it is looked for again, though nobody
	// configured it.
	s.step(AssocLost{b, assoc.ErrTimeout})
	got := s.drain()
	if len(got) != 3 {
		t.Errorf("hunts by %v", got)
	}
}

// ASAP-3.4-04: no home at all; the hunt ends.
func TestAdoptionEndsTheHunt(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, assoc.ErrTimeout})
	c := s.drain()[1].(Connect)
	pending := s.connecting(c)
	b := id + 100
	s.up(b, regB)
	s.receive(b, asap.EndpointKeepAlive{NewHome: true, Server: 0xb, Handle: pool})
	s.want(Send{b, ack}, Abort{pending, "another registrar was chosen"}, homeFound(b, regB))
	at, _ := s.m.Next()
	s.wait(at.Sub(s.now))
	if send := take[Send](s); send.Assoc != b {
		t.Errorf("registers at %v", send.Assoc)
	}
}

// Being unregistered it has nothing to say for itself any more.
func TestKeepAliveAfterDeregistration(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{})
	s.receive(id, deregistered)
	s.drain()
	s.receive(id, asap.EndpointKeepAlive{Server: 1, Handle: pool})
	s.want()
}

// Who takes us for a registrar is sent away and told so; other messages that are
// not for us, and all of the home, are passed over.
func TestMisdirectedMessages(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	for _, m := range []asap.Message{
		asap.Registration{Handle: pool}, asap.Deregistration{Handle: pool, ID: 0x1234},
		asap.HandleResolution{Handle: pool}, asap.EndpointKeepAliveAck{}, asap.EndpointUnreachable{},
		asap.ServerAnnounce{}, asap.RegistrationResponse{Rejected: true, Handle: pool, ID: 0x1234},
		asap.HandleResolutionResponse{Handle: pool}, asap.Cookie{}, asap.CookieEcho{},
	} {
		s.receive(id, m)
		s.want()
		s.receive(id+50, m)
		switch m.(type) {
		case asap.Registration, asap.Deregistration, asap.HandleResolution, asap.EndpointUnreachable:
			if a := take[Abort](s); a.Assoc != id+50 || !errors.Is(assoc.Explained(assoc.ErrAborted, a.Reason), assoc.ErrWrongPort) {
				t.Errorf("%v: %v", m, a)
			}
		default:
			s.want()
		}
	}
	if _, self, ok := s.m.element.self(); !ok || self.ID != protocol.PEID(0x1234) {
		t.Error("no longer registered")
	}
}
