package endpoint

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// script is a conversation with one endpoint in fake time. Everything the
// endpoint does has to be expected; only Log is passed over.
type script struct {
	t     *testing.T
	m     *Endpoint
	start time.Time
	now   time.Time
	next  assoc.ID // that the "transport" gives
}

var (
	epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	regA  = netip.MustParseAddrPort("192.0.2.1:3863")
	regB  = netip.MustParseAddrPort("192.0.2.2:3863")
	local = netip.MustParseAddrPort("198.51.100.7:7777")
)

const pool = protocol.PoolHandle("echo")

func only(addrs ...netip.AddrPort) [][]netip.AddrPort {
	var out [][]netip.AddrPort
	for _, a := range addrs {
		out = append(out, []netip.AddrPort{a})
	}
	return out
}

func newScript(t *testing.T, cfg Config) *script {
	t.Helper()
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(1, 2))
	}
	return &script{t: t, m: New(cfg), start: epoch, now: epoch, next: 10}
}

func (s *script) step(events ...Event) {
	s.t.Helper()
	for _, e := range events {
		s.m.Step(s.now, e)
	}
}

// drain returns what the endpoint did.
func (s *script) drain() []Effect {
	var out []Effect
	for _, f := range s.m.Drain() {
		if _, is := f.(Log); !is {
			out = append(out, f)
		}
	}
	return out
}

var compare = cmp.Options{
	cmpopts.EquateErrors(),
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

// want expects exactly these effects, in this order.
func (s *script) want(effects ...Effect) {
	s.t.Helper()
	if diff := cmp.Diff(effects, s.drain(), compare); diff != "" {
		s.t.Fatalf("at %v (-want +got):\n%s", s.now.Sub(s.start), diff)
	}
}

// wait lets time pass. The endpoint must have nothing to do until the end of
// it, where it may do something, if it has asked to be called then.
func (s *script) wait(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	for at, ok := s.m.Next(); ok && at.Before(end); at, ok = s.m.Next() {
		s.now = at
		s.m.Advance(at)
		if got := s.drain(); len(got) > 0 {
			s.t.Fatalf("at %v already, not at %v: %v", at.Sub(s.start), end.Sub(s.start), got)
		}
	}
	s.now = end
	if at, ok := s.m.Next(); ok && at.Equal(end) {
		s.m.Advance(end)
	}
}

// run answers every effect until the end of a time, or until nothing is left
// to come. answer may step.
func (s *script) run(until time.Time, answer func(Effect)) {
	s.t.Helper()
	for range 1_000_000 {
		for fs := s.drain(); len(fs) > 0; fs = s.drain() {
			for _, f := range fs {
				answer(f)
			}
		}
		at, ok := s.m.Next()
		if !ok || at.After(until) {
			return
		}
		s.now = at
		s.m.Advance(at)
	}
	s.t.Fatal("spins")
}

// take expects exactly one effect, of a certain type, and returns it.
func take[F Effect](s *script) F {
	s.t.Helper()
	got := s.drain()
	if len(got) == 1 {
		if f, is := got[0].(F); is {
			return f
		}
	}
	s.t.Fatalf("at %v: want one %v, got %v", s.now.Sub(s.start), reflect.TypeFor[F](), got)
	panic("not reached")
}

// takeAll expects effects of one type and returns them.
func takeAll[F Effect](s *script, n int) []F {
	s.t.Helper()
	var out []F
	got := s.drain()
	for _, f := range got {
		if f, is := f.(F); is {
			out = append(out, f)
		}
	}
	if len(got) != n || len(out) != n {
		s.t.Fatalf("at %v: want %d %v, got %v", s.now.Sub(s.start), n, reflect.TypeFor[F](), got)
	}
	return out
}

// connecting answers a Connect and returns the association.
func (s *script) connecting(c Connect) assoc.ID {
	s.next++
	s.step(Connecting{c.Token, s.next})
	return s.next
}

func (s *script) up(id assoc.ID, peer netip.AddrPort) {
	s.step(AssocUp{Assoc: id, Local: []netip.AddrPort{local}, Peer: []netip.AddrPort{peer}})
}

// home expects a hunt that tries one registrar, which answers. It returns the
// association; the next effect is HomeFound.
func (s *script) home() assoc.ID {
	s.t.Helper()
	c := take[Connect](s)
	id := s.connecting(c)
	s.up(id, c.Addrs[0])
	return id
}

// homeFound is the effect that follows.
func homeFound(id assoc.ID, addr netip.AddrPort) HomeFound {
	return HomeFound{Assoc: id, Addrs: []netip.AddrPort{addr}}
}

func (s *script) receive(from assoc.ID, m asap.Message) {
	s.step(Received{from, m})
}

// peN is a PE as resolutions list it.
func peN(n int) protocol.Element {
	return protocol.Element{
		ID: protocol.PEID(n), Home: 1, Life: 300,
		User:   at(netip.MustParseAddrPort(fmt.Sprintf("203.0.113.%d:7", n))),
		Policy: protocol.Policy{Type: protocol.RoundRobin},
	}
}

func pes(n int) []protocol.Element {
	var out []protocol.Element
	for i := range n {
		out = append(out, peN(i+1))
	}
	return out
}

func at(a netip.AddrPort) protocol.Transport {
	return protocol.Transport{Protocol: protocol.SCTP, Port: a.Port(), Addrs: []netip.Addr{a.Addr()}}
}

func rr() protocol.Policy { return protocol.Policy{Type: protocol.RoundRobin} }

func answer(es ...protocol.Element) asap.HandleResolutionResponse {
	return asap.HandleResolutionResponse{Handle: pool, Policy: rr(), HasPolicy: true, Elements: es}
}

func refusal(code protocol.CauseCode) asap.HandleResolutionResponse {
	return asap.HandleResolutionResponse{Handle: pool, Causes: []protocol.Cause{{Code: code}}}
}

// registered is the endpoint as PE 0x1234 of the pool, at home.
func registeredScript(t *testing.T, cfg Config) (*script, assoc.ID) {
	t.Helper()
	s := newScript(t, cfg)
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := s.home()
	s.drain()
	s.receive(id, granted())
	take[Registered](s)
	return s, id
}

func granted() asap.RegistrationResponse {
	return asap.RegistrationResponse{Handle: pool, ID: 0x1234}
}

// mine is what the endpoint registers by default.
func mine() protocol.Element {
	return protocol.Element{ID: 0x1234, Life: 300, User: at(local), Policy: rr()}
}

func registration() asap.Registration { return asap.Registration{Handle: pool, Element: mine()} }
