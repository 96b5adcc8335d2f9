package sctp

import (
	"math"
	"strings"
	"testing"
	"time"
)

const unit = 1460 // PMDCS of IPv4 over UDP on Ethernet

func TestInitialWindow(t *testing.T) { // SCTP-3-80
	for _, c := range []struct {
		pmdcs int
		ipv4  bool
		want  int
	}{{1460, true, 4404}, {1440, false, 4344}, {536, true, 2144}, {1100, true, 4400}, {9000, true, 18000}, {9000, false, 18000}} {
		if got := initialCongestion(c.pmdcs, c.ipv4); got.cwnd != c.want || got.ssthresh != math.MaxInt32 {
			t.Errorf("PMDCS %d: %+v, want %d", c.pmdcs, got, c.want)
		}
	}
}

func TestWindowGrowth(t *testing.T) { // SCTP-3-81, SCTP-3-82
	for _, c := range []struct {
		name       string
		at         congestion
		recovering bool
		cwnd, pba  int
	}{
		{"slow start, full", congestion{cwnd: 4380, ssthresh: 9999, before: 4380, fresh: 2920, flight: 1}, false, 4380 + unit, 0},
		{"slow start, little acknowledged", congestion{cwnd: 4380, ssthresh: 9999, before: 4380, fresh: 100, flight: 1}, false, 4480, 0},
		{"slow start, not full", congestion{cwnd: 4380, ssthresh: 9999, before: 2000, fresh: 2000, flight: 1}, false, 4380, 0},
		{"slow start, in recovery", congestion{cwnd: 4380, ssthresh: 9999, before: 4380, fresh: 2920, flight: 1}, true, 4380, 0},
		{"avoidance, collecting", congestion{cwnd: 9000, ssthresh: 8000, before: 9000, fresh: 2920, flight: 1}, false, 9000, 2920},
		{"avoidance, a window acknowledged", congestion{cwnd: 9000, ssthresh: 8000, partial: 8000, before: 9000, fresh: 2920, flight: 1}, false, 9000 + unit, 1920},
		{"avoidance, not full: capped", congestion{cwnd: 9000, ssthresh: 8000, partial: 8000, before: 8999, fresh: 2920, flight: 1}, false, 9000, 9000},
		{"avoidance, duplicates count", congestion{cwnd: 9000, ssthresh: 8000, before: 9000, fresh: 2920, flight: 1}, false, 9000, 2920 + 7},
		{"all acknowledged", congestion{cwnd: 9000, ssthresh: 8000, partial: 100, before: 2920, fresh: 2920}, false, 9000, 0},
	} {
		repeated := 0
		if strings.Contains(c.name, "duplicates") {
			repeated = 7
		}
		c.at.grow(unit, c.recovering, repeated)
		if c.at.cwnd != c.cwnd || c.at.partial != c.pba {
			t.Errorf("%s: cwnd %d, partial %d, want %d, %d", c.name, c.at.cwnd, c.at.partial, c.cwnd, c.pba)
		}
	}
}

func TestWindowAfterLoss(t *testing.T) { // SCTP-3-63 E1, SCTP-3-83
	for _, c := range []struct{ cwnd, ssthresh, byGap, byTimeout int }{
		{40 * unit, 20 * unit, 20 * unit, unit},
		{6 * unit, 4 * unit, 4 * unit, unit},
		{3 * unit, 4 * unit, 3 * unit, unit}, // never raised
	} {
		gap, timeout := congestion{cwnd: c.cwnd, partial: 5}, congestion{cwnd: c.cwnd, partial: 5}
		gap.onLoss(unit)
		timeout.onTimeout(unit)
		if gap != (congestion{cwnd: c.byGap, ssthresh: c.ssthresh}) || timeout != (congestion{cwnd: c.byTimeout, ssthresh: c.ssthresh}) {
			t.Errorf("cwnd %d: %+v and %+v", c.cwnd, gap, timeout)
		}
	}
}

func TestIdleWindowDecays(t *testing.T) { // SCTP-3-84
	for _, c := range []struct {
		idle   time.Duration
		flight int
		start  int
		cwnd   int
	}{
		{50 * ms, 0, 64 * unit, 64 * unit},
		{150 * ms, 0, 64 * unit, 32 * unit},
		{250 * ms, 0, 64 * unit, 16 * unit},
		{time.Hour, 0, 64 * unit, 4 * unit},
		{time.Hour, 0, 3 * unit, 3 * unit},
		{time.Hour, 1, 64 * unit, 64 * unit},
	} {
		w := congestion{cwnd: c.start, ssthresh: math.MaxInt32, flight: c.flight}
		w.decay(c.idle, 100*ms, unit)
		if w.cwnd != c.cwnd {
			t.Errorf("idle %v from %d: %d, want %d", c.idle, c.start, w.cwnd, c.cwnd)
		}
		if w.cwnd < c.start && w.ssthresh != c.start {
			t.Errorf("ssthresh %d", w.ssthresh)
		}
	}
}
