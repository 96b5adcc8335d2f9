package userland

import (
	"crypto/rand"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// TestSharedTimer: each is woken when its time has come, at most half a millisecond
// later, which is when others are whose time has come by then; nobody is woken before,
// nor twice, nor when it has withdrawn.
func TestSharedTimer(t *testing.T) {
	const step = 100 * time.Microsecond
	if lateness != 5*step {
		t.Fatalf("what follows assumes that lateness is %v, not %v", 5*step, lateness)
	}
	synctest.Test(t, func(t *testing.T) {
		var shared sharedTimer
		entries := make([]timerq.Timer[wakeFunc], 5)
		woken := make([][]time.Duration, len(entries)) // of each, in steps
		began := clock()
		for i := range entries {
			entries[i].Value = func(now time.Time) {
				if now != clock() {
					t.Errorf("told that it is %v, at %v", now, clock())
				}
				woken[i] = append(woken[i], now.Sub(began)/step)
			}
		}
		set := func(i, at int) { shared.set(&entries[i], began.Add(time.Duration(at)*step)) }
		expect := func(what string, want ...[]time.Duration) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			for i := range entries {
				if i >= len(want) {
					want = append(want, nil)
				}
			}
			if !slices.EqualFunc(woken, want, slices.Equal) {
				t.Errorf("%s: woken at %v, want %v", what, woken, want)
			}
			clear(woken)
			began = clock()
		}
		type at = []time.Duration
		set(0, 100)
		expect("alone", at{105})
		set(0, 100)
		set(1, 104)
		set(2, 105)
		set(3, 106)
		set(4, 200)
		expect("close together", at{105}, at{105}, at{105}, at{111}, at{205})
		set(0, 100)
		set(1, 50)
		expect("an earlier one", at{105}, at{55})
		set(0, 100)
		set(0, 200)
		expect("put off", at{205})
		set(0, 100)
		set(1, 300)
		shared.stop(&entries[0])
		expect("withdrawn", nil, at{305})
		shared.stop(&entries[0])
		set(0, -10)
		expect("over already", at{0})
	})
}

// TestEndpointIsWokenInTime: when the engine has something to do, and not later than a
// closed endpoint is given up; an earlier time that was asked for stands.
func TestEndpointIsWokenInTime(t *testing.T) {
	now := clock()
	e := &Endpoint{engine: sctp.New(sctp.Config{Port: 5, Rand: rand.Reader})}
	e.entry.Value = func(time.Time) {}
	defer endpointTimer.stop(&e.entry)
	check := func(what string, want time.Time) {
		t.Helper()
		if e.at != want || want.IsZero() == e.entry.Armed() || e.entry.Armed() && e.entry.At() != want {
			t.Errorf("%s: woken at %v, want %v", what, e.at.Sub(now), want.Sub(now))
		}
		endpointTimer.stop(&e.entry)
		e.at = time.Time{}
	}
	e.schedule(false)
	check("nothing to do", time.Time{})
	if _, err := e.engine.Connect(now, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7")}, nil); err != nil {
		t.Fatal(err)
	}
	var p sctp.Packet
	for e.engine.Output(now, &p) {
	}
	next, ok := e.engine.Next()
	if !ok || !next.After(now) {
		t.Fatalf("the engine waits for %v, %v", next.Sub(now), ok)
	}
	e.schedule(false)
	check("a deadline", next)
	e.wakeAt(next.Add(-1))
	e.schedule(false)
	check("an earlier one", next.Add(-1))
	e.closed, e.giveUp = true, next.Add(1)
	e.schedule(false)
	check("closed", next)
	e.giveUp = next.Add(-1)
	e.schedule(false)
	check("closed, and given up before", next.Add(-1))
	e.engine = sctp.New(sctp.Config{Port: 5, Rand: rand.Reader})
	e.schedule(false)
	check("closed, with nothing to do", next.Add(-1))
	e.dead = true
	e.schedule(false)
	check("dead", time.Time{})
}
