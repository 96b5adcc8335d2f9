package registrar

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// sharingScript owns so many PEs, while others own theirs.
func sharingScript(t *testing.T, mine int, theirs ...int) (*script, *remote) {
	t.Helper()
	s := startedWith(t, func(c *Config) { quiet(c); c.Handover = true; c.Timers.Heartbeat = time.Minute })
	pe := s.connect(1, "198.51.100.1:5000")
	for i := range mine {
		m := pe.offer("p", protocol.PEID(i+1))
		m.Element.Life = protocol.LifeInfinite
		pe.sends(m)
	}
	s.take()
	for i, n := range theirs {
		v := s.meets(assoc.ID(i+1), protocol.ServerID(20+i), fmt.Sprintf("192.0.2.%d:9901", 20+i))
		for id := range n {
			v.updates(enrp.AddPE, "p", owned(protocol.PEID(10_000*(i+1)+id), v.id))
		}
	}
	s.take()
	return s, pe
}

// TestSurplus: half of what is more than our share and less than a peer lacks is offered, to the one that owns
// the fewest, a hundred at most; and nothing while it is little.
func TestSurplus(t *testing.T) {
	for _, tc := range []struct {
		mine   int
		theirs []int
		offers int
		to     protocol.ServerID
	}{
		{2, []int{0}, 0, 0}, {3, []int{0}, 0, 0}, {4, []int{0}, 1, 20}, {5, []int{0}, 1, 20}, {6, []int{0}, 2, 20}, {8, []int{0}, 2, 20}, {10, []int{0}, 3, 20},
		{6, []int{6}, 0, 0}, {0, []int{10}, 0, 0}, {60, []int{40}, 5, 20}, {54, []int{46}, 0, 0}, {55, []int{45}, 3, 20}, {500, []int{0}, 100, 20},
		{9, []int{3, 0}, 2, 21}, {9, []int{0, 3}, 2, 20}, {9, []int{3, 3}, 1, 20}, {12, []int{0, 12}, 2, 20},
	} {
		s, _ := sharingScript(t, tc.mine, tc.theirs...)
		s.sleep(2*time.Minute - 1)
		if n := s.r.counts.Offered; n != 0 {
			t.Errorf("%d PEs were offered to who is new", n)
		}
		s.sleep(1)
		offers := map[protocol.ServerID]int{}
		for _, e := range s.take() {
			if m, is := e.(SendENRP).Message.(enrp.HandleUpdate); is {
				if offers[m.Receiver]++; m.Element.Home != m.Receiver || m.Action != enrp.AddPE {
					t.Errorf("offered as %+v", m)
				}
			}
		}
		if len(offers) > 1 || offers[tc.to] != tc.offers || s.r.handover.open != tc.offers || int(s.r.counts.Offered) != tc.offers {
			t.Errorf("%d and %v: offers %v, want %d to %v", tc.mine, tc.theirs, offers, tc.offers, tc.to)
		}
	}
}

// TestOffersEnd when the new home announces the PE, it registers again or it goes; after 15 s in any case, and
// then that peer gets none for ten minutes.
func TestOffersEnd(t *testing.T) {
	for name, end := range map[string]func(s *script, pe *remote, id protocol.PEID){
		"announced": func(s *script, _ *remote, id protocol.PEID) {
			s.step(ENRPReceived{Link: Link{ENRPOverSCTP, 1}, Message: enrp.HandleUpdate{Route: enrp.Route{Sender: 20}, Handle: "p", Element: owned(id, 20)}})
		},
		"registers": func(_ *script, pe *remote, id protocol.PEID) { pe.sends(pe.offer("p", id)) },
		"goes":      func(_ *script, pe *remote, id protocol.PEID) { pe.sends(asap.Deregistration{Handle: "p", ID: id}) },
	} {
		s, pe := sharingScript(t, 20, 0)
		s.sleep(2 * time.Minute)
		var offered []protocol.PEID
		for _, e := range s.take() {
			if m, is := e.(SendENRP).Message.(enrp.HandleUpdate); is {
				offered = append(offered, m.Element.ID)
			}
		}
		open := s.r.handover.open
		if len(offered) != 5 || open != 5 || s.r.peers.byID[20].offered != 5 {
			t.Fatalf("%d offers, %d open", len(offered), open)
		}
		end(s, pe, offered[0])
		if s.r.handover.open != 4 || s.r.peers.byID[20].offered != 4 {
			t.Errorf("%s: %d open", name, s.r.handover.open)
		}
		s.sleep(offerTime - 1)
		if s.r.handover.open != 4 || !s.r.peers.byID[20].refusedUntil.IsZero() {
			t.Errorf("%s: %d open before the time", name, s.r.handover.open)
		}
		s.sleep(1)
		if p := s.r.peers.byID[20]; s.r.handover.open != 0 || p.offered != 0 || p.refusedUntil.Sub(s.now) != refusedFor {
			t.Errorf("%s: %d open after it", name, s.r.handover.open)
		}
		before := s.r.counts.Offered
		s.sleep(refusedFor - offerTime)
		if s.r.counts.Offered != before {
			t.Errorf("%s: offered again", name)
		}
		s.sleep(2 * time.Minute)
		if s.r.counts.Offered == before {
			t.Errorf("%s: never offered again", name)
		}
	}
}

