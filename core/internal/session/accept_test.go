package session

import (
	"errors"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// accepts is a bench whose sessions are taken one by one.
func accepts(t *testing.T, backlog int) *bench {
	t.Helper()
	b := newBench(t)
	b.SetService(Service{Pool: "pool"})
	ok(t, b.Listen(b.now, backlog))
	b.SetService(Service{Serving: true, Pool: "pool"})
	return b
}

// TestBacklog: of those beyond the backlog the first message is taken, and the rest stays in
// the transport until their turn comes, or the backlog is larger.
func TestBacklog(t *testing.T) {
	b := accepts(t, 2)
	for id := assoc.ID(1); id <= 5; id++ {
		b.arrives(id, "hello")
	}
	b.port.told(t, "pause 3", "pause 4", "pause 5")
	b.Hungry()
	if ss := b.Accept(b.now); ss.Assoc() != 1 || !b.Hungry() || b.Hungry() {
		t.Errorf("the first is that of association %d", ss.Assoc())
	}
	b.port.told(t, "resume 3")
	ok(t, b.Listen(b.now, 3))
	b.port.told(t, "resume 4")
	for id := assoc.ID(2); id <= 5; id++ {
		if ss := b.Pending(); ss != b.Accept(b.now) || ss.Assoc() != id {
			t.Errorf("association %d instead of %d", ss.Assoc(), id)
		}
	}
	b.port.told(t, "resume 5")
	if b.Pending() != nil || b.Accept(b.now) != nil {
		t.Error("there is one more")
	}
}

func TestBacklogIsBounded(t *testing.T) {
	for asked, want := range map[int]int{1: 1, 4096: 4096, 4097: 4096} {
		if got := accepts(t, asked).Backlog(); got != want {
			t.Errorf("a backlog of %d is %d, want %d", asked, got, want)
		}
	}
	if got := newBench(t).Backlog(); got != 0 {
		t.Errorf("without Listen it is %d", got)
	}
}

// TestListenRefused: who has a session of his own, or serves sessions already, does not listen.
func TestListenRefused(t *testing.T) {
	b := newBench(t)
	if err := b.Listen(b.now, 1); !errors.Is(err, ErrInvalid) || b.Backlog() != 0 {
		t.Errorf("while it serves: %v", err)
	}
	b.SetService(Service{})
	ss := b.user(t, Options{})
	if err := b.Listen(b.now, 1); !errors.Is(err, ErrConnected) || b.Backlog() != 0 {
		t.Errorf("with a session of its own: %v", err)
	}
	b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
	ok(t, b.Listen(b.now, 1))
	b.SetService(Service{Serving: true})
	ok(t, b.Listen(b.now, 5))
	if _, err := b.Open(b.now, "pool", 0); !errors.Is(err, ErrConnected) {
		t.Errorf("connected while it listens: %v", err)
	}
}

// TestPendingThatEnded is passed over unless there is something of it to be read.
func TestPendingThatEnded(t *testing.T) {
	b := accepts(t, 10)
	o := b.Options()
	o.Notifications = 0
	ok(t, b.SetDefaults(o))
	for id := assoc.ID(1); id <= 3; id++ {
		b.arrives(id, "hello")
	}
	read := b.Sessions()[0]
	b.ends(1, nil)
	b.ends(2, nil)
	b.takes(read)
	if ss := b.Accept(b.now); ss.ID() != 2 || !ss.Ended() {
		t.Errorf("session %d", ss.ID())
	}
	if ss := b.Accept(b.now); ss.Assoc() != 3 {
		t.Errorf("association %d", ss.Assoc())
	}
}

// TestStopAccepting ends those that wait, not those that were taken, and refuses others.
func TestStopAccepting(t *testing.T) {
	b := accepts(t, 1)
	for id := assoc.ID(1); id <= 3; id++ {
		b.arrives(id, "hello")
	}
	taken := b.Accept(b.now)
	b.port.calls = nil
	b.Moved()
	b.StopAccepting(b.now)
	if taken.Over() || !b.Moved() || b.Pending() != nil {
		t.Error("one that was taken has ended, or one still waits")
	}
	b.port.told(t, "shutdown 2", "resume 3", "shutdown 3")
	b.arrives(4, "hello")
	b.port.told(t, "abort 4")
	if b.Len() != 1 {
		t.Errorf("%d sessions", b.Len())
	}
}

// TestParkedAndFull: while an inbox is full nobody but its reader lets more come.
func TestParkedAndFull(t *testing.T) {
	b := accepts(t, 1)
	b.lends = false
	o, err := Options{ReceiveBuffer: MinBuffer}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	b.arrives(1, "first")
	b.arrives(2, string(make([]byte, MinBuffer)))
	b.port.told(t, "pause 2", "pause 2")
	b.Accept(b.now)
	b.port.told(t)
	second := b.Accept(b.now)
	b.takes(second)
	b.port.told(t, "resume 2")
}

// TestSessionBegins tells so, in the session and about it, and sends the business card first
// (ASAP-3.9-01).
func TestSessionBegins(t *testing.T) {
	for name, tc := range map[string]struct {
		service Service
		noCards bool
		want    []endpoint.Event
	}{
		"card":      {service: Service{Serving: true}, want: []endpoint.Event{endpoint.SendBusinessCard{Assoc: 7}}},
		"data only": {service: Service{Serving: true, DataOnly: true, Preferred: preferred}},
		"no cards":  {service: Service{Serving: true}, noCards: true},
	} {
		b := newBench(t)
		b.cfg.NoCards = tc.noCards
		b.SetService(tc.service)
		b.arrives(7, "hello")
		ss := b.Sessions()[0]
		if got := b.takes(ss); !slices.Equal(got, []string{"SessionAdded", "hello"}) {
			t.Errorf("%s: %q", name, got)
		}
		wantPosted(t, b, tc.want...)
		var changes []Change
		b.Changed(func(c Change) { changes = append(changes, c) })
		if want := []Change{{ss, true, false, true}}; !slices.Equal(changes, want) || !b.Moved() || b.Moved() {
			t.Errorf("%s: changes %v", name, changes)
		}
		if ss.State() != Established || !ss.Stood() || ss.Own() {
			t.Errorf("%s: %v", name, ss.State())
		}
	}
}
