package session

import (
	"errors"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// waits is a session of a pool user whose message the transport has not taken yet.
func (b *bench) waits(t *testing.T, text string) *Session {
	t.Helper()
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
	b.port.full = true
	b.served(ss)
	b.port.full, b.port.calls, b.posted = false, nil, nil
	return ss
}

// TestFinish: what waits is sent first, then the association is shut down, which is not the
// session's any more.
func TestFinish(t *testing.T) {
	b := newBench(t)
	ss := b.waits(t, "x")
	b.port.full = true
	b.Finish(b.now, ss)
	b.port.told(t)
	if !ss.Over() || ss.Ended() || ss.State() != Ending || b.Own() != nil || b.Quiet() {
		t.Errorf("%v", ss.State())
	}
	b.port.full = false
	b.Writable(b.now, 1)
	b.port.took(t, "1 x")
	b.port.told(t, "flush 1", "shutdown 1")
	wantPosted(t, b, endpoint.CloseSession{Session: ss.ID()})
	if !ss.Ended() || ss.Err() != nil || b.Len() != 0 || b.Quiet() || b.Drained() {
		t.Errorf("%v, %d sessions", ss.State(), b.Len())
	}
	b.Finish(b.now, ss) // once more
	b.port.told(t)
	b.ends(1, nil)
	if !b.Quiet() || !b.Drained() {
		t.Error("something is left")
	}
}

// TestFinishUnread: one that has ended already and was not read is gone then.
func TestFinishUnread(t *testing.T) {
	b := newBench(t)
	ss := b.takesOver(1)
	b.ends(1, nil)
	if b.Finish(b.now, ss); b.Len() != 0 || !b.Quiet() {
		t.Errorf("%d sessions", b.Len())
	}
}

// TestFinishOpensTheGate: with HoldFailover too all is sent that waits, and what the program left
// unread does not keep the session.
func TestFinishOpensTheGate(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{HoldFailover: true})
	b.lost()
	b.served(ss)
	ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
	b.port.took(t)
	b.Finish(b.now, ss)
	b.port.took(t, "2 x")
	if b.Len() != 0 {
		t.Errorf("%d sessions", b.Len())
	}
}

// TestFinishWithoutElement: a session that looks for its element has nothing to wait for, unless it has
// something to send.
func TestFinishWithoutElement(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.Finish(b.now, ss)
	b.port.told(t)
	if !ss.Ended() || b.Len() != 0 {
		t.Errorf("%v", ss.State())
	}
	ss = b.waits(t, "x")
	b.ends(1, assoc.ErrAborted)
	b.Finish(b.now, ss)
	if ss.Ended() {
		t.Error("it has something to send")
	}
	b.served(ss)
	b.port.took(t, "2 x")
	if !ss.Ended() {
		t.Error("it does not end")
	}
}

// TestFinishLostInTheEnd: when all was handed over the end of the association is the end.
func TestFinishLostInTheEnd(t *testing.T) {
	b := newBench(t)
	ss := b.waits(t, "x")
	b.port.full = true
	b.Finish(b.now, ss)
	b.posted = nil
	b.lost()
	if ss.Ended() || !slices.Contains(b.posted, endpoint.Event(endpoint.SessionLost{Session: ss.ID(), Err: assoc.ErrAborted})) {
		t.Errorf("%v, posted %v", ss.State(), b.posted)
	}
	b.port.full, b.port.broken = false, assoc.ErrPipe
	b.served(ss) // which is gone already
	if ss.Ended() {
		t.Error("what waits is lost")
	}
}

// TestAbort: at once, with what was not read or sent.
func TestAbort(t *testing.T) {
	b := newBench(t)
	ss := b.waits(t, "x")
	b.Abort(b.now, ss)
	b.port.told(t, "abort 1")
	b.port.took(t)
	wantPosted(t, b, endpoint.CloseSession{Session: ss.ID()})
	if !ss.Ended() || b.Len() != 0 || b.Own() != nil || b.Status(ss).Queued != 0 {
		t.Errorf("%v, %d sessions", ss.State(), b.Len())
	}
	b.arrives(1, "too late")
	if b.Len() != 0 {
		t.Error("a message on what is aborted has begun a session")
	}
}

// TestNothingIsSentBy a session that has ended: neither what was kept, nor what came back, nor what waited.
func TestNothingIsSentBy(t *testing.T) {
	for _, replay := range []bool{false, true} {
		b := newBench(t)
		ss := b.user(t, Options{Replay: replay})
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.SendFailed, Assoc: 1}, []byte("x"))
		b.port.full = true
		b.Writable(b.now, 1)
		b.Abort(b.now, ss)
		if st := b.Stats(ss); st.Sending != (Queue{}) || st.Queued != 0 || st.Uncovered != 0 {
			t.Errorf("replay %v: %+v", replay, st)
		}
		b.port.full = false
		b.Writable(b.now, 1)
		b.port.took(t, "1 x")
	}
}

