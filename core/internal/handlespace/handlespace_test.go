package handlespace

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

var addrs = []netip.Addr{netip.MustParseAddr("192.0.2.1")}

// pe is an SCTP element of a Round Robin pool.
func pe(id protocol.PEID, home protocol.ServerID) protocol.Element {
	return protocol.Element{
		ID: id, Home: home, Life: 300,
		User:   protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: addrs},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
	}
}

func newSpace() *Space[int] { return New[int](rand.New(rand.NewPCG(1, 2))) }

var compare = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}

// ASAP-3.1-16, ASAP-3.1-17: the first element makes the pool what it is.
// ASAP-3.2-08, OVR-2.1-01: the last one takes it away.
func TestPoolLivesAsLongAsItsElements(t *testing.T) {
	s := newSpace()
	a, isNew := s.Put("p", pe(1, 10))
	if p := s.Pool("p"); !isNew || p == nil || p.Policy != protocol.RoundRobin || p.Protocol != protocol.SCTP || p.Use != protocol.DataOnly {
		t.Fatalf("pool is %+v, new %v", p, isNew)
	}
	b, _ := s.Put("p", pe(2, 10))
	s.Remove(a)
	if s.Pool("p") == nil || s.Element("p", 1) != nil || s.Element("p", 2) != b {
		t.Error("removing one of two took the wrong thing")
	}
	s.Remove(b)
	if pools, elements := s.Len(); s.Pool("p") != nil || pools != 0 || elements != 0 {
		t.Errorf("an empty pool is still there: %d pools, %d elements", pools, elements)
	}
	s.Put("p", protocol.Element{ID: 1, Policy: protocol.Policy{Type: protocol.Random}, User: protocol.Transport{Protocol: protocol.UDP}})
	if p := s.Pool("p"); p.Policy != protocol.Random || p.Protocol != protocol.UDP {
		t.Error("a new pool of the old name kept the old type")
	}
}

// COM-3.9-01: handles are bytes.
func TestHandlesAreBytes(t *testing.T) {
	s := newSpace()
	for i, h := range []protocol.PoolHandle{"a", "a\x00", "\x00a", "\xff\xfe", "A"} {
		s.Put(h, pe(protocol.PEID(i), 1))
	}
	if pools, _ := s.Len(); pools != 5 {
		t.Errorf("%d pools, want 5", pools)
	}
}

// ASAP-3.1-21, ENRP-3.3.1-05: all attributes are replaced, the home too.
func TestPutReplaces(t *testing.T) {
	s := newSpace()
	el, _ := s.Put("p", pe(1, 10))
	el.State = 42
	changed := pe(1, 20)
	changed.Life, changed.User.Port = 5, 9
	again, isNew := s.Put("p", changed)
	if isNew || again != el || again.State != 42 {
		t.Error("the element was not replaced in place")
	}
	if diff := cmp.Diff(changed, el.Element, compare); diff != "" {
		t.Error(diff)
	}
	if s.Owned(10) != 0 || s.Owned(20) != 1 {
		t.Errorf("owned: %d and %d, want 0 and 1", s.Owned(10), s.Owned(20))
	}
}

