package registrar

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// holding is how much there is of everything that could grow.
type holding struct {
	pools, elements               int
	links, addrs, housing         int
	attempts, toPEs, waiting      int
	subscribers, subscriptions    int
	peers, byID, candidates       int
	heard, knocks                 int
	departed, complaints          int
	downloads, gone, offers, held int
	timers                        int
}

func (r *Registrar) holds() (h holding) {
	h.pools, h.elements = r.space.Len()
	h.links, h.addrs, h.housing = len(r.links.all), len(r.links.byAddr), r.links.housing
	h.attempts, h.toPEs, h.waiting = len(r.attempts.byToken), len(r.attempts.toPE), r.attempts.waiting()
	h.subscribers, h.subscriptions = len(r.subscribers.byPool), r.subscribers.count
	h.peers, h.byID, h.candidates = len(r.peers.list), len(r.peers.byID), len(r.candidates.list)
	h.heard, h.knocks = len(r.announcer.heard), len(r.discovery.open)
	h.departed, h.complaints = len(r.peers.departed), len(r.complaints)
	h.downloads, h.gone, h.offers, h.held = r.changes.downloads, len(r.changes.gone), r.handover.open, len(r.asap.waiting)
	h.timers = r.timers.Len()
	return h
}

// settles does the same again and again: each time leaves as much as the first, and nothing more in the
// heap.
func (s *script) settles(again func(i int)) {
	s.Helper()
	const warm, rounds = 200, 1000
	for i := range warm {
		again(i)
		s.forget()
	}
	left, before := s.r.holds(), inUse()
	for i := range rounds {
		again(warm + i)
		s.forget()
		if now := s.r.holds(); now != left {
			s.Fatalf("round %d leaves %+v, before it was %+v", i, now, left)
		}
	}
	checkRegistrar(s, s.r)
	if grown := (inUse() - before) / rounds; grown > 20 {
		s.Errorf("each round leaves %.0f bytes", grown)
	}
}

// inUse is how much of it is in use.
func inUse() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// forget drops what came out: it is the script that keeps it.
func (s *script) forget() { s.out, s.logs = nil, nil }

// TestElementsAreForgotten: of PEs that come and go for months, and of those who asked for them, nothing is
// left, however they went.
func TestElementsAreForgotten(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.KeepAlive.Interval = 0 })
	s.meets(1, 20, "192.0.2.20:9901")
	id := assoc.ID(100)
	dead := func(pe *remote) { // nobody is there any more
		pe.lost()
		for _, e := range s.take() {
			if to, is := e.(SendASAPTo); is {
				s.step(ConnectFailed{Token: to.Token, Err: errRefused})
			}
		}
	}
	ways := map[string]func(pe *remote, h protocol.PoolHandle){
		"deregistered": func(pe *remote, h protocol.PoolHandle) {
			for n := range protocol.PEID(3) {
				pe.sends(asap.Deregistration{Handle: h, ID: n + 1})
			}
			pe.lost()
		},
		"expired": func(pe *remote, _ protocol.PoolHandle) {
			for end := s.now.Add(301 * time.Second); s.now.Before(end); {
				s.sleep(time.Second)
				s.answer(pe)
			}
			pe.lost()
		},
		"does not answer": func(pe *remote, _ protocol.PoolHandle) { s.sleep(time.Minute); pe.lost() },
		"dead":            func(pe *remote, _ protocol.PoolHandle) { s.sleep(time.Second); dead(pe) },
		"restarted": func(pe *remote, h protocol.PoolHandle) {
			s.step(AssocRestarted{Link: pe.link, Peer: pe.addrPorts()})
			s.sleep(time.Minute)
			pe.lost()
		},
	}
	for _, name := range []string{"deregistered", "expired", "does not answer", "dead", "restarted"} {
		s.TB = t
		t.Run(name, func(t *testing.T) {
			s.TB = t
			s.settles(func(i int) {
				if name == "expired" && i > 250 {
					return
				}
				id += 2
				h := protocol.PoolHandle(fmt.Sprint("pool ", id))
				pe, pu := s.connect(id, "192.0.2.1:5000"), s.connect(id+1, "192.0.2.2:5000")
				for n := range protocol.PEID(3) {
					pe.sends(pe.offer(h, n+1))
				}
				pu.sends(asap.HandleResolution{Handle: h, Subscribe: true})
				pe.sends(pe.offer(h, 1))
				if i%2 == 0 {
					pu.lost()
				}
				ways[name](pe, h)
				if i%2 != 0 {
					pu.lost()
				}
			})
			if h := s.r.holds(); h.elements+h.pools+h.housing+h.attempts+h.subscribers+h.subscriptions != 0 || h.links != 1 {
				t.Errorf("left: %+v", h)
			}
		})
	}
}