// TestHasten aborts what is being ended, be its last messages here or in the transport, and nothing
// else.
func TestHasten(t *testing.T) {
	b := newBench(t)
	ss := b.waits(t, "x")
	if b.Hasten(b.now, ss.ID()) {
		t.Error("a session that goes on")
	}
	b.port.full = true
	b.Finish(b.now, ss)
	b.port.calls = nil
	if !b.Hasten(b.now, ss.ID()) || !ss.Ended() {
		t.Error("it is not ended")
	}
	b.port.told(t, "abort 1")

	b = newBench(t)
	ss = b.user(t, Options{})
	other := b.takesOver(3)
	b.Finish(b.now, other)
	b.Finish(b.now, ss)
	b.port.calls = nil
	if !b.Hasten(b.now, ss.ID()) || !ss.Ended() {
		t.Error("its association is not ended")
	}
	b.port.told(t, "abort 1")
	b.ends(1, assoc.ErrLocalAbort)
	if b.Hasten(b.now, ss.ID()) || b.Hasten(b.now, 99) {
		t.Error("there is none any more")
	}
	b.port.told(t, "forget 1")
}

// takesOver begins a session of the element.
func (b *bench) takesOver(id assoc.ID) *Session {
	b.arrives(id, "hello")
	all := b.Sessions()
	return all[len(all)-1]
}

// TestDiscard ends the session of Open at once, and no other.
func TestDiscard(t *testing.T) {
	b := newBench(t)
	ss, other := b.user(t, Options{}), b.takesOver(3)
	b.port.calls = nil
	b.Discard(b.now, other)
	if other.Over() {
		t.Error("another one has ended")
	}
	b.Discard(b.now, ss)
	b.port.told(t, "abort 1")
	if !ss.Ended() || b.Own() != nil || b.Len() != 1 {
		t.Errorf("%v, %d sessions", ss.State(), b.Len())
	}
	_, err := b.Open(b.now, "pool", 0)
	ok(t, err)
}

// TestClosing: gracefully, and who comes meanwhile is refused; then at once, with the reason.
func TestClosing(t *testing.T) {
	b := newBench(t)
	waits, other := b.waits(t, "x"), b.takesOver(3)
	b.port.full = true
	b.Hungry()
	b.BeginClose(b.now)
	if !b.Hungry() || !waits.Over() || waits.Ended() || !other.Ended() {
		t.Errorf("%v and %v", waits.State(), other.State())
	}
	b.port.told(t, "shutdown 3")
	b.arrives(4, "hello")
	b.echoes(5, "state")
	b.port.told(t, "abort 4", "abort 5")
	if b.Len() != 1 {
		t.Errorf("%d sessions", b.Len())
	}
	why := errors.New("closed")
	b.Close(b.now, why)
	if !waits.Ended() || waits.Err() != why || b.Len() != 0 {
		t.Errorf("it ended with %v", waits.Err())
	}
}

// TestLookup names a session that goes on, or says why there is none.
func TestLookup(t *testing.T) {
	b := newBench(t)
	if _, err := b.Lookup(0); !errors.Is(err, ErrNotConnected) {
		t.Errorf("none: %v", err)
	}
	ss, other := b.waits(t, "x"), b.takesOver(3)
	for id, want := range map[ID]*Session{0: ss, ss.ID(): ss, other.ID(): other} {
		if got, err := b.Lookup(id); got != want || err != nil {
			t.Errorf("session %d: %v", id, err)
		}
	}
	b.port.full = true
	b.Finish(b.now, ss)
	for _, id := range []ID{0, ss.ID(), 99} {
		if got, err := b.Lookup(id); got != nil || !errors.Is(err, ErrNotConnected) {
			t.Errorf("session %d: %v, %v", id, got, err)
		}
	}
	b.ends(3, assoc.ErrAborted)
	if got, err := b.Lookup(other.ID()); got != nil || !errors.Is(err, ErrNotConnected) || !errors.Is(err, assoc.ErrAborted) {
		t.Errorf("%v, %v", got, err)
	}
	third := b.takesOver(5)
	b.ends(5, nil)
	if got, err := b.Lookup(third.ID()); got != nil || !errors.Is(err, ErrNotConnected) {
		t.Errorf("%v, %v", got, err)
	}
	if b.Find(third.ID()) != third || b.Find(99) != nil {
		t.Error("one that ended and was not read is not found")
	}
}