// TestLeaveInTime: who leaves waits for the new homes no longer than three seconds, and says nothing more then;
// with nobody to take its PEs it does not wait (OWN-11).
func TestLeaveInTime(t *testing.T) {
	s, pe := sharingScript(t, 10, 0)
	s.step(Leave{})
	s.step(Leave{})
	if n := len(s.take()); n != 10 {
		t.Errorf("%d offers", n)
	}
	pe.sends(pe.offer("p", 11)) // which is offered as well
	if n := len(s.take()); n != 3 {
		t.Errorf("a PE that comes makes %d messages", n)
	}
	s.sleep(leaveTime + 10*time.Second/claimRate - 1)
	s.want()
	s.sleep(1)
	s.want(Shutdown{Link: Link{ENRPOverSCTP, 1}}, Left{})
	pe.sends(pe.offer("p", 12))
	if n := len(s.take()); n != 1 {
		t.Errorf("afterwards a PE makes %d messages", n)
	}
	for name, theirs := range map[string][]int{"no PEs": {0}, "nobody": nil} {
		s, _ := sharingScript(t, 3*(1-len(theirs)), theirs...)
		s.step(Leave{})
		if out := s.take(); !s.r.handover.done || out[len(out)-1] != (Effect)(Left{}) {
			t.Errorf("%s: it does %v", name, out)
		}
	}
	s, _ = sharingScript(t, 3, 0)
	s.r.cfg.Handover = false
	s.step(Leave{})
	s.want(Shutdown{Link: Link{ENRPOverSCTP, 1}}, Left{})
}

// TestElementSize is never less than what an element takes, and little more: parts of tables and answers are cut
// by it.
func TestElementSize(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, user := range []protocol.Transport{
		{Protocol: protocol.SCTP, Port: 1, Addrs: []netip.Addr{v4}}, {Protocol: protocol.SCTP, Port: 1, Addrs: []netip.Addr{v4, v6, v4, v6}},
		{Protocol: protocol.TCP, Port: 1, Addrs: []netip.Addr{v6}}, {Protocol: protocol.UDPLite, Port: 1, Addrs: []netip.Addr{v4}},
		{Protocol: protocol.DCCP, Port: 1, ServiceCode: 7, Addrs: []netip.Addr{v4}}, {Protocol: protocol.Opaque, Opaque: "twelve bytes"},
	} {
		e := owned(1, 20)
		e.User = user
		size := func(n int) int {
			m := enrp.HandleTableResponse{Route: from(20), Entries: []enrp.PoolEntry{{Handle: "pool"}}}
			for range n {
				m.Entries[0].Elements = append(m.Entries[0].Elements, e)
			}
			b, err := enrp.Append(nil, m)
			if err != nil {
				t.Fatal(err)
			}
			return len(b)
		}
		takes := (size(11) - size(1)) / 10
		if said := elementSize(e); said < takes || said > takes+30 {
			t.Errorf("%v: %d bytes, it says %d", user, takes, said)
		}
	}
}

// TestWhoIsHere: addresses on loopback are of use on one host only.
func TestWhoIsHere(t *testing.T) {
	lo, lo6, far := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"), netip.MustParseAddr("192.0.2.1")
	for _, tc := range []struct {
		addrs         []netip.Addr
		all, far, own bool // loopback alone; of use to one elsewhere, and here
	}{
		{nil, false, false, false}, {[]netip.Addr{lo}, true, false, true}, {[]netip.Addr{lo, lo6}, true, false, true},
		{[]netip.Addr{lo, far}, false, true, true}, {[]netip.Addr{far}, false, true, true},
	} {
		tr := protocol.Transport{Addrs: tc.addrs}
		if allLoopback(tc.addrs) != tc.all || canServe(&peer{}, tr) != tc.far || canServe(&peer{here: true}, tr) != tc.own {
			t.Errorf("%v", tc.addrs)
		}
	}
}

// TestIndexedSet: whatever is taken out, the others know their places.
func TestIndexedSet(t *testing.T) {
	type member struct{ slot int32 }
	s := indexedSet[member]{index: func(m *member) *int32 { return &m.slot }}
	all := make([]member, 5)
	for i := range all {
		s.add(&all[i])
	}
	for left, i := range []int{2, 0, 4} {
		s.remove(&all[i])
		if s.len() != 4-left || all[i].slot != 0 {
			t.Errorf("%d are left", s.len())
		}
		for at, m := range s.items {
			if int(m.slot) != at+1 {
				t.Errorf("one at %d thinks it is at %d", at, m.slot)
			}
		}
	}
	if out := s.take(); len(out) != 2 || s.len() != 0 || all[1].slot+all[3].slot != 0 {
		t.Errorf("took %d", len(out))
	}
}

// TestTakenWhileLeaving: a PE that makes us its home when we have begun to leave is offered on (OWN-11).
func TestTakenWhileLeaving(t *testing.T) {
	s, pe := sharingScript(t, 1, 0)
	s.step(ENRPReceived{Link: Link{ENRPOverSCTP, 1}, Message: enrp.HandleUpdate{Route: enrp.Route{Sender: 20}, Handle: "q", Element: owned(7, 20)}})
	s.step(ENRPReceived{Link: Link{ENRPOverSCTP, 1}, Message: enrp.HandleUpdate{Route: enrp.Route{Sender: 20}, Handle: "q", Element: owned(7, myID)}})
	s.want(pe.gets(claimed("q", 7)))
	s.step(Leave{})
	s.take()
	pe.sends(ack("q", 7))
	out := s.take()
	if len(out) != 2 {
		t.Fatalf("it does %v", out)
	}
	if m := out[1].(SendENRP).Message.(enrp.HandleUpdate); m.Receiver != 20 || m.Element.ID != 7 || m.Element.Home != 20 {
		t.Errorf("it says %+v", m)
	}
}
