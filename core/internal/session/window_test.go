package session

import (
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// holds is a bench on a transport that cannot lend, with small buffers.
func holds(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.lends = false
	o, err := Options{ReceiveBuffer: 8 * messageCost * 4}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	return b
}

// TestThrottle: an inbox that is full, each message counted with what it costs, leaves the rest in the
// transport until it is half empty.
func TestThrottle(t *testing.T) {
	b := holds(t) // room for 16 empty messages
	for i := range 16 {
		if b.port.told(t); b.Stuck() {
			t.Fatalf("stuck after %d", i)
		}
		b.arrives(1, "")
	}
	b.port.told(t, "pause 1")
	ss := b.Sessions()[0]
	b.Hungry()
	for range 8 {
		_, err := b.Take(b.now, ss, &RecvInfo{})
		ok(t, err)
		b.port.told(t)
	}
	if b.Hungry() {
		t.Error("it is not half empty")
	}
	_, err := b.Take(b.now, ss, &RecvInfo{})
	ok(t, err)
	b.port.told(t, "resume 1")
	if !b.Hungry() {
		t.Error("it is half empty")
	}
	b.arrives(1, "x")
	b.port.told(t)
}

// TestThrottleByBytes: they count as well.
func TestThrottleByBytes(t *testing.T) {
	for size, full := range map[int]bool{4096 - messageCost - 1: false, 4096 - messageCost: true} {
		b := holds(t)
		o := b.Options()
		o.Notifications = 0
		ok(t, b.SetDefaults(o))
		b.arrives(1, string(make([]byte, size)))
		if got := slices.Equal(b.port.calls, []string{"pause 1"}); got != full {
			t.Errorf("%d bytes: full %v", size, got)
		}
	}
}

// TestStuck: where the transport can leave none alone nothing is taken while one is full, until it is
// read, given up or has ended.
func TestStuck(t *testing.T) {
	for name, free := range map[string]func(b *bench, ss *Session){
		"read":     func(b *bench, ss *Session) { b.takes(ss) },
		"given up": func(b *bench, ss *Session) { b.Abort(b.now, ss) },
		"finished": func(b *bench, ss *Session) { b.Finish(b.now, ss) },
		"ended":    func(b *bench, _ *Session) { b.ends(1, nil) },
		"read from all": func(b *bench, ss *Session) {
			b.wantReads(t, nil, 10, 0, slices.Repeat([]string{"1 a +0 of 1"}, 16)...)
		},
		"read from one": func(b *bench, ss *Session) {
			b.wantReads(t, ss, 10, 0, slices.Repeat([]string{"1 a +0 of 1"}, 16)...)
		},
	} {
		b := holds(t)
		b.cfg.PerSession = false
		b.port.stuck = true
		for range 16 {
			b.arrives(1, "a")
		}
		if !b.Stuck() {
			t.Errorf("%s: it is not stuck", name)
		}
		if free(b, b.Sessions()[0]); b.Stuck() {
			t.Errorf("%s: it is still stuck", name)
		}
	}
}

// TestThrottleLends: a transport that lends has its own window.
func TestThrottleLends(t *testing.T) {
	b := newBench(t)
	o, err := Options{ReceiveBuffer: 1}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	for range 100 {
		b.arrives(1, "a message")
	}
	b.port.told(t)
}

// TestThrottledFailover: an association that has ended keeps nothing in the transport; what was not read
// of it does not keep the next one full for ever.
func TestThrottledFailover(t *testing.T) {
	b := holds(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.served(ss)
	for range 16 {
		b.arrives(1, "a")
	}
	b.port.calls = nil
	b.lost()
	b.port.told(t, "forget 1", "resume 1")
	b.served(ss)
	b.port.calls = nil
	b.arrives(2, "a")
	b.port.told(t, "pause 2")
	b.takes(ss)
	b.port.told(t, "resume 2")
}

// TestReturned: what was read counts against the window until an eighth of the buffer is, or 2 KiB,
// with what messages cost; what no session has goes back at once.
func TestReturned(t *testing.T) {
	for _, tc := range []struct {
		buffer, size int
		messages     int // that are not given back yet
	}{{MinBuffer, 1, 1}, {MinBuffer, 512 - messageCost, 0}, {MinBuffer, 511 - messageCost, 1}, {1 << 20, 2048 - messageCost, 0}, {1 << 20, 1023 - messageCost, 2}, {1 << 20, 1, 7}} {
		b := newBench(t)
		o, err := Options{ReceiveBuffer: tc.buffer}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		for i := 1; i <= tc.messages+1; i++ {
			b.arrives(1, string(make([]byte, tc.size)))
			b.takes(b.Sessions()[0])
			if owed := b.port.lent; (owed == 0) != (i > tc.messages) {
				t.Errorf("buffer %d, %d bytes: %d bytes are owed after %d messages", tc.buffer, tc.size, owed, i)
			}
		}
	}
	b := newBench(t)
	b.SetService(Service{})
	b.arrives(1, "x")
	if b.port.lent != 0 {
		t.Errorf("%d bytes are owed", b.port.lent)
	}
}

// TestReturnedWhole: a message that is read in parts is given back at its end, whole, and to the
// association that it came from.
func TestReturnedWhole(t *testing.T) {
	b := shared(t)
	o, err := Options{ReceiveBuffer: MinBuffer}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	b.arrives(1, string(make([]byte, 600)))
	for range 2 {
		b.reads(nil, 250, 0)
		if b.port.lent != 600 {
			t.Errorf("%d bytes are owed", b.port.lent)
		}
	}
	b.reads(nil, 250, 0)
	if b.port.lent != 0 {
		t.Errorf("%d bytes are owed", b.port.lent)
	}
	b.arrives(1, string(make([]byte, 600)))
	ss := b.Sessions()[0]
	b.ends(1, nil)
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 2, Incoming: true}, nil)
	b.takes(ss)
	if b.port.lent != 600 { // of an association that is gone nothing is owed
		t.Errorf("%d bytes are owed", b.port.lent)
	}
}
