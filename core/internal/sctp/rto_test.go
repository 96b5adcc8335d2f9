package sctp

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func TestRTOArithmetic(t *testing.T) { // SCTP-3-60: RTTVAR takes the old SRTT
	for _, c := range []struct {
		name         string
		lower, upper time.Duration
		samples      []time.Duration
		srtt, rto    time.Duration
	}{
		{"first", 0, time.Minute, []time.Duration{100 * ms}, 100 * ms, 300 * ms},
		{"equal", 0, time.Minute, []time.Duration{100 * ms, 100 * ms}, 100 * ms, 250 * ms},
		{"jump", 0, time.Minute, []time.Duration{100 * ms, 100 * ms, 180 * ms}, 110 * ms, 302500 * time.Microsecond},
		{"lower bound", time.Second, time.Minute, []time.Duration{ms}, ms, time.Second},
		{"upper bound", ms, 200 * ms, []time.Duration{150 * ms}, 150 * ms, 200 * ms},
		{"no variance counts as a grain", 0, time.Minute, []time.Duration{0}, 1, 4*ms + 1},
		{"clock went back", 0, time.Minute, []time.Duration{-ms}, 1, 4*ms + 1},
	} {
		var r rto
		for _, s := range c.samples {
			r.sample(s, c.lower, c.upper)
		}
		if r.srtt != c.srtt || r.value != c.rto {
			t.Errorf("%s: SRTT %v, RTO %v, want %v, %v", c.name, r.srtt, r.value, c.srtt, c.rto)
		}
	}
}

func TestRTOBacksOffAndRecovers(t *testing.T) { // SCTP-3-63 E2, SCTP-3-64
	r := rto{value: 100 * ms}
	for _, want := range []time.Duration{200 * ms, 400 * ms, 500 * ms, 500 * ms} {
		if r.backOff(500 * ms); r.value != want {
			t.Errorf("%v, want %v", r.value, want)
		}
	}
	if r.sample(10*ms, 20*ms, 500*ms); r.value != 30*ms {
		t.Errorf("%v after a sample", r.value)
	}
}

func TestOneRoundTripIsTimed(t *testing.T) { // SCTP-3-61
	var r rto
	start := time.Unix(1, 0)
	r.startTiming(7, start)
	r.startTiming(8, start.Add(ms))
	if !r.timing || r.timedTSN != 7 || r.timingSince != start {
		t.Errorf("%+v", r)
	}
	r.stopTiming()
	r.startTiming(9, start)
	if r.timedTSN != 9 {
		t.Errorf("%+v", r)
	}
}

// Every timeout, and every message that was sent early, makes the next early one
// wait four times as long, until there is a measurement (early.go).
func TestPatienceGrows(t *testing.T) {
	p := path{rto: rto{value: 100 * ms, srtt: ms, rttvar: ms / 8}}
	for _, tt := range []struct {
		happens func()
		want    time.Duration
	}{
		{func() {}, 6 * ms},
		{func() { p.backOff(time.Second) }, 24 * ms},
		{p.repeated, 96 * ms},
		{func() { p.sample(ms, 10*ms, time.Second) }, 6 * ms},
		{func() {
			for range 20 {
				p.backOff(time.Second)
			}
		}, 6 * ms << 16},
	} {
		if tt.happens(); p.patience() != tt.want {
			t.Errorf("waits %v, want %v", p.patience(), tt.want)
		}
	}
}