// ASAP-3.1-18, 19, 20; COM-3.12-05, 06: what differs, with the pool's TLV.
func TestCheck(t *testing.T) {
	weighted := func(w uint32) protocol.Element {
		e := pe(1, 1)
		e.Policy = protocol.Policy{Type: protocol.WeightedRoundRobin, Weight: w}
		return e
	}
	change := func(f func(*protocol.Element)) protocol.Element {
		e := weighted(5)
		e.ID = 2
		f(&e)
		return e
	}
	tests := []struct {
		name string
		e    protocol.Element
		want []protocol.Cause
	}{
		{"same", weighted(1), nil},
		{"other weight", weighted(9), nil},
		{"other port and address", change(func(e *protocol.Element) { e.User.Port = 1; e.User.Addrs = nil }), nil},
		{"other policy", change(func(e *protocol.Element) { e.Policy = protocol.Policy{Type: protocol.Random} }),
			[]protocol.Cause{wire.InconsistentPolicy(weighted(1).Policy)}},
		{"other transport", change(func(e *protocol.Element) { e.User.Protocol = protocol.TCP }),
			[]protocol.Cause{wire.InconsistentTransport(weighted(1).User)}},
		{"other use", change(func(e *protocol.Element) { e.User.Use = protocol.DataAndControl }),
			[]protocol.Cause{{Code: protocol.CauseInconsistentDataControl}}},
		{"all of it", change(func(e *protocol.Element) {
			e.Policy.Type, e.User.Protocol, e.User.Use = protocol.LeastUsed, protocol.UDP, protocol.DataAndControl
		}), []protocol.Cause{wire.InconsistentPolicy(weighted(1).Policy), wire.InconsistentTransport(weighted(1).User)}},
		{"re-registration with another policy", change(func(e *protocol.Element) { e.ID, e.Policy.Type = 1, protocol.Priority }),
			[]protocol.Cause{wire.InconsistentPolicy(weighted(1).Policy)}},
	}
	for _, test := range tests {
		s := newSpace()
		s.Put("p", weighted(1))
		if diff := cmp.Diff(test.want, s.Check("p", test.e), compare); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if got := s.Check("other", test.e); got != nil {
			t.Errorf("%s, in a new pool: %v", test.name, got)
		}
	}
}

// ENRP-3.6-06: the checklist's vectors. OWN-08: a move takes the block along.
func TestChecksum(t *testing.T) {
	s := newSpace()
	want := func(id protocol.ServerID, sum uint16) {
		t.Helper()
		if got := s.Checksum(id); got != sum {
			t.Errorf("checksum of %v is %#04x, want %#04x", id, got, sum)
		}
	}
	want(1, 0xffff)
	a, _ := s.Put("EchoPool", pe(0x01020304, 1))
	want(1, 0x8e4b)
	s.Put("EchoPool", pe(0xfffffffe, 1))
	c, _ := s.Put("abc", pe(1, 1))
	want(1, 0x5c3a)
	moved, _ := s.Put("abc", pe(0x01020304, 1))
	s.SetHome(moved, 2)
	want(1, 0x5c3a)
	want(2, 0x3797)
	s.SetHome(moved, 3)
	want(2, 0xffff)
	want(3, 0x3797)
	s.Remove(a)
	s.Remove(c)
	want(1, 0x9252)
}

func TestSelectFollowsThePolicy(t *testing.T) {
	s := newSpace()
	for id := range protocol.PEID(3) {
		s.Put("p", pe(id, 1))
	}
	for _, want := range []string{"[0 1]", "[1 2]", "[2 0]"} {
		var got []protocol.PEID
		for _, el := range s.Select(s.Pool("p"), nil, 2) {
			got = append(got, el.ID)
		}
		if text := fmt.Sprintf("%d", got); text != want {
			t.Errorf("selected %s, want %s", text, want)
		}
	}
}

// TestThePolicyIsTold: of new values by Put, of a session by Use; and a selection
// keeps nothing of whom it was given.
func TestThePolicyIsTold(t *testing.T) {
	s := newSpace()
	values := func(id protocol.PEID, load uint32) protocol.Element {
		e := pe(id, 1)
		e.Policy = protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: load, Degradation: 10}
		return e
	}
	first := func() *Element[int] { return s.Select(s.Pool("p"), nil, 1)[0] }
	s.Put("p", values(1, 10))
	s.Put("p", values(2, 15))
	if el := first(); el.ID != 1 {
		t.Errorf("PE %v is the least used", el.ID)
	}
	s.Use(first())
	if el := first(); el.ID != 2 {
		t.Errorf("PE 1 is used, and PE %v the least used", el.ID)
	}
	s.Put("p", values(1, 5))
	if el := first(); el.ID != 1 {
		t.Errorf("PE 1 has registered again, and PE %v is the least used", el.ID)
	}
	for _, n := range s.scratch[:cap(s.scratch)] {
		if n != nil {
			t.Error("the selection keeps an element, which may be gone soon")
		}
	}
}

