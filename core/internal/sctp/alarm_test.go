package sctp

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// short is the timing that sessions on short paths get.
var short = assoc.Params{
	RTOInitial: 130 * time.Millisecond, RTOMin: 35 * time.Millisecond, RTOMax: 130 * time.Millisecond,
	PathMaxRetrans: 6, AssocMaxRetrans: 6,
}

// talk asks and answers ten times a second for so long, and returns how often
// the association was lost.
func talk(t *testing.T, loss float64, seed uint64, d time.Duration) (alarms int) {
	rng := rand.New(rand.NewPCG(seed, 9))
	p := newPair(t, Config{}, Config{})
	p.drop = func(int, []byte) bool { return rng.Float64() < loss }
	for end := p.now.Add(d); p.now.Before(end); alarms++ {
		p.events = [2][]received{}
		if _, err := p.ends[0].Connect(p.now, p.toAddrs(), &short); err != nil {
			t.Fatal(err)
		}
		p.until(time.Minute, "association", func() bool { return p.find(0, assoc.CommUp) != nil || p.find(0, assoc.CannotStart) != nil })
		up := p.find(0, assoc.CommUp)
		for up != nil && p.now.Before(end) && p.find(0, assoc.CommLost) == nil {
			p.events = [2][]received{}
			_ = p.ends[0].Send(p.now, []byte("question"), &assoc.SendInfo{Assoc: up.info.Assoc}) // full: no matter
			p.run(50 * time.Millisecond)
			for _, ev := range p.events[1] {
				if ev.info.Kind == assoc.Message {
					_ = p.ends[1].Send(p.now, []byte("answer"), &assoc.SendInfo{Assoc: ev.info.Assoc})
				}
			}
			p.run(50 * time.Millisecond)
		}
		if !p.now.Before(end) {
			return alarms
		}
	}
	return alarms
}

// A path that loses 5 % of its packets is no dead peer. ALARM_DAYS=n measures
// for so many days instead of an hour.
func TestFalseAlarms(t *testing.T) {
	d := time.Hour
	if days, _ := strconv.Atoi(os.Getenv("ALARM_DAYS")); days > 0 {
		d = time.Duration(days) * 24 * time.Hour
	}
	if n := talk(t, 0.05, 1, d); n > int(d/(24*time.Hour)) {
		t.Errorf("%d false alarms in %v", n, d)
	} else {
		t.Logf("%d false alarms in %v", n, d)
	}
	if talk(t, 0.5, 1, 10*time.Minute) == 0 {
		t.Error("half of the packets are lost and nobody notices: the test cannot fail")
	}
}

// A peer that is silent is noticed within a second of being asked.
func TestSilenceIsNoticed(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, y := p.connect(&short)
	for range 10 {
		p.send(0, x, 0, []byte("question"))
		p.run(10 * time.Millisecond)
		p.send(1, y, 0, []byte("answer"))
		p.run(100 * time.Millisecond)
	}
	p.drop = func(int, []byte) bool { return true }
	p.send(0, x, 0, []byte("question"))
	start := p.now
	p.until(time.Second, "alarm", func() bool { return p.find(0, assoc.CommLost) != nil })
	t.Logf("noticed after %v", p.now.Sub(start))
}

func (p *pair) toAddrs() []netip.AddrPort { return []netip.AddrPort{p.addrs[1]} }
