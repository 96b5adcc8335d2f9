package session

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// notes are the notifications that a session has, in full.
func (b *bench) notes(t *testing.T, ss *Session) (out []Notification) {
	t.Helper()
	var info RecvInfo
	for {
		_, err := b.Take(b.now, ss, &info)
		if errors.Is(err, ErrWouldBlock) {
			return out
		}
		ok(t, err)
		if info.Notification != nil {
			out = append(out, *info.Notification)
		}
	}
}

// TestFailoverIsTold: from whom to whom, why, what is in doubt and what is sent again; once, however
// many elements are tried.
func TestFailoverIsTold(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	for _, text := range []string{"one", "two", "three"} {
		ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
	}
	b.arrives(1, "answer")
	b.posted = nil
	b.lost("three")
	wantPosted(t, b, endpoint.SessionLost{Session: ss.ID(), Err: assoc.ErrAborted}, endpoint.AssocLost{Assoc: 1, Err: assoc.ErrAborted})
	if ss.State() != Moving || ss.Assoc() != 0 {
		t.Errorf("%v on %d", ss.State(), ss.Assoc())
	}
	b.chosen(ss, at("192.0.2.2:7"))
	b.posted = nil
	b.ends(2, assoc.ErrTimeout) // could not be reached
	wantPosted(t, b, endpoint.SessionLost{Session: ss.ID(), Err: assoc.ErrTimeout}, endpoint.AssocLost{Assoc: 2, Err: assoc.ErrTimeout})
	b.served(ss)
	want := []Notification{
		{Type: SessionAdded, New: 1},
		{Type: FailoverBegun, Old: 1, InDoubt: 1, Err: assoc.ErrAborted},
		{Type: FailoverCompleted, Old: 1, New: 3, InDoubt: 1, Resent: 1},
	}
	if got := b.notes(t, ss); !slices.Equal(got, want) {
		t.Errorf("told %+v, want %+v", got, want)
	}
	if st := b.Status(ss); st.Failovers != 1 || !st.Connected || st.Peer != (Name{"pool", 3}) {
		t.Errorf("%+v", st)
	}
	b.lost() // with the next element it all begins anew
	if got := b.notes(t, ss); len(got) != 1 || got[0].Old != 3 || got[0].InDoubt != 1 || got[0].Resent != 0 {
		t.Errorf("told %+v", got)
	}
}

// TestDoubtEndsWithTheCookie: what a cookie covers was taken, also if nothing was answered; what the
// next element has is counted from where it began.
func TestDoubtEndsWithTheCookie(t *testing.T) {
	doubt := func(b *bench, ss *Session) int {
		b.lost()
		n := b.notes(t, ss)
		b.served(ss)
		b.notes(t, ss)
		return n[len(n)-1].InDoubt
	}
	b := newBench(t)
	ss := b.user(t, Options{})
	send := func(n int) {
		for range n {
			ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
		}
	}
	covers := func(n uint64) {
		f := cookieFrame{covered: n}
		b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: f.seal(nil, "", nil)})
	}
	send(5)
	covers(3)
	b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: []byte("of another library, which does not count")})
	if got := doubt(b, ss); got != 2 {
		t.Errorf("%d in doubt, want 2", got)
	}
	send(4)
	if got := doubt(b, ss); got != 4 {
		t.Errorf("%d in doubt, want 4", got)
	}
	send(4)
	covers(4) // one of these
	if got := doubt(b, ss); got != 3 {
		t.Errorf("%d in doubt, want 3", got)
	}
	send(2)
	for range 5 { // more answers than questions
		b.arrives(b.port.next, "answer")
	}
	b.takes(ss)
	if got := doubt(b, ss); got != 0 {
		t.Errorf("%d in doubt, want none", got)
	}
}

// TestReplayIsInDoubtOfNothing: it sends again what no cookie covers, and says how much that is.
func TestReplayIsInDoubtOfNothing(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{Replay: true})
	for range 3 {
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
	}
	b.lost("x", "x", "x")
	n := b.notes(t, ss)
	if last := n[len(n)-1]; last.InDoubt != 0 {
		t.Errorf("%+v", last)
	}
	b.port.sent = nil
	b.served(ss)
	b.port.took(t, "2 x", "2 x", "2 x")
	n = b.notes(t, ss)
	if last := n[len(n)-1]; last.Resent != 3 || last.InDoubt != 0 || b.Status(ss).Queued != 3 {
		t.Errorf("%+v, %+v", last, b.Status(ss))
	}
}

