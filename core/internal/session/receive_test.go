package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// shared is a bench whose sessions are received from together.
func shared(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.cfg.PerSession = false
	return b
}

// reads receives from all sessions, or one.
func (b *bench) reads(ss *Session, size int, flags RecvFlags) string {
	var info RecvInfo
	buf := make([]byte, size)
	n, err := 0, error(nil)
	if ss == nil {
		n, err = b.Receive(b.now, buf, &info, flags)
	} else {
		n, err = b.ReceiveFrom(b.now, ss, buf, &info, flags)
	}
	switch {
	case err != nil:
		return err.Error()
	case info.Notification != nil:
		return fmt.Sprint(info.Session, " ", info.Notification.Type)
	case info.CookieEcho:
		return fmt.Sprintf("%d echo %s", info.Session, buf[:n])
	}
	return fmt.Sprintf("%d %s +%d of %d", info.Session, buf[:n], info.Left, info.Length)
}

func (b *bench) wantReads(t *testing.T, ss *Session, size int, flags RecvFlags, want ...string) {
	t.Helper()
	for _, w := range append(want, ErrWouldBlock.Error()) {
		if got := b.reads(ss, size, flags); got != w {
			t.Errorf("received %q, want %q", got, w)
		}
	}
}

// TestReceiveInOrder: what came first for any session; what does not fit is left for the next time,
// dropped, or only looked at.
func TestReceiveInOrder(t *testing.T) {
	come := func(b *bench) {
		b.arrives(1, "one")
		b.arrives(2, "two")
		b.arrives(1, "three")
	}
	all := []string{"1 SessionAdded", "1 one +0 of 3", "2 SessionAdded", "2 two +0 of 3", "1 three +0 of 5"}
	b := shared(t)
	come(b)
	if !b.Arrived() {
		t.Error("nothing has arrived")
	}
	for _, want := range all {
		for range 2 {
			if got := b.reads(nil, 10, RecvPeek); got != want {
				t.Errorf("looked at %q, want %q", got, want)
			}
		}
		if got := b.reads(nil, 10, 0); got != want {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	b.wantReads(t, nil, 10, 0)
	if b.Arrived() || b.Status(b.Sessions()[0]).Unread != 0 {
		t.Error("something is left")
	}
	come(b)
	b.wantReads(t, nil, 2, 0, "1 on +1 of 3", "1 e +0 of 3", "2 tw +1 of 3", "2 o +0 of 3", "1 th +3 of 5", "1 re +1 of 5", "1 e +0 of 5")
	come(b)
	b.wantReads(t, nil, 2, RecvDiscard, "1 on +1 of 3", "2 tw +1 of 3", "1 th +3 of 5")
	for _, ss := range b.Sessions() {
		if b.Stats(ss).Receiving != (Queue{}) {
			t.Errorf("%+v", b.Stats(ss).Receiving)
		}
	}
}

// TestReceiveMessages passes over the rest, for all sessions and for one.
func TestReceiveMessages(t *testing.T) {
	b := shared(t)
	b.echoes(1, "state")
	b.arrives(1, "one")
	b.arrives(2, "two")
	b.wantReads(t, nil, 10, RecvMessages, "1 one +0 of 3", "2 two +0 of 3")
	b.echoes(3, "state")
	b.arrives(3, "one")
	b.wantReads(t, b.Sessions()[2], 10, RecvMessages, "3 one +0 of 3")
	b.wantReads(t, nil, 10, 0)
	b.echoes(4, "state")
	b.wantReads(t, nil, 10, 0, "4 SessionAdded", "4 echo state")
}

// TestReceiveFromOne takes part in the order of all.
func TestReceiveFromOne(t *testing.T) {
	b := shared(t)
	for _, id := range []assoc.ID{1, 2, 1, 2} {
		b.arrives(id, "x")
	}
	second := b.Sessions()[1]
	b.wantReads(t, second, 10, 0, "2 SessionAdded", "2 x +0 of 1", "2 x +0 of 1")
	b.wantReads(t, nil, 10, 0, "1 SessionAdded", "1 x +0 of 1", "1 x +0 of 1")
	b.arrives(2, "xyz")
	if got := b.reads(second, 2, RecvPeek); got != "2 xy +1 of 3" || !b.Arrived() {
		t.Errorf("looked at %q", got)
	}
	b.wantReads(t, second, 2, 0, "2 xy +1 of 3", "2 z +0 of 3")
	if b.Arrived() {
		t.Error("something has arrived")
	}
}

// TestReceiveWithoutInfo: nobody has to ask for it.
func TestReceiveWithoutInfo(t *testing.T) {
	b := shared(t)
	b.arrives(1, "one")
	buf := make([]byte, 10)
	for range 2 {
		_, err := b.Receive(b.now, buf, nil, 0)
		ok(t, err)
	}
	if string(buf[:3]) != "one" {
		t.Errorf("%q", buf)
	}
}

// TestDroppedArrivals: what is dropped unread of a session that ends holds up nothing behind it.
func TestDroppedArrivals(t *testing.T) {
	b := shared(t)
	b.arrives(1, "one")
	b.arrives(2, "two")
	b.Abort(b.now, b.Sessions()[0])
	b.wantReads(t, nil, 10, 0, "2 SessionAdded", "2 two +0 of 3")
}

// TestReadToItsEnd: a session that has ended is there until it was read, and its window is given back.
func TestReadToItsEnd(t *testing.T) {
	b := shared(t)
	b.arrives(1, "one")
	ss := b.Sessions()[0]
	b.ends(1, assoc.ErrAborted)
	if !ss.Readable() || b.Find(1) != ss || b.Quiet() {
		t.Error("it is gone unread")
	}
	b.Changed(func(Change) {})
	b.wantReads(t, nil, 10, 0, "1 SessionAdded", "1 one +0 of 3", "1 SessionRemoved")
	var changes []Change
	b.Changed(func(c Change) { changes = append(changes, c) })
	if b.Len() != 0 || !b.Quiet() || !slices.Equal(changes, []Change{{ss, false, false, true}}) {
		t.Errorf("%d sessions, changes %+v", b.Len(), changes)
	}
	if _, err := b.Take(b.now, ss, &RecvInfo{}); !errors.Is(err, ErrWouldBlock) {
		t.Errorf("%v", err)
	}
}

// TestChanges come in the order in which they were, once each, also those that come while they are told.
func TestChanges(t *testing.T) {
	b := newBench(t)
	b.arrives(2, "x")
	b.arrives(1, "x")
	b.arrives(2, "x")
	var got []ID
	b.Changed(func(c Change) {
		if got = append(got, c.Session.ID()); len(got) == 1 {
			b.arrives(2, "x")
		}
	})
	if !slices.Equal(got, []ID{1, 2, 1}) {
		t.Errorf("sessions %v", got)
	}
	first := b.Sessions()[0]
	for name, tc := range map[string]struct {
		do   func()
		want Change
	}{
		"read":    {func() { b.takes(first) }, Change{first, false, false, false}},
		"arrived": {func() { b.arrives(2, "x") }, Change{first, true, false, false}},
		"refused": {func() {
			b.port.full = true
			_ = b.Send(b.now, first, []byte("x"), &SendInfo{})
		}, Change{first, false, false, false}},
		"room": {func() { b.port.full = false; b.Writable(b.now, 2) }, Change{first, true, true, false}},
	} {
		if name == "room" {
			b.port.full = true
			_ = b.Send(b.now, first, []byte("x"), &SendInfo{})
			b.Changed(func(Change) {})
		}
		tc.do()
		var changes []Change
		b.Changed(func(c Change) { changes = append(changes, c) })
		if !slices.Equal(changes, []Change{tc.want}) {
			t.Errorf("%s: %+v", name, changes)
		}
	}
}

// TestOnlyWhatIsWanted is told, but for the end of a failover that is held.
func TestOnlyWhatIsWanted(t *testing.T) {
	happen := func(o Options) (out []string) {
		b := newBench(t)
		o, err := o.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		ss, err := b.Open(b.now, "pool", 0)
		ok(t, err)
		b.served(ss)
		b.port.full = true
		_ = b.Send(b.now, ss, []byte("x"), &SendInfo{})
		b.port.full = false
		b.Writable(b.now, 1)
		b.lost()
		b.served(ss)
		f := cookieFrame{flags: frameEmpty | frameMove}
		b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: f.seal(nil, "", nil)})
		b.lost()
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
		b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
		b.SetService(Service{Serving: true, PoolKey: key})
		b.echoes(50, "forged")
		out = b.takes(ss)
		all := b.Sessions()
		return append(out, b.takes(all[len(all)-1])...)
	}
	for wanted, want := range map[Notifications][]string{
		0:                 nil,
		NotifySessions:    {"SessionAdded", "SessionRemoved", "SessionAdded"},
		NotifyFailover:    {"FailoverBegun", "FailoverCompleted", "FailoverBegun"},
		NotifyShutdown:    {"Shutdown"},
		NotifyCookies:     {"CookieRejected"},
		NotifyUndelivered: {"Undelivered"},
		NotifySendReady:   {"SendReady"},
		NotifyAll: {
			"SessionAdded", "SendReady", "FailoverBegun", "FailoverCompleted", "Shutdown", "FailoverBegun", "Undelivered", "SessionRemoved",
			"SessionAdded", "CookieRejected",
		},
	} {
		if got := happen(Options{Notifications: wanted}); !slices.Equal(got, want) {
			t.Errorf("%#x: told %q, want %q", uint16(wanted), got, want)
		}
	}
	if got := happen(Options{HoldFailover: true}); !slices.Equal(got, []string{"FailoverCompleted"}) {
		t.Errorf("HoldFailover: told %q", got)
	}
}
