package registrar

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// TestDefaults are what the configuration says of them, and what is set stays (COM-3.9-02, ASAP-3.6-02,
// ENRP-3.4.2-01, ENRP-3.4.3-01, ENRP-3.4.3-03).
func TestDefaults(t *testing.T) {
	cfg, err := Config{Rand: rand.New(rand.NewPCG(1, 1)), ServerID: 1}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	const s = time.Second
	limits := Limits{
		Pools: 100_000, Elements: 1_000_000, Links: 100_000, Subscriptions: 100_000, Handle: protocol.MaxPoolHandle, Peers: 1000,
		TablePart: 60_000, ResponseItems: 128, BadReports: 3, ReportRate: 20, ReportBurst: 100,
	}
	keepAlive := KeepAlive{Interval: 30 * s, Timeout: 5 * s, Retries: 1, Gap: s, Least: s}
	timers := Timers{
		Update: s, Announce: s, IdleLink: 60 * s, Heartbeat: 30 * s, LastHeard: 61 * s, Discover: 2 * s, NoResponse: 5 * s, Mentor: 5 * s,
		MentorRetry: 3 * s, TableResponse: 5 * s, TableSession: 30 * s, ResyncBackoff: s, TakeoverResume: 30 * s,
	}
	if diff := cmp.Diff([]any{limits, keepAlive, timers}, []any{cfg.Limits, cfg.KeepAlive, cfg.Timers}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again, err := cfg.resolve(); err != nil || again.Limits != cfg.Limits || again.Timers != cfg.Timers || again.KeepAlive != cfg.KeepAlive {
		t.Errorf("resolved twice: %+v, %v", again, err)
	}
	chosen := Config{Rand: cfg.Rand, Limits: Limits{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, KeepAlive: KeepAlive{1, 2, 3, 4, 5, 6}, Timers: Timers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}}
	if got, err := chosen.resolve(); err != nil || got.Limits != chosen.Limits || got.KeepAlive != chosen.KeepAlive || got.Timers != chosen.Timers {
		t.Errorf("what is set becomes %+v, %v", got, err)
	}
	for retries, want := range map[int]int{-1: 0, 100: 100, 101: 100} {
		k := KeepAlive{Retries: retries}
		if k.fill(); k.Retries != want {
			t.Errorf("%d retries are %d", retries, k.Retries)
		}
	}
	if n := (Limits{Elements: 7, Links: 5}).Associations(); n != 12 {
		t.Errorf("%d associations", n)
	}
	if n := (Limits{}).Associations(); n != 1_100_000 {
		t.Errorf("%d associations", n)
	}
}

// TestPresets: quick ones replace a registrar within four seconds, and find a PE that hangs within three.
func TestPresets(t *testing.T) {
	const s = time.Second
	brisk := Timers{Heartbeat: s, LastHeard: 2500 * time.Millisecond, NoResponse: s, MentorRetry: s, TakeoverResume: 5 * s}
	if Brisk() != brisk || Attentive() != (KeepAlive{Rate: 100}) {
		t.Errorf("%+v, %+v", Brisk(), Attentive())
	}
	if c := Shipped(); c.Timers != brisk || c.KeepAlive != Attentive() || !c.Handover {
		t.Errorf("%+v", c)
	}
	c := Shipped().RSPLIB()
	if c.Handover || c.Interop != (Interop{true, true, true}) || c.Limits.Handle != protocol.MaxPoolHandleRSPLIB ||
		c.Timers.Heartbeat != 2440*time.Millisecond || c.Timers.LastHeard != 5*s || c.Timers.NoResponse != 5*s || c.Timers.MentorRetry != s {
		t.Errorf("%+v", c)
	}
}

// TestPace: with a budget of probes each PE is asked as often as that allows, within the limits, and has
// six tenths of that time to answer.
func TestPace(t *testing.T) {
	const s = time.Second
	for _, tc := range []struct {
		k                 KeepAlive
		pes               int
		interval, timeout time.Duration
	}{
		{KeepAlive{Rate: 1}, 1, s, 600 * time.Millisecond},
		{KeepAlive{Rate: 1}, 2, 2 * s, 1200 * time.Millisecond},
		{KeepAlive{Rate: 1}, 8, 8 * s, 4800 * time.Millisecond},
		{KeepAlive{Rate: 1}, 9, 9 * s, 5 * s},
		{KeepAlive{Rate: 1}, 31, 30 * s, 5 * s},
		{KeepAlive{Rate: 1, Interval: 5 * s}, 9, 5 * s, 3 * s},
		{KeepAlive{}, 1, 30 * s, 5 * s},
		{KeepAlive{Rate: -1}, 1, 30 * s, 5 * s},
		{KeepAlive{Rate: 5, Interval: -1}, 1, -1, 5 * s},
	} {
		r := startedWith(t, func(c *Config) { c.KeepAlive = tc.k })
		pe := r.connect(1, "192.0.2.1:5000")
		for i := range tc.pes {
			pe.sends(pe.offer("pool", protocol.PEID(i+1)))
		}
		if interval, timeout := r.r.monitors.interval(), r.r.monitors.timeout(); interval != tc.interval || timeout != tc.timeout {
			t.Errorf("%+v, %d PEs: every %v, %v to answer; want %v, %v", tc.k, tc.pes, interval, timeout, tc.interval, tc.timeout)
		}
	}
}
