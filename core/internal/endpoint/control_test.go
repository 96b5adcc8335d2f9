package endpoint

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// controlled is a PE with a control channel.
func controlled(n int) protocol.Element {
	e := peN(n)
	e.User.Use = protocol.DataAndControl
	return e
}

// ASAP-3.8-02, -03, -04, ASAP-2.2.12-01: the newest cookie, bytewise, as the
// first message to the new PE.
func TestCookieEcho(t *testing.T) {
	s, id := inSession(t, Config{}, controlled(1), controlled(2))
	long := bytes.Repeat([]byte{0, 0xff, 7}, 20_000)
	s.receive(50, asap.Cookie{Data: []byte("old")})
	s.receive(50, asap.Cookie{Data: long})
	got := s.drain()
	if len(got) != 2 || string(got[0].(CookieReceived).Data) != "old" || !bytes.Equal(got[1].(CookieReceived).Data, long) {
		t.Fatal("the application was not told of the cookies")
	}
	long[0]++ // the receive buffer is used again
	kept := bytes.Clone(long)
	kept[0]--
	s.receive(51, asap.Cookie{Data: []byte("from a stranger")})
	s.want()
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(Send{id, unreachable(1)}, UsePE{1, pool, controlled(2), true})
	s.step(SessionUp{1, 52})
	if echo := take[Send](s); echo.Assoc != 52 || !bytes.Equal(echo.Message.(asap.CookieEcho).Data, kept) {
		t.Error("the echo is not the newest cookie")
	}
	s.step(SessionUp{1, 52})
	s.want() // once
}

// ASAP-3.8-06, ASAP-5-06, ASAP-3.9-03: no cookie, no echo; no control channel,
// no ASAP.
func TestNoCookieEcho(t *testing.T) {
	s, _ := inSession(t, Config{}, controlled(1), controlled(2))
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.drain()
	s.step(SessionUp{1, 51})
	s.want()

	s, _ = inSession(t, Config{}, controlled(1), peN(2), peN(3))
	s.receive(50, asap.Cookie{Data: []byte("x")})
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.drain()
	s.step(SessionUp{1, 51})
	s.want()
	s.receive(51, asap.Cookie{Data: []byte("y")}) // over a DATA ONLY port
	s.want()
}

// COM-3.3-02: no ASAP message ever goes to a port of another transport than
// SCTP, whatever stands in its reserved field.
func TestNoControlChannelOverOtherTransports(t *testing.T) {
	for _, protocol := range []protocol.TransportProtocol{protocol.DCCP, protocol.TCP, protocol.UDP, protocol.UDPLite} {
		other := controlled(2)
		other.User.Protocol = protocol
		s, _ := inSession(t, Config{}, controlled(1), other)
		s.receive(50, asap.Cookie{Data: []byte("x")})
		s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
		s.drain()
		s.step(SessionUp{1, 51})
		s.want()
		s.step(SendCookie{51, []byte("y")}, SendBusinessCard{Assoc: 51})
		s.want()
	}
}

// ASAP-3.9-04, -05, -06: the newest card's order comes before the policy, and
// an unknown pool on a card is resolved.
func TestBusinessCardGuidesFailover(t *testing.T) {
	s, id := inSession(t, Config{}, controlled(1), controlled(2), controlled(3))
	first := asap.BusinessCard{Handle: pool, Elements: []protocol.Element{controlled(2)}}
	second := asap.BusinessCard{Handle: pool, Elements: []protocol.Element{controlled(1), controlled(3), controlled(9)}}
	s.receive(50, first)
	s.receive(50, second)
	s.want(BusinessCardReceived{50, pool, first.Elements}, BusinessCardReceived{50, pool, second.Elements})
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(Send{id, unreachable(1)}, UsePE{1, pool, controlled(3), true})
	s.step(SessionLost{Session: 1, Err: assoc.ErrRefused})
	s.want(Send{id, unreachable(3)}, UsePE{1, pool, controlled(9), true})
	s.step(SessionLost{Session: 1, Err: assoc.ErrRefused})
	s.want(Send{id, unreachable(9)}, UsePE{1, pool, controlled(2), true})

	s.step(SessionUp{1, 53})
	other := asap.BusinessCard{Handle: "other", Elements: []protocol.Element{controlled(4)}}
	s.receive(53, other)
	s.want(BusinessCardReceived{53, "other", other.Elements}, Send{id, asap.HandleResolution{Handle: "other"}})
}

// asPE is the endpoint as a PE with a control channel.
func asPE(t *testing.T) (*script, assoc.ID) {
	t.Helper()
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, User: protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl}}})
	id := s.home()
	s.drain()
	s.receive(id, granted())
	s.drain()
	return s, id
}

func mineControlled() protocol.Element {
	e := mine()
	e.User.Use = protocol.DataAndControl
	return e
}

