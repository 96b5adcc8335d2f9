package session

import (
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// moves says in which sessions the pool user was asked to move, by their associations, since the last call.
func (b *bench) moves() (ids []assoc.ID) {
	for _, e := range b.posted {
		if c, is := e.(endpoint.SendCookie); is {
			if f, _ := readCookieFrame(c.Data); f.flags&frameMove != 0 {
				ids = append(ids, c.Assoc)
			}
		}
	}
	b.posted = nil
	return ids
}

// TestDrainAsksAll sessions of the element, once, and not those of its pool user.
func TestDrainAsksAll(t *testing.T) {
	b := newBench(t)
	own := b.user(t, Options{})
	for _, id := range []assoc.ID{8, 7, 9} {
		b.takesOver(id)
	}
	ending := b.Sessions()[1]
	b.Finish(b.now, ending)
	b.posted = nil
	b.Drain(b.now)
	if got := b.moves(); !slices.Equal(got, []assoc.ID{7, 9}) {
		t.Errorf("%v were asked", got)
	}
	b.takesOver(10) // which is asked when it has its state
	b.later(0)
	if got := b.moves(); !slices.Equal(got, []assoc.ID{10}) {
		t.Errorf("%v were asked", got)
	}
	for _, ss := range b.Sessions()[1:] {
		if got := b.takes(ss); got[len(got)-1] != "Shutdown" {
			t.Errorf("session %d was told %q", ss.ID(), got)
		}
	}
	if b.Drained() || own.Over() {
		t.Error("it is drained, or its own session has ended")
	}
}

// TestEndDrain leaves those that are left alone, or ends them; none is asked any more.
func TestEndDrain(t *testing.T) {
	for _, rest := range []bool{true, false} {
		b := newBench(t)
		ss := b.takesOver(1)
		b.takes(ss)
		b.Drain(b.now)
		b.takesOver(2)
		b.posted = nil
		b.EndDrain(b.now, rest)
		b.later(time.Minute)
		b.takesOver(3)
		b.later(time.Minute)
		if ss.Over() != rest || len(b.moves()) != 0 || b.Size().Deadlines != 0 {
			t.Errorf("rest %v: over %v, %+v", rest, ss.Over(), b.Size())
		}
	}
}

// TestDrainedAt: exactly when the program and the pool user leave a session, counted from the last thing
// that either did, it is looked at once more, and ends.
func TestDrainedAt(t *testing.T) {
	stop := func(b *bench) { b.Perform(b.now, endpoint.CookieEchoReceived{Assoc: 1}) }
	send := func(b *bench, ss *Session) { ok(t, b.Send(b.now, ss, []byte("answer"), &SendInfo{})) }
	for name, tc := range map[string]struct {
		do   func(b *bench, ss *Session)
		ends time.Duration
	}{
		"done, stopped": {func(b *bench, ss *Session) { send(b, ss); stop(b) }, drainPause},
		"done, listens": {func(b *bench, ss *Session) { send(b, ss) }, moveAfter},
		"not done":      {func(b *bench, ss *Session) { stop(b) }, drainPatience},
		"no cookie for the last": {func(b *bench, ss *Session) {
			ok(t, b.SendCookie(b.now, ss, []byte("state")))
			b.arrives(1, "x")
			b.takes(ss)
			send(b, ss)
			send(b, ss)
			stop(b)
		}, drainPatience},
		"a cookie for all": {func(b *bench, ss *Session) {
			send(b, ss)
			ok(t, b.SendCookie(b.now, ss, []byte("state")))
			stop(b)
		}, drainPause},
		"touched by a cookie": {func(b *bench, ss *Session) {
			send(b, ss)
			stop(b)
			b.later(drainPause - 1)
			ok(t, b.SendCookie(b.now, ss, []byte("state")))
		}, 2*drainPause - 1},
		"touched by a message": {func(b *bench, ss *Session) {
			stop(b)
			b.later(drainPatience - 1)
			send(b, ss)
		}, drainPatience - 1 + drainPause},
	} {
		b := newBench(t)
		ss := b.takesOver(1)
		b.takes(ss)
		b.Drain(b.now)
		b.takes(ss)
		begun := b.now
		tc.do(b, ss)
		b.later(tc.ends - b.now.Sub(begun) - 1)
		b.Hungry()
		b.later(1)
		if ss.Over() || !b.Hungry() {
			t.Errorf("%s: over %v after %v, or it is not looked for more", name, ss.Over(), tc.ends)
		}
		b.later(drainLook - 1)
		if ss.Over() {
			t.Errorf("%s: it has ended too early", name)
		}
		if b.later(1); !ss.Over() {
			t.Errorf("%s: it does not end after %v", name, tc.ends+drainLook)
		}
	}
	if moveAfter != 500*time.Millisecond || drainPause != 50*time.Millisecond || drainPatience != time.Second || drainLook != 10*time.Millisecond {
		t.Error("the times are others than the documentation says")
	}
}

// TestDrainCountsFromTheEcho: what the cookie covered that a session began with needs no answer here.
func TestDrainCountsFromTheEcho(t *testing.T) {
	b := newBench(t)
	f := cookieFrame{covered: 5, state: []byte("state")}
	b.echoes(1, string(f.seal(nil, "pool", nil)))
	ss := b.Sessions()[0]
	b.takes(ss)
	b.Drain(b.now)
	b.takes(ss)
	b.Perform(b.now, endpoint.CookieEchoReceived{Assoc: 1})
	if b.later(drainPause + drainLook); !ss.Over() {
		t.Error("it waits for answers to what another element has answered")
	}
}