// ENRP-3.2-11: a walk cut into parts meets everybody once, whoever leaves or
// joins on the way.
func TestCursorSurvivesChanges(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := newSpace()
		name := func() protocol.PoolHandle { return protocol.PoolHandle(fmt.Sprint("pool", r.IntN(8))) }
		stays := map[*Element[int]]bool{}
		for id := range protocol.PEID(100) {
			el, _ := s.Put(name(), pe(id, 1))
			stays[el] = true
		}
		met := map[*Element[int]]bool{}
		for c, more := (Cursor{}), true; more; {
			more = false
			part := 0
			for el := range s.After(c) {
				if part++; part > 7 {
					more = true
					break
				}
				if met[el] {
					t.Fatalf("seed %d: PE %v met twice", seed, el.ID)
				}
				met[el] = true
				c = el.Cursor()
			}
			for range r.IntN(12) {
				all := slices.Collect(s.Elements())
				if len(all) == 0 {
					break
				}
				gone := all[r.IntN(len(all))]
				s.Remove(gone)
				delete(stays, gone)
				s.Put(name(), pe(protocol.PEID(1000+r.IntN(100)), 1))
			}
		}
		for el := range stays {
			if !met[el] {
				t.Fatalf("seed %d: PE %v was never met", seed, el.ID)
			}
		}
	}
}

// Elements and pools may be removed while going through them.
func TestRemoveWhileIterating(t *testing.T) {
	s := newSpace()
	for id := range protocol.PEID(60) {
		s.Put(protocol.PoolHandle(fmt.Sprint(id%5)), pe(id, 1))
	}
	seen := 0
	for p := range s.Pools() {
		for el := range p.Elements() {
			seen++
			s.Remove(el)
		}
	}
	if pools, elements := s.Len(); seen != 60 || pools != 0 || elements != 0 {
		t.Errorf("saw %d of 60, left %d pools and %d elements", seen, pools, elements)
	}
}

// A random history against recounting everything.
func TestRandomHistory(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 9))
		s := newSpace()
		for range 500 {
			h := protocol.PoolHandle(fmt.Sprint(r.IntN(6)))
			id, home := protocol.PEID(r.IntN(10)), protocol.ServerID(r.IntN(4))
			el := s.Element(h, id)
			switch op := r.IntN(4); {
			case op < 2:
				s.Put(h, pe(id, home))
			case el == nil:
			case op == 2:
				s.Remove(el)
			default:
				s.SetHome(el, home)
			}
			checkSpace(t, s)
		}
	}
}

// checkSpace recounts what the handlespace keeps up to date.
func checkSpace(t *testing.T, s *Space[int]) {
	t.Helper()
	sums := map[protocol.ServerID]*wire.PEChecksum{}
	pools, elements := 0, 0
	for p := range s.Pools() {
		pools++
		inPool := 0
		for el := range p.Elements() {
			inPool++
			if s.Element(p.Handle, el.ID) != el || el.Pool() != p {
				t.Fatalf("PE %v of %q cannot be looked up", el.ID, p.Handle)
			}
			if sums[el.Home] == nil {
				sums[el.Home] = &wire.PEChecksum{}
			}
			sums[el.Home].Add(p.Handle, el.ID)
		}
		if inPool == 0 || inPool != p.Len() || inPool != p.selector.Len() {
			t.Fatalf("pool %q: %d elements listed, %d known, %d selectable", p.Handle, inPool, len(p.elements), p.selector.Len())
		}
		elements += inPool
	}
	if a, b := s.Len(); a != pools || b != elements {
		t.Fatalf("Len() = %d, %d; counted %d, %d", a, b, pools, elements)
	}
	if len(s.owners) != len(sums) {
		t.Fatalf("%d owners are kept, %d own something", len(s.owners), len(sums))
	}
	for id := range protocol.ServerID(4) {
		want := (&wire.PEChecksum{}).Sum()
		if sums[id] != nil {
			want = sums[id].Sum()
		}
		if got := s.Checksum(id); got != want {
			t.Fatalf("checksum of %v is %#04x, recounted %#04x", id, got, want)
		}
	}
}
