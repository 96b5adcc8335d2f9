package socket

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// freeze makes a process deaf: what is sent to it does not arrive.
func (p *process) freeze() {
	for _, ep := range p.endpoints {
		ep.Freeze()
	}
}

// nameOf is the identifier of an element.
func (w *world) nameOf(s *Socket) PEID {
	w.Helper()
	n, err := s.LocalName()
	w.ok(err)
	return n.PE
}

// undelivered reads an Undelivered notification.
func (w *world) undelivered(s *Socket, from PEID, want string) {
	w.Helper()
	var info RecvInfo
	buf := make([]byte, 100)
	n, err := s.TryRecv(buf, &info, 0)
	w.ok(err)
	switch note := info.Notification; {
	case note == nil || note.Type != Undelivered:
		w.Fatalf("got %q, %+v", buf[:n], info)
	case string(buf[:n]) != want || info.Length != len(want) || note.Old != from || note.Err == nil:
		w.Errorf("given back %q (%d bytes) for %v: %v; want %q for %v", buf[:n], info.Length, note.Old, note.Err, want, from)
	}
}

// TestNoFailover: the session ends with its element, and the failure is reported
// to the registrar; what was not delivered is given back in order, with whom it
// was for and why (ASAP-6.5.5-02, ASAP-6.7-01, ASAP-6.9-01).
func TestNoFailover(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		p1, e1 := w.pe("n", nil, Registration{})
		pu := w.pu("n", func(c *Config) { c.NoFailover, c.Notifications = true, NotifyUndelivered|NotifySessions })
		_, e2 := w.pe("n", nil, Registration{})
		name, _ := e1.LocalName()
		w.reads("user", pu, "SessionAdded")
		p1.freeze()
		w.ok(pu.TrySend([]byte("b"), &SendInfo{Stream: 3, PPID: 7}))
		w.send(pu, 0, "c")
		p1.kill()
		synctest.Wait()
		var info RecvInfo
		if _, err := pu.TryRecv(nil, &info, RecvPeek); err != nil || info.Stream != 3 || info.PPID != 7 {
			t.Errorf("the first one: %+v, %v", info, err)
		}
		w.undelivered(pu, name.PE, "b")
		w.undelivered(pu, name.PE, "c")
		if _, err := pu.TryRecv(nil, &info, 0); err != nil || info.Notification.Type != SessionRemoved || !errors.Is(info.Notification.Err, ErrNoElement) {
			t.Errorf("at last %+v, %v", info.Notification, err)
		}
		if _, err := pu.TryRecv(nil, nil, 0); !errors.Is(err, ErrNoElement) || !strings.Contains(err.Error(), "NoFailover") {
			t.Errorf("then %v", err)
		}
		time.Sleep(time.Second)
		w.reads("second element, which nobody asked for", e2)
		if pools := r.Pools(); len(pools) != 1 || len(pools[0].Elements) != 1 {
			t.Errorf("the failure was not reported: %+v", pools)
		}
		w.ok(pu.Connect(w.ctx, "n")) // the other element
		o := pu.Options()
		o.Replay = true
		if err := pu.SetOptions(o); !errors.Is(err, ErrInvalid) {
			t.Errorf("with Replay: %v", err)
		}
	})
}

// TestUndeliveredWithoutAnyElement: a session that fails gives back what it
// kept (ASAP-6.7-01).
func TestUndeliveredWithoutAnyElement(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p1, e1 := w.pe("n", nil, Registration{})
		pu := w.pu("n", func(c *Config) {
			c.Notifications, c.FailoverLimit, c.ReceiveBuffer = NotifyUndelivered, time.Second, minBuffer
		})
		name, _ := e1.LocalName()
		p1.freeze()
		w.send(pu, 0, "a")
		p1.kill()
		synctest.Wait()
		w.send(pu, 0, "b", strings.Repeat("c", minBuffer-1), "d") // the third does not fit any more
		time.Sleep(5 * time.Second)
		w.undelivered(pu, name.PE, "a")
		w.undelivered(pu, name.PE, "b")
		w.undelivered(pu, name.PE, "d")
		if _, err := pu.TryRecv(nil, nil, 0); !errors.Is(err, ErrNoElement) {
			t.Errorf("then %v", err)
		}
	})
}

