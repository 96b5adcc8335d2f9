package sctp_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// TestSimFairness: two bulk flows through one bottleneck, of which one comes ten
// seconds later, soon share it about equally and leave little of it unused
// (SCTP-7-14). Shares are measured over half a minute.
func TestSimFairness(t *testing.T) {
	const rate = 250_000 // bytes per second
	for _, test := range []struct {
		name  string
		delay [2]time.Duration // of the senders' own links
		early bool
		worst float64 // share of the smaller flow, at least
	}{
		{"equal round trips", [2]time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, false, 0.4},
		{"equal round trips, early resend", [2]time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, true, 0.4},
		{"round trips of 1 to 3", [2]time.Duration{10 * time.Millisecond, 100 * time.Millisecond}, false, 0.2},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(2) {
				share, use := playBottleneck(t, seed, rate, test.delay, test.early)
				t.Logf("seed %d: the smaller flow has %.0f %% of what is used, which is %.0f %%", seed, 100*share, 100*use)
				if share < test.worst || use < 0.8 {
					t.Errorf("seed %d: want at least %.0f %% and 80 %%", seed, 100*test.worst)
				}
			}
		})
	}
}

func playBottleneck(t *testing.T, seed uint64, rate int, delay [2]time.Duration, early bool) (share, use float64) {
	w := newWorld(seed)
	w.calm = true
	par := assoc.Default()
	par.MTU, par.SendBuffer, par.ReceiveBuffer = 1500, 128<<10, 1<<20
	par.PathMaxRetrans, par.AssocMaxRetrans, par.ShutdownGuard = 60, 60, time.Hour
	cfg := sctp.Config{Params: par, EarlyResend: early}
	sink := newLoader(w, nil)
	loaders := []*loader{sink}
	receiver := w.addHost(cfg, netip.MustParseAddrPort("10.0.0.1:5000"), sink)
	bottleneck := &link{linkModel: linkModel{rate: rate, queue: 100 * time.Millisecond, delay: time.Millisecond}}
	for i := range 2 {
		l := newLoader(w, func(*simAssoc) []*job {
			return []*job{{left: 1 << 20, size: between(1000, 20_000), streams: 2}}
		})
		loaders = append(loaders, l)
		sender := w.addHost(cfg, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 2)}), 5000), l)
		w.links[[2]int{sender.index, receiver.index}] = bottleneck
		w.link(receiver, sender).delay = delay[i]
		w.after(time.Duration(i)*10*time.Second, func() { sender.connect(receiver, nil) })
	}
	w.run(30*time.Second, nil)
	before := w.arrived()
	w.run(30*time.Second, nil)
	var got [2]float64
	for i, n := range w.arrived() {
		got[i] = float64(n - before[i])
	}
	for _, l := range loaders {
		for _, jobs := range l.jobs {
			for _, j := range jobs {
				j.left = 0
			}
		}
	}
	scenario{}.finish(w, loaders)
	if w.err != nil {
		t.Fatal(w.err)
	}
	total := got[0] + got[1]
	return min(got[0], got[1]) / total, total / float64(rate) / 30
}

// arrived counts the bytes that were delivered, by sender.
func (w *world) arrived() (n [2]int) {
	for _, m := range w.msgs {
		n[m.epoch.a.h.index-1] += m.size * m.delivered
	}
	return n
}
