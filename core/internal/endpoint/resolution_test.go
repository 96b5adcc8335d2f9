package endpoint

import (
	"errors"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

var question = asap.HandleResolution{Handle: pool}

// resolving is an endpoint whose first resolution was just sent.
func resolving(t *testing.T, cfg Config) (*script, assoc.ID) {
	t.Helper()
	s := newScript(t, cfg)
	s.step(Resolve{Token: 1, Handle: pool})
	id := s.home()
	s.drain()
	return s, id
}

// ASAP-3.3-01, -06, -07, -08, -10, ASAP-6.9.1-01: hunt, ask, answer from the
// cache while it is fresh, ask again when it is stale.
// ASAP-3.3-03: the home is asked. ASAP-3.3-09: who meets a stale answer waits for the next.
func TestResolveAndCache(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, question})
	s.receive(id, answer(pes(2)...))
	hit := Resolved{1, pool, protocol.RoundRobin, pes(2)}
	s.want(hit)

	s.wait(29 * time.Second) // T1 was stopped
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(Resolved{2, pool, protocol.RoundRobin, []protocol.Element{peN(2), peN(1)}}) // in turn

	s.wait(time.Second)
	s.step(Resolve{Token: 3, Handle: pool})
	s.want(Send{id, question})
	s.receive(id, answer(pes(3)...))
	s.want(Resolved{3, pool, protocol.RoundRobin, pes(3)})

	s.step(Resolve{Token: 4, Handle: pool, MaxAge: -1})
	s.want(Send{id, question})
	s.receive(id, answer(pes(3)...))
	s.drain()
	s.step(Purge{pool}, Resolve{Token: 5, Handle: pool}) // ASAP-6.4-01
	s.want(Send{id, question})
}

// From one answer sessions and resolutions are shared by the pool's policy, each
// being one selection (POL-5.2-03); what is only to fall back on does not count.
func TestCacheChoosesByPolicy(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	list := pes(3)
	for i, load := range []uint32{10, 12, 50} {
		list[i].Policy = protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: load, Degradation: 1}
	}
	m := answer(list...)
	m.HasPolicy, m.Policy = true, list[0].Policy
	s.receive(id, m)
	s.resolved(1, 2, 3) // now 11, 12, 50
	s.step(OpenSession{Session: 1, Handle: pool}, OpenSession{Session: 2, Handle: pool})
	s.want(UsePE{1, pool, list[0], false}, UsePE{2, pool, list[1], false}) // 12, 13
	for token, want := range [][]int{{1, 2, 3}, {2, 1, 3}, {1, 2, 3}} {
		s.step(Resolve{Token: Token(2 + token), Handle: pool})
		s.resolved(want...)
	}
}

// Without a cache every resolution asks.
func TestNoCache(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA), StaleCache: -1})
	s.receive(id, answer(pes(1)...))
	s.drain()
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(Send{id, question})
}

// ASAP-2.2.6-02, -03: the pool's policy comes from the answer's own parameter
// alone; absent means Round Robin.
func TestOverallPolicy(t *testing.T) {
	es := pes(1)
	es[0].Policy = protocol.Policy{Type: protocol.Priority, Priority: 3}
	for want, m := range map[protocol.PolicyType]asap.HandleResolutionResponse{
		protocol.RoundRobin: {Handle: pool, Elements: es},
		protocol.Random:     {Handle: pool, Elements: es, HasPolicy: true, Policy: protocol.Policy{Type: protocol.Random}},
	} {
		s, id := resolving(t, Config{Registrars: only(regA)})
		s.receive(id, m)
		if got := take[Resolved](s).Policy; got != want {
			t.Errorf("policy %v, want %v", got, want)
		}
	}
}

// ASAP-2.2.6-06: causes make an answer negative, whatever they are; unknown
// pools are told at once.
func TestNegativeAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		m       asap.HandleResolutionResponse
		unknown bool
	}{
		{"unknown pool", refusal(protocol.CauseUnknownPoolHandle), true},
		{"cause 0", refusal(protocol.CauseUnspecified), false},
		{"private cause", refusal(0xf006), false},
		{"no elements", asap.HandleResolutionResponse{Handle: pool}, true},
		{"cause and elements", asap.HandleResolutionResponse{Handle: pool, Elements: pes(1), Causes: []protocol.Cause{{Code: 0}}}, false},
	} {
		s, id := resolving(t, Config{Registrars: only(regA)})
		s.receive(id, tt.m)
		f := take[ResolveFailed](s)
		var rejected *RejectedError
		if errors.Is(f.Err, ErrUnknownPool) != tt.unknown || errors.As(f.Err, &rejected) == tt.unknown {
			t.Errorf("%s: %v", tt.name, f.Err)
		}
		// Nothing of it is remembered.
		s.step(Resolve{Token: 2, Handle: pool})
		s.want(Send{id, question})
	}
}