// TestUndeliveredToUser: an element learns what its pool user did not get, and
// which messages were too late (ASAP-6.7-01).
func TestUndeliveredToUser(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, e := w.pe("n", func(c *Config) { c.Notifications = NotifyUndelivered }, Registration{})
		p := w.process()
		pu := p.socket()
		w.ok(pu.Connect(w.ctx, "n"))
		w.send(pu, 0, "x")
		id := w.reads("element", e, "x")
		p.freeze()
		w.send(e, id, "y")
		p.kill()
		synctest.Wait()
		w.undelivered(e, 0, "y")
	})
}

// TestUndeliveredInTime: a message whose lifetime is over is given back, and is
// not in doubt.
func TestUndeliveredInTime(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p1, _ := w.pe("n", nil, Registration{})
		pu := w.pu("n", func(c *Config) { c.Notifications = NotifyUndelivered | NotifyFailover })
		p1.kill()
		synctest.Wait()
		w.reads("user", pu, "FailoverBegun doubt 0")
		w.ok(pu.TrySend([]byte("a"), &SendInfo{Lifetime: time.Second}))
		w.ok(pu.TrySend([]byte("b"), &SendInfo{Lifetime: time.Hour}))
		time.Sleep(3 * time.Second)
		p2, e2 := w.pe("n", nil, Registration{})
		time.Sleep(3 * time.Second)
		lines, _ := w.read(pu)
		if len(lines) != 2 || lines[0] != "FailoverCompleted doubt 0 resent 0" || lines[1] != "Undelivered" {
			t.Errorf("read %q", lines)
		}
		w.reads("second element", e2, "b")
		p2.kill()
		synctest.Wait()
		w.reads("user", pu, "FailoverBegun doubt 1")
	})
}

// TestHoldFailover: the program speaks first to the new element, before what
// the old one did not get; the cookie still goes before (OVR-4.2-03).
func TestHoldFailover(t *testing.T) {
	for told, change := range map[string]func(*Config){
		"FailoverCompleted doubt 1 resent 1": func(*Config) {},
		"FailoverCompleted doubt 0 resent 1": func(c *Config) { c.Replay, c.SendBuffer = true, 2 },
	} {
		t.Run(told, func(t *testing.T) {
			run(t, func(w *world) {
				w.process().registrar()
				p1, e1 := w.pe("n", change, Registration{})
				pu := w.pu("n", func(c *Config) { change(c); c.HoldFailover = true })
				w.send(pu, 0, "a")
				id := w.reads("element", e1, "a")
				w.ok(e1.SendCookie(id, []byte("state")))
				synctest.Wait()
				p1.freeze()
				w.send(pu, 0, "b")
				p1.kill()
				synctest.Wait()
				w.send(pu, 0, "c")
				_, e2 := w.pe("n", change, Registration{})
				time.Sleep(time.Second)
				w.reads("second element, for now", e2, "echo state")
				w.reads("user", pu, told)
				w.send(pu, 0, "first", "second")
				w.reads("second element, then", e2, "first", "second")
				w.ok(pu.Resume(0))
				w.reads("second element, at last", e2, "b", "c")
				w.ok(pu.Resume(0)) // changes nothing
				if err := pu.Resume(99); !errors.Is(err, ErrNotConnected) {
					t.Errorf("no such session: %v", err)
				}
			})
		})
	}
}

// TestHoldFailoverTwice: a second failover while the program has not resumed
// begins it anew; and a session that is ended meanwhile still sends all.
func TestHoldFailoverTwice(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p1, _ := w.pe("n", nil, Registration{})
		opts := w.process().options()
		opts.HoldFailover = true
		pu, err := Dial(w.ctx, "n", opts)
		w.ok(err)
		p1.kill()
		synctest.Wait()
		w.ok(pu.Send(w.ctx, []byte("a")))
		p2, _ := w.pe("n", nil, Registration{})
		time.Sleep(time.Second)
		p2.kill()
		_, e3 := w.pe("n", nil, Registration{})
		time.Sleep(time.Second)
		for range 2 {
			_, info, err := pu.RecvMessage(w.ctx)
			w.ok(err)
			if info.Notification.Type != FailoverCompleted {
				t.Fatalf("told %v", info.Notification)
			}
			w.ok(pu.Send(w.ctx, fmt.Append(nil, "after ", info.Notification.New == w.nameOf(e3))))
		}
		w.reads("third element, at first", e3, "after true")
		w.ok(pu.Close())
		w.reads("third element, at last", e3, "a", "after false")
	})
}
