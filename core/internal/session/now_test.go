package session

import (
	"testing"
	"time"
)

// TestEachCallTellsTheTime: what the program does counts from when it does it.
func TestEachCallTellsTheTime(t *testing.T) {
	const later = 700 * time.Millisecond
	buf := make([]byte, 10)
	for name, read := range map[string]func(b *bench, ss *Session) error{
		"Receive":     func(b *bench, _ *Session) error { _, err := b.Receive(b.now, buf, nil, 0); return err },
		"ReceiveFrom": func(b *bench, ss *Session) error { _, err := b.ReceiveFrom(b.now, ss, buf, nil, 0); return err },
		"Take":        func(b *bench, ss *Session) error { _, err := b.Take(b.now, ss, &RecvInfo{}); return err },
		"Send":        func(b *bench, ss *Session) error { b.wantTaken(t); return b.Send(b.now, ss, buf, &SendInfo{}) },
		"SendCookie":  func(b *bench, ss *Session) error { b.wantTaken(t); return b.SendCookie(b.now, ss, buf) },
	} {
		b := shared(t)
		o := b.Options()
		o.Notifications = 0
		ok(t, b.SetDefaults(o))
		for range 3 { // too many for one answer: it does not look done
			b.arrives(1, "x")
		}
		ss := b.Sessions()[0]
		b.takesBut(t, ss, 1)
		b.Drain(b.now)
		b.now = b.now.Add(later)
		ok(t, read(b, ss))
		if at, is := b.Next(); !is || !at.Equal(b.now.Add(drainPatience)) {
			t.Errorf("%s: it ends %v later", name, at.Sub(b.now))
		}
	}
	for name, flush := range map[string]func(b *bench, ss *Session){
		"Writable": func(b *bench, _ *Session) { b.Writable(b.now, b.port.next) },
		"Resume":   func(b *bench, ss *Session) { b.Resume(b.now, ss) },
		"Finish":   func(b *bench, ss *Session) { b.Finish(b.now, ss) },
	} {
		b := newBench(t)
		ss := b.user(t, Options{HoldFailover: name == "Resume"})
		b.lost()
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{Lifetime: time.Second}))
		b.port.full = name != "Resume"
		b.served(ss)
		b.takes(ss)
		b.port.full, b.now = false, b.now.Add(time.Second)
		flush(b, ss)
		b.port.took(t)
		if st := b.Status(ss); st.Queued != 0 {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// takesBut reads all of a session but so many messages.
func (b *bench) takesBut(t *testing.T, ss *Session, left int) {
	t.Helper()
	for b.Status(ss).Unread > left {
		_, err := b.Take(b.now, ss, &RecvInfo{})
		ok(t, err)
	}
}

// wantTaken reads what is left, a moment ago.
func (b *bench) wantTaken(t *testing.T) {
	t.Helper()
	ss := b.Sessions()[0]
	_, err := b.Take(b.now.Add(-time.Millisecond), ss, &RecvInfo{})
	ok(t, err)
}
