package endpoint

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// subscribed is a session with PE 1, whose registrar sends updates.
func subscribed(t *testing.T, es ...protocol.Element) (*script, assoc.ID) {
	t.Helper()
	s := newScript(t, Config{Subscribe: true, Registrars: only(regA)})
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, asap.HandleResolution{Handle: pool, Subscribe: true}})
	s.receive(id, updated(es...))
	s.want(UsePE{1, pool, es[0], false})
	s.step(SessionUp{1, 50})
	s.want()
	return s, id
}

func updated(es ...protocol.Element) asap.HandleResolutionResponse {
	a := answer(es...)
	a.UpdatesAccepted = true
	return a
}

// ASAP-2.2.5-01, ASAP-2.2.5-06: an update without the PE of a session moves the
// session; nobody is told what the registrar said itself.
func TestUpdateMovesASession(t *testing.T) {
	s, id := subscribed(t, controlled(1), controlled(2))
	s.receive(id, updated(controlled(2)))
	s.want()
	s.wait(250 * time.Millisecond)
	s.want(LeavePE{1})
	s.step(SessionLost{Session: 1, Err: assoc.ErrLocalAbort})
	s.want(UsePE{1, pool, controlled(2), true})
	s.step(SessionUp{1, 51})
	s.wait(time.Minute)
	s.want()
}

// The owner may know that the PE lives: then it is asked again, until the PE is
// listed again.
func TestRemovedPEThatLives(t *testing.T) {
	s, id := subscribed(t, controlled(1), controlled(2))
	s.receive(id, updated(controlled(2)))
	s.wait(250 * time.Millisecond)
	s.want(LeavePE{1})
	s.wait(time.Second)
	s.want(LeavePE{1})
	s.receive(id, updated(controlled(1), controlled(2)))
	s.wait(time.Minute)
	s.want()
}

// A PE that says that it leaves its pool goes on with its sessions, whether it
// says so before or after the update.
func TestPEThatLeft(t *testing.T) {
	for _, before := range []bool{false, true} {
		s, id := subscribed(t, controlled(1), controlled(2))
		if before {
			s.step(PELeft{1})
		}
		s.receive(id, updated(controlled(2)))
		s.wait(100 * time.Millisecond)
		s.step(PELeft{1})
		s.wait(time.Minute)
		s.want()
	}
}

// Only an update says that a PE was removed: not the answer of another
// registrar, nor a list that was cut off, nor one of DATA ONLY PEs, which could
// not say that they leave.
func TestWhatIsNoRemoval(t *testing.T) {
	s, id := subscribed(t, controlled(1), controlled(2))
	many := make([]protocol.Element, 128)
	for i := range many {
		many[i] = controlled(2)
		many[i].ID = protocol.PEID(i + 100)
	}
	s.receive(id, updated(many...))
	s.wait(time.Minute)
	s.want()

	s, id = subscribed(t, controlled(1), controlled(2))
	s.step(AssocLost{id, assoc.ErrAborted})
	s.want(HomeLost{assoc.ErrAborted}, Connect{2, only(regA)[0]})
	second := s.connecting(Connect{Token: 2})
	s.up(second, regA)
	s.want(homeFound(second, regA), Send{second, asap.HandleResolution{Handle: pool, Subscribe: true}})
	s.receive(second, updated(controlled(2)))
	s.wait(time.Minute)
	s.want()

	s, id = subscribed(t, peN(1), peN(2))
	s.receive(id, updated(peN(2)))
	s.wait(time.Minute)
	s.want()
}

// Where the removed PE was the last one the session stays, and asks until
// there is another.
func TestLastPERemoved(t *testing.T) {
	s, id := subscribed(t, controlled(1))
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
	for i := range 3 {
		if i == 0 {
			s.wait(250 * time.Millisecond)
		} else {
			s.wait(time.Second)
		}
		s.want(Send{id, asap.HandleResolution{Handle: pool, Subscribe: true}})
		if i < 2 {
			s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
		}
	}
	s.receive(id, updated(controlled(3)))
	s.want()
	s.wait(time.Second)
	s.want(LeavePE{1})
}

// The failover limit of a session is its own.
func TestSetFailoverLimit(t *testing.T) {
	s, id := inSession(t, Config{FailoverLimit: time.Hour}, peN(1))
	s.step(SetFailoverLimit{1, 5 * time.Second})
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(Send{id, unreachable(1)}, Send{id, asap.HandleResolution{Handle: pool}})
	s.wait(5 * time.Second)
	if got := s.drain(); len(got) != 1 || got[0].(SessionFailed).Session != 1 {
		t.Errorf("after the limit: %v", got)
	}
}

// ASAP-3.9-01, OVR-2.5-02: a PE names those that it prefers, in its order.
func TestPreferredCard(t *testing.T) {
	s, id := asPE(t)
	s.step(Resolve{Token: 1, Handle: pool})
	s.drain()
	s.receive(id, answer(controlled(1), mineControlled(), controlled(2), controlled(3)))
	s.drain()
	s.step(SendBusinessCard{Assoc: 70, Prefer: []protocol.PEID{3, 99, 1}})
	s.want(Send{70, asap.BusinessCard{Handle: pool, Elements: []protocol.Element{controlled(3), controlled(1), mineControlled()}}})
}

// ASAP-5-06: the control channel is there as soon as it is offered, before the
// registrar has answered, and as long as its PUs stay.
func TestControlChannelOutlivesTheRegistration(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, User: protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl}}})
	id := s.home()
	s.drain()
	s.receive(70, asap.CookieEcho{Data: []byte("early")})
	s.want(CookieEchoReceived{70, []byte("early")})
	s.receive(id, granted())
	s.step(Deregister{})
	s.drain()
	s.receive(id, asap.DeregistrationResponse{Handle: pool, ID: 0x1234})
	s.drain()
	s.step(SendCookie{70, []byte("last")})
	s.want(Send{70, asap.Cookie{Data: []byte("last")}})
}
