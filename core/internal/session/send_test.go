package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// TestSendable: what no session carries is refused before anything else, and nothing else is.
func TestSendable(t *testing.T) {
	for name, tc := range map[string]struct {
		size   int
		info   SendInfo
		replay bool
		err    error
	}{
		"one byte":                  {1, SendInfo{}, false, nil},
		"empty":                     {0, SendInfo{}, false, ErrInvalid},
		"the largest":               {1 << 20, SendInfo{}, false, nil},
		"too large":                 {1<<20 + 1, SendInfo{}, false, ErrMessageSize},
		"ASAP's PPID":               {1, SendInfo{PPID: protocol.PPIDASAP}, false, ErrInvalid},
		"ENRP's PPID":               {1, SendInfo{PPID: protocol.PPIDENRP}, false, nil},
		"the last stream":           {1, SendInfo{Stream: Streams - 1}, false, nil},
		"no stream":                 {1, SendInfo{Stream: Streams}, false, ErrInvalid},
		"no lifetime":               {1, SendInfo{Lifetime: -1}, false, ErrInvalid},
		"replay":                    {1, SendInfo{PPID: 5}, true, nil},
		"replay, another stream":    {1, SendInfo{Stream: 1}, true, ErrInvalid},
		"replay, out of order":      {1, SendInfo{Unordered: true}, true, ErrInvalid},
		"replay, with a lifetime":   {1, SendInfo{Lifetime: 1}, true, ErrInvalid},
		"another stream, unordered": {1, SendInfo{Stream: 1, Unordered: true, Lifetime: 1}, false, nil},
	} {
		b := newBench(t)
		ss := b.user(t, Options{Replay: tc.replay})
		err := b.Send(b.now, ss, make([]byte, tc.size), &tc.info)
		if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) || (len(b.port.sent) == 1) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
	}
}

// TestSendInfoIsCarried, at once, and by what waits first.
func TestSendInfoIsCarried(t *testing.T) {
	info := SendInfo{Stream: 3, PPID: 5, Unordered: true, Lifetime: time.Second}
	want := assoc.SendInfo{Assoc: 1, Stream: 3, PPID: 5, Unordered: true, Lifetime: time.Second, Context: bounded}
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	ok(t, b.Send(b.now, ss, []byte("x"), &info))
	ok(t, b.Send(b.now, ss, []byte("y"), &SendInfo{}))
	b.now = b.now.Add(300 * time.Millisecond)
	b.served(ss)
	ok(t, b.Send(b.now, ss, []byte("z"), &info))
	waited := want
	waited.Lifetime -= 300 * time.Millisecond
	if !slices.Equal(b.port.infos, []assoc.SendInfo{waited, {Assoc: 1}, want}) {
		t.Errorf("%+v", b.port.infos)
	}
}

// TestLifetimeIsOver: what waited for too long is given back, and counts as sent nowhere.
func TestLifetimeIsOver(t *testing.T) {
	for waits, sent := range map[time.Duration]bool{time.Second - 1: true, time.Second: false} {
		b := newBench(t)
		ss := b.user(t, Options{})
		b.lost()
		b.takes(ss)
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{Lifetime: time.Second}))
		ok(t, b.Send(b.now, ss, []byte("y"), &SendInfo{}))
		b.now = b.now.Add(waits)
		b.served(ss)
		n := b.notes(t, ss)
		if back := slices.ContainsFunc(n, func(n Notification) bool { return n.Type == Undelivered && n.Err == errExpired }); back == sent {
			t.Errorf("after %v: %+v", waits, n)
		}
		if st := b.Status(ss); st.Queued != 0 {
			t.Errorf("%+v", st)
		}
		b.lost()
		want := 1
		if sent {
			want = 2
		}
		if n := b.notes(t, ss); n[0].InDoubt != want {
			t.Errorf("after %v: %+v", waits, n)
		}
	}
}

// TestSendIsRefused: what the transport says becomes what the program is told, and what a pool user
// sends to an element that has just gone waits for the next one.
func TestSendIsRefused(t *testing.T) {
	strange := errors.New("strange")
	for name, tc := range map[string]struct {
		broken, own, element error
		waits                bool
	}{
		"shut down": {assoc.ErrPipe, nil, ErrNotConnected, true},
		"gone":      {assoc.ErrNotConnected, nil, ErrNotConnected, true},
		"too large": {assoc.ErrMessageSize, ErrMessageSize, ErrMessageSize, false},
		"stream":    {assoc.ErrInvalid, ErrInvalid, ErrInvalid, false},
		"other":     {strange, strange, strange, false},
	} {
		for _, own := range []bool{true, false} {
			b := newBench(t)
			var ss *Session
			want := tc.element
			if own {
				ss, want = b.user(t, Options{}), tc.own
			} else {
				ss = b.takesOver(1)
			}
			b.port.broken = tc.broken
			if err := b.Send(b.now, ss, []byte("x"), &SendInfo{}); !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s, own %v: %v, want %v", name, own, err, want)
			}
			if queued := b.Status(ss).Queued; (queued == 1) != (own && tc.waits) {
				t.Errorf("%s, own %v: %d bytes wait", name, own, queued)
			}
		}
	}
}

