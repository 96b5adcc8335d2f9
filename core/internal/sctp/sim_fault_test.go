package sctp_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// pingPong is the program of the single-fault runs: ten messages back and
// forth, then a shutdown.
type pingPong struct {
	w    *world
	left int
	both bool // both ends shut down
	stay bool // nobody does
}

func (p *pingPong) up(a *simAssoc) {
	if !a.incoming {
		p.w.after(0, func() { a.send(0, false, 100, 0) })
	}
}

func (p *pingPong) got(a *simAssoc, m *message) {
	p.w.after(0, func() {
		if p.left--; p.left > 0 {
			a.send(m.stream, false, 100, 0)
			return
		}
		if p.stay {
			return
		}
		a.shutdown()
		if p.both {
			m.epoch.a.shutdown()
		}
	})
}

func (p *pingPong) writable(*simAssoc) {}
func (p *pingPong) ended(*simAssoc)    {}

// playFaults runs handshake, ten messages and shutdown under a fault plan.
func playFaults(both bool, plan func(n int) fault) *world {
	w := newWorld(1)
	w.calm, w.fault = true, plan
	par := scriptParams()
	par.MaxInitRetransmits, par.AssocMaxRetrans = 6, 6
	app := &pingPong{w: w, left: 10, both: both}
	for i := range 2 {
		w.addHost(sctp.Config{Params: par, InitialTSN: func() uint32 { return 0xfffffffd }},
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 5000), app)
	}
	a, b := w.hosts[0], w.hosts[1]
	w.link(a, b).delay, w.link(b, a).delay = time.Millisecond, time.Millisecond
	w.after(0, func() { a.connect(b, nil) })
	w.run(2*time.Minute, nil)
	for _, h := range w.hosts {
		// A lost SHUTDOWN COMPLETE is no loss: the peer's SHUTDOWN ACK is
		// answered out of the blue.
		if w.err == nil && h.order[0].terminal != assoc.ShutdownComplete {
			w.fail("%s does not end gracefully", h.name)
		}
		// A COOKIE ECHO that comes when all is over opens a second
		// association, which the peer knows nothing of (SCTP-6-02).
		for _, a := range h.order[1:] {
			a.shutdown()
		}
	}
	w.run(2*time.Minute, nil)
	if w.err == nil && app.left > 0 {
		w.fail("%d messages did not go through", app.left)
	}
	if w.err == nil {
		w.audit()
	}
	return w
}

var singleFaults = map[string]fault{
	"drop":        {drop: true},
	"duplicate":   {dup: true},
	"delay 3ms":   {delay: 3 * time.Millisecond},
	"delay 150ms": {delay: 150 * time.Millisecond},
	"delay 2s":    {delay: 2 * time.Second},
}

// TestSimSingleFaults drops, duplicates or delays each single packet of a
// short association (SCTP-7-12, 8-10).
func TestSimSingleFaults(t *testing.T) {
	for _, both := range []bool{false, true} {
		clean := playFaults(both, nil)
		if clean.err != nil {
			t.Fatal(clean.err)
		}
		t.Logf("%d packets", clean.carried)
		for name, f := range singleFaults {
			for k := range clean.carried {
				w := playFaults(both, func(n int) fault {
					if n == k {
						return f
					}
					return fault{}
				})
				if w.err != nil {
					t.Errorf("both %v, %s packet %d: %v", both, name, k, w.err)
				}
			}
		}
	}
}

// TestSimDoubleFaults does the same to every pair of packets.
func TestSimDoubleFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	clean := playFaults(false, nil)
	if clean.err != nil {
		t.Fatal(clean.err)
	}
	one, two := singleFaults["drop"], singleFaults["duplicate"]
	for k := range clean.carried {
		for l := k + 1; l < clean.carried+4; l++ {
			for name, pair := range map[string][2]fault{"drop drop": {one, one}, "dup drop": {two, one}, "drop dup": {one, two}} {
				w := playFaults(false, func(n int) fault {
					switch n {
					case k:
						return pair[0]
					case l:
						return pair[1]
					}
					return fault{}
				})
				if w.err != nil {
					t.Fatalf("%s of packets %d and %d: %v", name, k, l, w.err)
				}
			}
		}
	}
}

// TestSimDeathIsNoticed cuts the path for good in every phase: the end comes
// within the bound of section 4.2, and never before (SCTP-7-04, 8-14, 8-15).
func TestSimDeathIsNoticed(t *testing.T) {
	par := scriptParams()
	par.HeartbeatInterval = time.Second
	par.ConnectTimeout = 20 * time.Second
	bound := deathBound(par)
	for cut := range 30 {
		for _, phase := range []string{"idle", "busy"} {
			t.Run(fmt.Sprintf("%s-cut-%d", phase, cut), func(t *testing.T) {
				w := newWorld(uint64(cut))
				app := &pingPong{w: w, left: 10, stay: phase == "idle"}
				for i := range 2 {
					w.addHost(sctp.Config{Params: par},
						netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 5000), app)
				}
				a, b := w.hosts[0], w.hosts[1]
				w.link(a, b).delay, w.link(b, a).delay = time.Millisecond, time.Millisecond
				w.after(0, func() { a.connect(b, nil) })
				w.fault = func(n int) fault { return fault{drop: n >= cut} }
				w.run(time.Hour, nil)
				if w.err == nil {
					w.audit()
				}
				if took := w.now.Sub(w.start); took > bound+time.Second {
					w.fail("the end comes after %v, bound %v", took, bound)
				}
				if w.err != nil {
					t.Fatal(w.err)
				}
			})
		}
	}
}