// ASAP-3.3-17, E-31: matched by handle; requests for one pool are one request;
// a late duplicate only refreshes the cache, and strangers are not heard.
func TestMatchingAnswers(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 2, Handle: pool}, Resolve{Token: 3, Handle: "other"})
	s.want(Send{id, asap.HandleResolution{Handle: "other"}})
	s.receive(id+9, answer(pes(1)...)) // a PE says so
	s.want()
	other := answer(pes(2)...)
	other.Handle = "other"
	s.receive(id, other)
	s.want(Resolved{3, "other", protocol.RoundRobin, pes(2)})
	s.receive(id, answer(pes(1)...))
	s.want(Resolved{1, pool, protocol.RoundRobin, pes(1)}, Resolved{2, pool, protocol.RoundRobin, pes(1)})
	s.receive(id, answer(pes(3)...))
	s.want()
	s.step(Resolve{Token: 4, Handle: pool})
	s.want(Resolved{4, pool, protocol.RoundRobin, pes(3)})
	unasked := answer(pes(1)...)
	unasked.Handle = "unasked"
	s.receive(id, unasked)
	s.step(Resolve{Token: 5, Handle: "unasked"})
	s.want(Send{id, asap.HandleResolution{Handle: "unasked"}})
}

// ASAP-3.3-04, -05, ASAP-3.7-04, -05, E-13: T1 is 15 s; two more transmissions
// to the same registrar and a hunt beside it, then an error at 45 s.
func TestT1(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.wait(15 * time.Second)
	s.want(Send{id, question})
	s.wait(15 * time.Second)
	s.want(Send{id, question})
	s.wait(15 * time.Second)
	got := s.drain()
	f, is := got[0].(ResolveFailed)
	if !is || !errors.Is(f.Err, ErrTimeout) || s.now.Sub(s.start) != 45*time.Second {
		t.Fatalf("got %v", got)
	}
	if got[1] != (Effect)(Abort{id, "no answer to a request"}) {
		t.Errorf("keeps a home that does not answer: %v", got)
	}
	s.wait(time.Hour)
	s.want()
}

// ASAP-3.7-04, -06, ASAP-3.6-10: the hunt beside a mute home; who answers
// first is home and gets the request.
func TestT1FindsAnotherHome(t *testing.T) {
	s := newScript(t, Config{Registrars: registrars(4)})
	s.step(Resolve{Token: 1, Handle: pool})
	cs := takeAll[Connect](s, 3)
	a := s.connecting(cs[0])
	s.up(a, cs[0].Addrs[0])
	s.want(homeFound(a, cs[0].Addrs[0]), Send{a, question})
	s.wait(15 * time.Second)
	got := s.drain()
	if len(got) != 3 || got[2] != (Effect)(Send{a, question}) {
		t.Fatalf("after T1: %v", got) // two attempts: with the home they are three
	}
	c := got[1].(Connect)
	b := s.connecting(c)
	s.up(b, c.Addrs[0])
	s.want(homeFound(b, c.Addrs[0]), Send{b, question}, Shutdown{a})
	s.receive(a, answer(pes(3)...)) // too late
	s.want()
	s.receive(b, answer(pes(1)...))
	s.want(Resolved{1, pool, protocol.RoundRobin, pes(1)})
}

// The mute home answers in the end: the hunt beside it ends.
func TestHomeAnswersLate(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.step(LookedUp{Found: only(regB)})
	s.wait(15 * time.Second)
	got := s.drain()
	if len(got) != 2 {
		t.Fatalf("got %v", got)
	}
	pending := s.connecting(got[0].(Connect))
	s.receive(id, answer(pes(1)...))
	s.want(Abort{pending, "the home answers again"}, Resolved{1, pool, protocol.RoundRobin, pes(1)})
}

// ASAP-3.3-05, ASAP-3.7-01, -02: the home crashes with the request.
func TestHomeLostWhileResolving(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, assoc.ErrAborted})
	s.want(HomeLost{assoc.ErrAborted})
	s.wait(100 * time.Millisecond)
	id = s.home()
	s.want(homeFound(id, regA), Send{id, question})
	s.receive(id, answer(pes(1)...))
	s.want(Resolved{1, pool, protocol.RoundRobin, pes(1)})
}