// ASAP-3.8-01, ASAP-5-05, ASAP-3.9-01: a PE's side of the control channel.
func TestPEControlChannel(t *testing.T) {
	s, id := asPE(t)
	s.step(SendCookie{70, []byte("state")})
	s.want(Send{70, asap.Cookie{Data: []byte("state")}})
	s.receive(70, asap.CookieEcho{Data: []byte("state")})
	s.want(CookieEchoReceived{70, []byte("state")})
	s.step(SendBusinessCard{Assoc: 70})
	s.want(Send{70, asap.BusinessCard{Handle: pool, Elements: []protocol.Element{mineControlled()}}})

	s.step(Resolve{Token: 1, Handle: pool})
	s.drain()
	s.receive(id, answer(controlled(1), mineControlled(), controlled(2)))
	s.drain()
	s.step(SendBusinessCard{Assoc: 70, Prefer: []protocol.PEID{2, 9, 1}})
	s.want(Send{70, asap.BusinessCard{Handle: pool, Elements: []protocol.Element{controlled(2), controlled(1), mineControlled()}}})
}

// ASAP-5-06: a PE that offers data only has no control channel.
func TestPEWithoutControlChannel(t *testing.T) {
	s, _ := registeredScript(t, Config{Registrars: only(regA)})
	s.step(SendCookie{70, []byte("state")}, SendBusinessCard{Assoc: 70})
	s.receive(70, asap.CookieEcho{Data: []byte("state")})
	s.want()
}

// ASAP-3.9-02: a PU that is a PE itself introduces itself, others do not
// (TestNoCookieEcho). ASAP-4-04: both roles share one home.
func TestPUThatIsPE(t *testing.T) {
	s, id := asPE(t)
	s.step(OpenSession{Session: 1, Handle: "other"})
	s.want(Send{id, asap.HandleResolution{Handle: "other"}})
	a := answer(controlled(5))
	a.Handle = "other"
	s.receive(id, a)
	s.want(UsePE{1, "other", controlled(5), false})
	s.step(SessionUp{1, 80})
	s.want(Send{80, asap.BusinessCard{Handle: pool, Elements: []protocol.Element{mineControlled()}}})
}

// ASAP-3.9-05 (BC1): a card names a pool that is not known, also that of a PU: it
// is asked for, but not more pools than a few at a time. What a PE says of
// itself is taken over.
func TestBusinessCardIsUnpacked(t *testing.T) {
	s, id := asPE(t)
	card := asap.BusinessCard{Handle: "clients", Elements: []protocol.Element{controlled(7)}}
	s.receive(70, card)
	s.want(BusinessCardReceived{70, "clients", card.Elements}, Send{id, asap.HandleResolution{Handle: "clients"}})
	for i := range 40 {
		s.receive(70, asap.BusinessCard{Handle: protocol.PoolHandle(fmt.Sprint("made up ", i)), Elements: card.Elements})
	}
	asked := 1
	for _, e := range s.drain() {
		if _, is := e.(Send); is {
			asked++
		}
	}
	if asked != 16 {
		t.Errorf("%d pools are asked for", asked)
	}

	s, _ = inSession(t, Config{}, controlled(1), controlled(2))
	moved := controlled(1)
	moved.User.Port, moved.Policy.Weight = 4711, 5
	s.receive(50, asap.BusinessCard{Handle: pool, Elements: []protocol.Element{controlled(9), moved}})
	s.drain()
	s.step(Resolve{Token: 1, Handle: pool})
	got := take[Resolved](s).Elements
	if !slices.ContainsFunc(got, func(e protocol.Element) bool { return e.ID == 1 && e.User.Port == 4711 }) || len(got) != 2 {
		t.Errorf("the cache has %v", got)
	}
}

// OVR-4.2-04, ASAP-3.9-06: a session whose PU is lost goes on with the PEs that
// the PU's card names, then with others of its pool; the lost one is reported.
func TestFollowCard(t *testing.T) {
	s, id := asPE(t)
	s.step(FollowCard{Session: 3, Handle: "clients", Lost: 7, Card: []protocol.Element{controlled(7), controlled(8)}, Limit: time.Minute, Err: assoc.ErrAborted})
	report := asap.EndpointUnreachable{Handle: "clients", ID: 7}
	s.want(Send{id, report}, UsePE{3, "clients", controlled(8), true})
	s.step(SessionUp{3, 80})
	s.want(Send{80, asap.BusinessCard{Handle: pool, Elements: []protocol.Element{mineControlled()}}})
	s.step(SessionLost{Session: 3, Err: assoc.ErrAborted})
	report.ID = 8
	s.want(Send{id, report}, Send{id, asap.HandleResolution{Handle: "clients"}})
	a := answer(controlled(7), controlled(8), controlled(9))
	a.Handle = "clients"
	s.receive(id, a)
	s.want(UsePE{3, "clients", controlled(9), true})

	s, _ = asPE(t)
	s.step(FollowCard{Session: 3, Handle: "clients", Limit: time.Second, Err: assoc.ErrAborted})
	s.drain()
	s.wait(time.Second)
	if f := take[SessionFailed](s); f.Session != 3 {
		t.Errorf("failed: %+v", f)
	}
}
