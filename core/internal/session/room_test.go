package session

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// TestRoomSomewhere: as long as one session is not full there is room; who has ended counts no more.
func TestRoomSomewhere(t *testing.T) {
	b := shared(t)
	if !b.Room() {
		t.Error("without sessions")
	}
	first, second := b.takesOver(1), b.takesOver(2)
	b.port.full = true
	for _, ss := range []*Session{first, second} {
		if !b.Room() {
			t.Error("one is not full")
		}
		if err := b.Send(b.now, ss, []byte("x"), &SendInfo{}); !errors.Is(err, ErrWouldBlock) {
			t.Fatal(err)
		}
	}
	if b.Room() || first.Writable() {
		t.Error("all are full")
	}
	b.cfg.PerSession = true
	if !b.Room() {
		t.Error("nobody waits for all")
	}
	b.cfg.PerSession = false
	b.ends(1, nil)
	if b.Room() || !first.Writable() {
		t.Error("the other one is full")
	}
	b.ends(2, nil)
	if !b.Room() {
		t.Error("none is full")
	}
}

// limited is a full session with a limit of a minute, that is served by association 1.
func limited(t *testing.T) (*bench, *Session) {
	b := newBench(t)
	ss := b.user(t, Options{SendLimit: time.Minute})
	b.takes(ss)
	b.port.full = true
	b.refuses(t, ss)
	b.port.calls = nil
	return b, ss
}

func (b *bench) refuses(t *testing.T, ss *Session) {
	t.Helper()
	if err := b.Send(b.now, ss, []byte("x"), &SendInfo{}); !errors.Is(err, ErrWouldBlock) {
		t.Fatal(err)
	}
}

// patience is until when the peer has to take something.
func (ss *Session) patienceAt(t *testing.T) time.Time {
	t.Helper()
	if !ss.patience.Armed() {
		t.Error("there is no limit")
	}
	return ss.patience.At()
}

// TestSendLimitBegins when there is no room, exactly so long, and anew with anything that is taken.
func TestSendLimitBegins(t *testing.T) {
	b, ss := limited(t)
	begun := b.now
	b.later(20 * time.Second)
	b.refuses(t, ss) // again: nothing was taken
	if got := ss.patienceAt(t).Sub(begun); got != time.Minute {
		t.Errorf("it ends after %v", got)
	}
	b.port.full = false
	ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
	if got := ss.patienceAt(t).Sub(begun); got != 80*time.Second {
		t.Errorf("then after %v", got)
	}
	b.Writable(b.now, 1)
	if ss.patience.Armed() || ss.Full() {
		t.Error("there is room")
	}
}

// TestSendLimitWhileSomethingIsTaken: the limit is for a peer that takes nothing at all.
func TestSendLimitWhileSomethingIsTaken(t *testing.T) {
	b, ss := limited(t)
	b.port.status = &assoc.Status{QueuedBytes: 100}
	o := ss.Options()
	o.SendLimit = 30 * time.Second
	ok(t, b.SetOptions(b.now, ss, o))
	begun := b.now
	b.port.status = &assoc.Status{QueuedBytes: 99}
	b.later(30 * time.Second)
	b.port.told(t)
	if got := ss.patienceAt(t).Sub(begun); got != time.Minute {
		t.Errorf("it ends after %v", got)
	}
	b.later(30*time.Second - 1)
	b.port.told(t)
	b.later(1)
	b.port.told(t, "abort 1")
	if logs := b.Logs(); !slices.ContainsFunc(logs, func(l Log) bool { return l.Level == endpoint.Warn && l.Text == "session is ended" }) {
		t.Errorf("%v", logs)
	}
	b.posted = nil
	b.ends(1, assoc.ErrLocalAbort)
	if n := b.notes(t, ss); len(n) != 1 || n[0].Type != SessionRemoved || !errors.Is(n[0].Err, ErrSendLimit) || !errors.Is(ss.Err(), ErrSendLimit) {
		t.Errorf("told %+v, %v", n, ss.Err())
	}
	if slices.ContainsFunc(b.posted, func(e endpoint.Event) bool { _, is := e.(endpoint.SessionLost); return is }) {
		t.Error("it fails over")
	}
}

// TestSendLimitGivesBack what the session still had to send.
func TestSendLimitGivesBack(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{SendLimit: time.Minute, HoldFailover: true, SendBuffer: MinBuffer})
	b.lost()
	b.served(ss) // the program has not read of it: nothing is sent
	ok(t, b.Send(b.now, ss, make([]byte, MinBuffer), &SendInfo{}))
	b.refuses(t, ss)
	b.later(time.Minute)
	b.ends(2, assoc.ErrLocalAbort)
	n := b.notes(t, ss)
	if last := n[len(n)-2:]; last[0].Type != Undelivered || !errors.Is(last[0].Err, ErrSendLimit) || last[1].Type != SessionRemoved {
		t.Errorf("told %+v", last)
	}
}

// TestSendLimitBetweenElements: while an element is looked for FailoverLimit counts.
func TestSendLimitBetweenElements(t *testing.T) {
	b, ss := limited(t)
	b.lost()
	b.posted, b.port.calls = nil, nil
	b.later(time.Hour)
	b.port.told(t)
	b.chosen(ss, at("192.0.2.1:7"))
	b.later(time.Hour)
	b.port.told(t, "connect")
	if ss.Over() {
		t.Error("it has ended")
	}
}

// TestNoSendLimit by default, and none of who has room, is closing or over.
func TestNoSendLimit(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.port.full = true
	b.refuses(t, ss)
	if ss.patience.Armed() {
		t.Error("there is a limit")
	}
	o := ss.Options()
	o.SendLimit = time.Minute
	ok(t, b.SetOptions(b.now, ss, o))
	if got := ss.patienceAt(t).Sub(b.now); got != time.Minute {
		t.Errorf("it ends after %v", got)
	}
	b.BeginClose(b.now)
	b.port.calls = nil
	b.later(time.Hour)
	b.port.told(t)
	b, ss = limited(t)
	b.Abort(b.now, ss)
	if b.Size().Deadlines != 0 {
		t.Errorf("%+v", b.Size())
	}
}

// TestSendReadyOnce: who has not read it is not told again.
func TestSendReadyOnce(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.takes(ss)
	again := func() {
		b.port.full = true
		b.refuses(t, ss)
		b.port.full = false
		b.Writable(b.now, 1)
	}
	again()
	again()
	if got := b.takes(ss); !slices.Equal(got, []string{"SendReady"}) {
		t.Errorf("told %q", got)
	}
	again()
	if got := b.takes(ss); !slices.Equal(got, []string{"SendReady"}) {
		t.Errorf("told %q", got)
	}
}