// TestNoFailover: the session ends with its element, and what that did not get is given back in order
// (ASAP-6.5.5-02).
func TestNoFailover(t *testing.T) {
	for name, why := range map[string]error{"lost": assoc.ErrAborted, "took leave": nil} {
		b := newBench(t)
		ss := b.user(t, Options{NoFailover: true})
		for _, text := range []string{"one", "two"} {
			ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
		}
		b.takes(ss)
		b.posted = nil
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.SendFailed, Assoc: 1}, []byte("two"))
		b.ends(1, why)
		told := why
		if why == nil {
			told = ErrTookLeave
		}
		wantPosted(t, b, endpoint.SessionLost{Session: ss.ID(), Err: told, Over: true}, endpoint.CloseSession{Session: ss.ID()}, endpoint.AssocLost{Assoc: 1, Err: why})
		if !ss.Ended() || !errors.Is(ss.Err(), ErrNoElement) || !errors.Is(ss.Err(), told) {
			t.Errorf("%s: ended with %v", name, ss.Err())
		}
		n := b.notes(t, ss)
		if len(n) != 2 || n[0].Type != Undelivered || n[0].Err != told || n[0].Old != 1 || n[1].Type != SessionRemoved || !errors.Is(n[1].Err, told) {
			t.Errorf("%s: told %+v", name, n)
		}
	}
}

// TestNoFailoverBeforeTheFirst: until a session has stood any element will do.
func TestNoFailoverBeforeTheFirst(t *testing.T) {
	b := newBench(t)
	o, err := Options{NoFailover: true}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.chosen(ss, at("192.0.2.1:7"))
	b.posted = nil
	b.lost()
	wantPosted(t, b, endpoint.SessionLost{Session: ss.ID(), Err: assoc.ErrAborted}, endpoint.AssocLost{Assoc: 1, Err: assoc.ErrAborted})
	b.served(ss)
	if ss.State() != Established || b.Status(ss).Failovers != 0 {
		t.Errorf("%v, %+v", ss.State(), b.Status(ss))
	}
}

// TestRemovedByTheRegistrar: the element is left, with that reason, unless it was heard of a moment ago.
func TestRemovedByTheRegistrar(t *testing.T) {
	for quiet, leaves := range map[time.Duration]bool{livelyFor: false, livelyFor + 1: true} {
		b := newBench(t)
		ss := b.user(t, Options{})
		b.arrives(1, "answer")
		b.takes(ss)
		b.now = b.now.Add(quiet)
		b.port.calls = nil
		b.Perform(b.now, endpoint.LeavePE{Session: 99})
		b.Perform(b.now, endpoint.LeavePE{Session: ss.ID()})
		if got := slices.Equal(b.port.calls, []string{"abort 1"}); got != leaves {
			t.Errorf("heard %v ago: left %v", quiet, got)
		}
		if !leaves {
			continue
		}
		b.posted = nil
		b.ends(1, assoc.ErrLocalAbort)
		if n := b.notes(t, ss); len(n) != 1 || n[0].Err != errRemoved {
			t.Errorf("told %+v", n)
		}
		if lost := b.posted[0].(endpoint.SessionLost); lost.Err != errRemoved {
			t.Errorf("%+v", lost)
		}
		b.served(ss)
		b.posted = nil
		b.lost()
		if lost := b.posted[0].(endpoint.SessionLost); lost.Err != assoc.ErrAborted {
			t.Errorf("the next time: %+v", lost)
		}
	}
}

// TestLeaveNobody: a session between two elements has none to leave.
func TestLeaveNobody(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.lost()
	b.later(time.Hour)
	b.port.calls = nil
	b.Perform(b.now, endpoint.LeavePE{Session: ss.ID()})
	b.port.told(t)
}

// TestElementSpeaksFirst: an element hears the cookie, then what waits.
func TestElementSpeaksFirst(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.lost()
	ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
	b.chosen(ss, protocol.Transport{Protocol: protocol.SCTP})
	var sentBefore int
	b.cfg.Post = func(e endpoint.Event) {
		if _, is := e.(endpoint.SessionUp); is {
			sentBefore = len(b.port.sent)
		}
		b.posted = append(b.posted, e)
	}
	b.posted = nil
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 2}, nil)
	wantPosted(t, b, endpoint.SessionUp{Session: ss.ID(), Assoc: 2})
	if b.port.took(t, "2 x"); sentBefore != 0 {
		t.Error("data went before the echo")
	}
}