// TestQueueIsBounded: there is room for SendBuffer bytes, and always for one message, however large.
func TestQueueIsBounded(t *testing.T) {
	for _, tc := range []struct {
		sizes []int
		fits  int
	}{
		{[]int{MinBuffer, 1}, 1}, {[]int{10 * MinBuffer, 1}, 1}, {[]int{1, MinBuffer - 1, 1}, 2}, {[]int{1, MinBuffer}, 1},
	} {
		b := shared(t)
		ss := b.user(t, Options{SendBuffer: 1})
		b.lost()
		fits := 0
		for _, size := range tc.sizes {
			err := b.Send(b.now, ss, make([]byte, size), &SendInfo{})
			if err != nil && !errors.Is(err, ErrWouldBlock) {
				t.Fatal(err)
			}
			if err == nil {
				fits++
			}
		}
		if fits != tc.fits || !ss.Full() || b.Room() {
			t.Errorf("%v: %d fit, full %v, room %v", tc.sizes, fits, ss.Full(), b.Room())
		}
		b.served(ss)
		if len(b.port.sent) != fits || ss.Full() || b.Status(ss).Queued != 0 {
			t.Errorf("%v: %d were sent, full %v, %+v", tc.sizes, len(b.port.sent), ss.Full(), b.Status(ss))
		}
	}
}

// TestReplayBuffer: what no cookie covers counts as in the buffer, and room comes with the cookie.
func TestReplayBuffer(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{Replay: true, SendBuffer: MinBuffer})
	b.takes(ss)
	half := make([]byte, MinBuffer/2)
	for range 2 {
		ok(t, b.Send(b.now, ss, half, &SendInfo{}))
	}
	full := func() {
		t.Helper()
		if err := b.Send(b.now, ss, []byte("x"), &SendInfo{}); !errors.Is(err, ErrWouldBlock) || !ss.Full() {
			t.Errorf("%v, full %v", err, ss.Full())
		}
	}
	full()
	b.Writable(b.now, 1) // the transport has room, which is not what it waits for
	full()
	covered := func(n uint64) {
		f := cookieFrame{covered: n}
		b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: f.seal(nil, "", nil)})
	}
	covered(0)
	full()
	covered(1)
	if got := b.takes(ss); ss.Full() || !slices.Equal(got, []string{"SendReady"}) || b.Status(ss).Queued != len(half) {
		t.Errorf("told %q, full %v, %+v", got, ss.Full(), b.Status(ss))
	}
	covered(1) // once more
	covered(0)
	if st := b.Status(ss); st.Uncovered != 1 || st.Queued != len(half) {
		t.Errorf("%+v", st)
	}
	covered(2)
	if st := b.Status(ss); st.Uncovered != 0 || st.Queued != 0 {
		t.Errorf("%+v", st)
	}
}

// TestFlushInOrder: what waits is handed over as far as it is taken, and newer messages wait behind it.
func TestFlushInOrder(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	send := func(text string) { ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{})) }
	send("one")
	b.port.full = true
	b.served(ss)
	send("two")
	b.port.took(t)
	b.port.full = false
	send("three")
	b.port.took(t)
	b.Writable(b.now, 99)
	b.port.took(t)
	b.Writable(b.now, 1)
	send("four")
	b.port.took(t, "1 one", "1 two", "1 three", "1 four")
	if st := b.Status(ss); st.Queued != 0 || st.Uncovered != 0 {
		t.Errorf("%+v", st)
	}
}

// TestNeverTaken: a message that the transport never takes is given back, and the others go on; Replay
// counts messages, and ends.
func TestNeverTaken(t *testing.T) {
	for _, replay := range []bool{false, true} {
		b := newBench(t)
		o, err := Options{Replay: replay, Notifications: NotifyAll}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		ss, err := b.Open(b.now, "pool", 0)
		ok(t, err)
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
		b.port.broken = assoc.ErrMessageSize
		b.served(ss)
		n := b.notes(t, ss)
		if len(n) != 2 || n[1].Type != Undelivered || n[1].Err != assoc.ErrMessageSize || ss.Ended() != replay || b.Status(ss).Queued != 0 {
			t.Errorf("replay %v: told %+v, %v, %+v", replay, n, ss.State(), b.Status(ss))
		}
		if replay && !errors.Is(ss.Err(), assoc.ErrMessageSize) {
			t.Errorf("it ended with %v", ss.Err())
		}
	}
}

// TestFlushToWhoIsGone: the end of the association follows, and the next element gets it.
func TestFlushToWhoIsGone(t *testing.T) {
	for _, gone := range []error{assoc.ErrPipe, assoc.ErrNotConnected} {
		b := newBench(t)
		ss := b.waits(t, "x")
		b.takes(ss)
		b.port.broken = gone
		b.Writable(b.now, 1)
		if got := b.takes(ss); len(got) != 0 || b.Status(ss).Queued != 1 {
			t.Errorf("%v: told %q, %+v", gone, got, b.Status(ss))
		}
		b.port.broken = nil
		b.lost()
		b.served(ss)
		b.port.took(t, "2 x")
	}
}

// TestGivenBackIsBounded: reports that the program leaves unread fill the receive buffer and no more;
// one is always given.
func TestGivenBackIsBounded(t *testing.T) {
	for _, tc := range []struct{ size, want int }{{MinBuffer / 4, 4}, {MinBuffer/4 + 1, 3}, {2 * MinBuffer, 1}} {
		b := newBench(t)
		o, err := Options{Notifications: NotifyUndelivered, ReceiveBuffer: MinBuffer}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		ss, err := b.Open(b.now, "pool", 0)
		ok(t, err)
		for range 6 {
			ok(t, b.Send(b.now, ss, make([]byte, tc.size), &SendInfo{}))
		}
		b.Logs()
		b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
		warned := 0
		for _, l := range b.Logs() {
			if l.Level == endpoint.Warn && strings.Contains(l.Text, "not given back") && strings.Contains(fmt.Sprint(l.Args...), "bytes") {
				warned++
			}
		}
		if got := b.takes(ss); len(got) != tc.want || warned != 6-tc.want {
			t.Errorf("%d bytes each: %d given back, %d logged, want %d", tc.size, len(got), warned, tc.want)
		}
	}
}