// TestSimDeathIsOwnAffair: when a peer is given up does not depend on how patient
// that peer is itself; one has what Linux and usrsctp have by default
// (SCTP-4-23).
func TestSimDeathIsOwnAffair(t *testing.T) {
	own := scriptParams()
	own.HeartbeatInterval = time.Second
	patient := own
	patient.RTOInitial, patient.RTOMin, patient.RTOMax = 3*time.Second, time.Second, time.Minute
	patient.HeartbeatInterval, patient.PathMaxRetrans, patient.AssocMaxRetrans, patient.MaxInitRetransmits = 30*time.Second, 5, 10, 8
	patient.CookieLife, patient.SackDelay, patient.ReceiveBuffer = time.Minute, 200*time.Millisecond, 106496
	patient.OutStreams, patient.InStreams = 10, 2048
	for _, busy := range []bool{false, true} {
		var ends []time.Duration
		for _, peers := range []assoc.Params{own, patient} {
			w := newWorld(5)
			var a *host
			work := newLoader(w, func(s *simAssoc) []*job {
				if !busy || s.h != a {
					return nil
				}
				return []*job{{left: 1000, size: between(10, 10), streams: 1, every: 10 * time.Millisecond}}
			})
			for i, par := range []assoc.Params{own, peers} {
				w.addHost(sctp.Config{Params: par}, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 5000), work)
			}
			a = w.hosts[0]
			b := w.hosts[1]
			w.link(a, b).delay, w.link(b, a).delay = time.Millisecond, time.Millisecond
			cut := w.start.Add(2 * time.Second)
			w.fault = func(int) fault { return fault{drop: !w.now.Before(cut)} }
			w.after(0, func() { a.connect(b, nil) })
			if !w.run(time.Hour, func() bool { return len(a.order) == 1 && a.order[0].terminal != 0 }) || w.err != nil || a.order[0].terminal != assoc.CommLost {
				t.Fatalf("busy %v: no end: %v", busy, w.err)
			}
			ends = append(ends, w.now.Sub(cut))
		}
		// Heartbeats have jitter.
		if d := (ends[0] - ends[1]).Abs(); d > 4*own.RTOMax {
			t.Errorf("busy %v: a peer like us is given up %v after the last packet, a patient one %v", busy, ends[0], ends[1])
		}
	}
}

// deathBound is SCTP-4-20 for the slower of idle and busy, plus the set-up.
func deathBound(p assoc.Params) time.Duration {
	rto := func(i int) time.Duration { return min(p.RTOInitial<<i, p.RTOMax) }
	var setup, idle, busy time.Duration
	for i := range p.MaxInitRetransmits + 1 {
		setup += 2 * rto(i)
	}
	idle = p.HeartbeatInterval + rto(0)*3/2
	for i := range p.AssocMaxRetrans + 1 {
		busy += rto(i)
		if i > 0 {
			idle += p.HeartbeatInterval + rto(i)*3/2
		}
	}
	idle += rto(p.AssocMaxRetrans)
	return max(idle+busy, setup)
}

// TestSimNoFalseAlarm lets an idle association live for a virtual day
// (SCTP-7-04).
func TestSimNoFalseAlarm(t *testing.T) {
	w := newWorld(3)
	w.calm = true
	par := scriptParams()
	par.HeartbeatInterval = 10 * time.Second
	loaders := []*loader{newLoader(w, nil), newLoader(w, nil)}
	for i := range 2 {
		w.addHost(sctp.Config{Params: par}, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 5000), loaders[i])
	}
	a, b := w.hosts[0], w.hosts[1]
	w.link(a, b).delay, w.link(b, a).delay = 20*time.Millisecond, 20*time.Millisecond
	w.after(0, func() { a.connect(b, nil) })
	w.run(24*time.Hour, func() bool { return len(a.order) > 0 && a.order[0].terminal != 0 })
	if a.order[0].terminal != 0 {
		t.Fatalf("ended with %d at +%v", a.order[0].terminal, w.now.Sub(w.start))
	}
	if c := a.ep.Counters(); c.HeartbeatsLost != 0 || c.PacketsOut < 24*3600/11*2 {
		t.Fatalf("%+v", c)
	}
	scenario{}.finish(w, loaders)
	if w.err != nil {
		t.Fatal(w.err)
	}
}

// TestSimConnectStorm: many clients at once, each with a request, then all
// gone.
func TestSimConnectStorm(t *testing.T) {
	w := newWorld(9)
	w.calm = true
	par := scriptParams()
	par.MaxInitRetransmits = 20
	loaders := []*loader{newLoader(w, nil)}
	server := w.addHost(sctp.Config{Params: par}, netip.MustParseAddrPort("10.1.0.1:5000"), loaders[0])
	for i := range 150 {
		l := newLoader(w, func(a *simAssoc) []*job {
			return []*job{{left: 3, window: 1, size: between(1, 3000), reply: between(1, 3000), streams: 4}}
		})
		loaders = append(loaders, l)
		client := w.addHost(sctp.Config{Params: par, NoListen: true},
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}), 6000), l)
		bad := linkModel{delay: time.Millisecond, jitter: time.Millisecond, loss: 0.02}
		w.link(client, server).linkModel, w.link(server, client).linkModel = bad, bad
		w.after(0, func() { client.connect(server, nil) })
	}
	s := scenario{params: par}
	w.run(time.Second, nil)
	s.finish(w, loaders)
	if w.err != nil {
		t.Fatal(w.err)
	}
	if c := server.ep.Counters(); c.AssocsUp != 150 || c.AssocsDown != 150 {
		t.Fatalf("%+v", c)
	}
}