// Registrars that die of the request do not keep it alive for ever.
func TestRequestThatKillsRegistrars(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), HuntRounds: -1})
	s.step(Resolve{Token: 1, Handle: pool})
	sent, failed := 0, 0
	s.run(s.now.Add(time.Hour), func(f Effect) {
		switch f := f.(type) {
		case Connect:
			s.up(s.connecting(f), regA)
		case Send:
			sent++
			s.step(AssocLost{f.Assoc, assoc.ErrAborted})
		case ResolveFailed:
			failed++
			if !errors.Is(f.Err, ErrTimeout) {
				t.Error(f.Err)
			}
		}
	})
	if sent != 10 || failed != 1 {
		t.Errorf("sent %d times, failed %d times", sent, failed)
	}
}

// An interactive request does not wait for a hunt that has slowed down.
func TestResolveHurriesTheHunt(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, assoc.ErrTimeout})
	c := s.drain()[1].(Connect)
	s.step(AssocLost{s.connecting(c), assoc.ErrTimeout}) // waits for T5 now
	s.want()
	s.wait(time.Second)
	s.step(Resolve{Token: 1, Handle: pool})
	c = take[Connect](s)
	s.step(Resolve{Token: 2, Handle: pool})
	s.want()
	s.step(AssocLost{s.connecting(c), assoc.ErrTimeout})
	if f := takeAll[ResolveFailed](s, 2); f[0].Token != 1 || f[1].Token != 2 {
		t.Errorf("got %v", f)
	}
}

// ASAP-2.2.5-01, -02: S is asked for the pools of sessions, again at a new
// home; updates keep the cache fresh, and say when the pool is gone.
func TestSubscription(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), Subscribe: true})
	subscribe := asap.HandleResolution{Handle: pool, Subscribe: true}
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, subscribe})
	a := answer(pes(1)...)
	a.UpdatesAccepted = true
	s.receive(id, a)
	s.want(UsePE{1, pool, peN(1), false})
	s.wait(time.Hour)
	s.step(Resolve{Token: 1, Handle: pool})
	s.want(Resolved{1, pool, protocol.RoundRobin, pes(1)})
	a.Elements = pes(2)
	s.receive(id, a)
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(Resolved{2, pool, protocol.RoundRobin, pes(2)})

	s.step(AssocLost{id, assoc.ErrAborted})
	c := s.drain()[1].(Connect)
	s.step(Resolve{Token: 3, Handle: pool, MaxAge: -1})
	s.want()
	id = s.connecting(c)
	s.up(id, regA)
	s.want(homeFound(id, regA), Send{id, subscribe})
	s.receive(id, a)
	take[Resolved](s)

	s.step(AssocRestarted{id})
	s.want(Send{id, subscribe})
	s.receive(id, a)
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle)) // ASAP-2.2.5-05
	s.want()
	s.step(Resolve{Token: 4, Handle: pool})
	s.want(Send{id, subscribe})
}

// ASAP-2.2.5-01: the option asks for more PEs than the default.
func TestItems(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), Items: asap.AllItems})
	s.step(Resolve{Token: 1, Handle: pool})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, asap.HandleResolution{Handle: pool, Items: asap.AllItems}})
}

// ASAP-2.2.14-02: with two requests outstanding nobody knows which is meant.
func TestErrorRefusesResolution(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	e := asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedMessage}}}
	s.step(Resolve{Token: 2, Handle: "other"})
	s.drain()
	s.receive(id, e)
	s.want()
	s.step(CancelResolve{2})
	s.receive(id, e)
	var rejected *RejectedError
	if f := take[ResolveFailed](s); f.Token != 1 || !errors.As(f.Err, &rejected) {
		t.Errorf("got %v", f)
	}
}

// What waits is bounded.
func TestTooManyWait(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA), MaxWaiting: 3})
	s.step(Resolve{Token: 2, Handle: "2"}, Resolve{Token: 3, Handle: "3"})
	s.drain()
	s.step(Resolve{Token: 4, Handle: "4"})
	s.want(ResolveFailed{4, "4", ErrTooMany})
	s.receive(id, answer(pes(1)...))
	s.drain()
	s.step(Resolve{Token: 5, Handle: "5"})
	s.want(Send{id, asap.HandleResolution{Handle: "5"}})
}

// SendFailed: a home to which nothing can be sent is given up (ASAP-3.7-01).
func TestSendFailed(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.step(SendFailed{id, assoc.ErrWouldBlock})
	got := s.drain()
	if got[0] != (Effect)(Abort{id, "no answer to a request"}) {
		t.Errorf("got %v", got)
	}
	s.wait(2 * time.Second)
	id = s.home()
	s.want(homeFound(id, regA), Send{id, question})
}