// answer answers all KEEP_ALIVEs to a PE.
func (s *script) answer(pe *remote) {
	for _, e := range s.take() {
		if to, is := e.(SendASAP); is && to.Link == pe.link {
			if m, is := to.Message.(asap.EndpointKeepAlive); is {
				pe.sends(ack(m.Handle, m.ID))
			}
		}
	}
}

// TestRegistrarsAreForgotten: registrars that come under new identifiers and die, or whose PEs others take
// over, leave where they were for an hour, so many at most, and that they were taken over.
func TestRegistrarsAreForgotten(t *testing.T) {
	for name, ends := range map[string]func(s *script, v *rival){
		"taken over here": func(s *script, v *rival) {
			v.lost()
			for range 2 { // the registrar, then its PEs
				for _, e := range s.take() {
					switch to := e.(type) {
					case SendENRPTo:
						s.step(ConnectFailed{Token: to.Token, Err: errRefused})
					case SendASAPTo:
						s.step(ConnectFailed{Token: to.Token, Err: errRefused})
					}
				}
			}
		},
		"taken over by another": func(s *script, v *rival) {
			s.step(ENRPReceived{Link: Link{ENRPOverSCTP, 1}, Message: enrp.TakeoverServer{Route: enrp.Route{Sender: 20}, Target: v.id}})
			v.lost()
			for id := range protocol.PEID(3) {
				s.step(ENRPReceived{Link: Link{ENRPOverSCTP, 1}, Message: enrp.HandleUpdate{
					Route: enrp.Route{Sender: 20}, Action: enrp.DelPE, Handle: "p", Element: owned(id+1, 20),
				}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startedWith(t, func(c *Config) { quiet(c); c.Timers.Heartbeat = 10 * time.Minute })
			if name == "taken over by another" {
				s.meets(1, 20, "192.0.2.20:9901")
			}
			s.settles(func(i int) {
				v := &rival{&remote{s, Link{ENRPOverSCTP, assoc.ID(i + 100)}, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 9901)}, protocol.ServerID(i + 100)}
				s.step(AssocUp{Link: v.link, Peer: v.addrPorts()})
				v.says(v.presence(0xffff))
				for id := range protocol.PEID(3) {
					v.updates(enrp.AddPE, "p", owned(id+1, v.id))
				}
				v.says(enrp.HandleTableRequest{Route: v.route()})
				v.says(v.presence(0x1234)) // a download begins
				v.updates(enrp.DelPE, "p", owned(9, v.id))
				if len(s.r.changes.gone) != 1 || s.r.changes.downloads != 1 {
					t.Fatalf("%d remembered in %d downloads", len(s.r.changes.gone), s.r.changes.downloads)
				}
				s.take()
				ends(s, v)
				if s.r.peers.byID[v.id] != nil || s.r.space.Owned(v.id) != 0 {
					t.Fatal("it is not forgotten")
				}
				s.sleep(15 * time.Minute) // it is looked for in vain
				for _, e := range s.take() {
					if to, is := e.(SendENRPTo); is {
						s.step(ConnectFailed{Token: to.Token, Err: errRefused})
					}
				}
			})
			if h := s.r.holds(); h.elements != 0 || h.departed > 8 || h.candidates > 8 || h.downloads != 0 || h.gone != 0 || h.attempts != 0 {
				t.Errorf("left: %+v", h)
			}
		})
	}
}

// TestRememberedIsBounded: what others can make a registrar remember has an end, however long they go on,
// and what was there first stays.
func TestRememberedIsBounded(t *testing.T) {
	t.Run("PEs that went during a download", func(t *testing.T) {
		s, v := audited(t)
		for id := range protocol.PEID(maxGone + 100) {
			v.updates(enrp.DelPE, "q", owned(id+1, 20))
		}
		if n := len(s.r.changes.gone); n != maxGone {
			t.Errorf("%d are remembered", n)
		}
		v.table(false, "q", owned(1, 20), owned(maxGone, 20), owned(maxGone+1, 20))
		s.wantHomes("q", homes{maxGone + 1: 20})
		if len(s.r.changes.gone) != 0 {
			t.Error("they still are")
		}
	})
	t.Run("subscriptions of one", func(t *testing.T) {
		s := started(t)
		pe, pu, other := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000"), s.connect(3, "192.0.2.3:5000")
		for i := range maxLinkSubs + 1 {
			pe.registers(poolOf(10*i), 1)
		}
		subscribes := func(pu *remote, i int, want bool) {
			t.Helper()
			pu.sends(asap.HandleResolution{Handle: poolOf(10 * i), Subscribe: true})
			if m := s.take()[0].(SendASAP).Message.(asap.HandleResolutionResponse); m.UpdatesAccepted != want {
				t.Errorf("subscription %d: accepted %v", i, m.UpdatesAccepted)
			}
		}
		for i := range maxLinkSubs {
			subscribes(pu, i, true)
		}
		subscribes(pu, maxLinkSubs, false)
		subscribes(pu, 0, true) // it has that one
		subscribes(other, maxLinkSubs, true)
		pu.sends(asap.HandleResolution{Handle: poolOf(0)}) // ends one
		s.take()
		subscribes(pu, maxLinkSubs, true)
		if n := s.r.subscribers.count; n != maxLinkSubs+1 {
			t.Errorf("%d subscriptions", n)
		}
	})
	t.Run("registrars that were taken over", func(t *testing.T) {
		s := enrpScript(t)
		v := s.meets(1, 20, "192.0.2.20:9901")
		for id := range protocol.ServerID(maxDeparted + 100) {
			v.says(enrp.TakeoverServer{Route: v.route(), Target: id + 1000})
		}
		if n := len(s.r.peers.departed); n != maxDeparted || !s.r.peers.departed.has(s.now, 1000) {
			t.Errorf("%d are remembered", n)
		}
		s.sleep(lostFor)
		if !s.r.peers.departed.has(s.now, 1000) {
			t.Error("the hour is not over")
		}
		s.sleep(1)
		v.says(enrp.TakeoverServer{Route: v.route(), Target: 999})
		if n := len(s.r.peers.departed); n != 1 || s.r.peers.departed.has(s.now, 1000) {
			t.Errorf("after an hour %d are", n)
		}
	})
	t.Run("where registrars were", func(t *testing.T) {
		s := startedWith(t, func(c *Config) { quiet(c); c.Timers.Heartbeat = 30 * time.Minute })
		for i := range maxLost + 10 {
			v := s.meets(assoc.ID(i+1), protocol.ServerID(i+100), fmt.Sprintf("192.0.2.%d:9901", i+1))
			s.r.takeovers.takeOver(s.now, s.r.peers.byID[v.id])
			s.take()
		}
		if n := len(s.r.candidates.list); n != maxLost || s.r.candidates.list[0].id != 100 {
			t.Errorf("%d are remembered", n)
		}
		hopeless := func() {
			for _, e := range s.take() {
				if to, is := e.(SendENRPTo); is {
					s.step(ConnectFailed{Token: to.Token, Err: errRefused})
				}
			}
		}
		s.sleep(lostFor)
		hopeless()
		if n := len(s.r.candidates.list); n != maxLost {
			t.Errorf("after an hour %d are", n)
		}
		s.sleep(30 * time.Minute)
		hopeless()
		if n := len(s.r.candidates.list); n != 0 {
			t.Errorf("after more than an hour %d are", n)
		}
	})
	t.Run("complaints", func(t *testing.T) {
		s := started(t)
		for i := range maxComplaints + 10 {
			s.r.complain(s.now, fmt.Sprint(i), Log{Msg: "x"})
		}
		s.collect()
		if n := len(s.r.complaints); n != maxComplaints || len(s.logs) < maxComplaints {
			t.Errorf("%d are remembered", n)
		}
		s.logs = nil
		for range 2 {
			s.now = s.now.Add(complainEvery - 1)
			s.r.complain(s.now, "0", Log{Msg: "x"})
			s.collect()
			if len(s.logs) != 0 {
				t.Error("the same too early")
			}
			s.now = s.now.Add(1)
			s.r.complain(s.now, "0", Log{Msg: "x"})
			s.collect()
			if len(s.logs) != 1 || s.logs[0].Level != Warn || len(s.r.complaints) != 1 {
				t.Errorf("after a minute: %v, %d remembered", s.logs, len(s.r.complaints))
			}
			s.logs = nil
		}
	})
}
