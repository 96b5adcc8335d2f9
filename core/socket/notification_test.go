package socket

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func all(c *Config) { c.Notifications = NotifyAll }

// TestNotifications come in order with the messages, at both ends.
// SEC-2.9-01: the program learns of the new element.
func TestNotifications(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p1, e1 := w.pe("n", all, Registration{})
		pu := w.pu("n", all)
		w.send(pu, 0, "a", "b")
		id := w.reads("element", e1, "SessionAdded", "a", "b")
		w.send(e1, id, "A")
		w.reads("user", pu, "SessionAdded", "A")
		_, e2 := w.pe("n", all, Registration{})
		for _, ep := range p1.endpoints {
			ep.Freeze() // what is sent now does not arrive
		}
		w.send(pu, 0, "c")
		p1.kill()
		time.Sleep(time.Second)
		w.reads("user", pu, "FailoverBegun doubt 1", "FailoverCompleted doubt 1 resent 1")
		w.reads("second element", e2, "SessionAdded", "c")
		w.ok(pu.EndSession(0))
		time.Sleep(time.Second)
		w.reads("user, which ended it itself", pu)
		w.reads("second element, at the end", e2, "SessionRemoved")
	})
}

// TestNoNotificationsByDefault, and those that are asked for name the elements.
func TestNoNotificationsByDefault(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p1, e1 := w.pe("n", nil, Registration{})
		pu := w.pu("n", nil)
		w.send(pu, 0, "a")
		w.reads("element", e1, "a")
		o, err := pu.SessionOptions(0)
		w.ok(err)
		o.Notifications = NotifyFailover
		w.ok(pu.SetSessionOptions(0, o))
		_, e2 := w.pe("n", nil, Registration{})
		old, _ := e1.LocalName()
		p1.kill()
		synctest.Wait()
		var info RecvInfo
		_, err = pu.TryRecv(nil, &info, 0)
		w.ok(err)
		if n := info.Notification; n.Type != FailoverBegun || n.Old != old.PE || n.Err == nil {
			t.Errorf("begun: %+v", n)
		}
		time.Sleep(time.Second)
		_, err = pu.TryRecv(nil, &info, 0)
		w.ok(err)
		next, _ := e2.LocalName()
		if n := info.Notification; n.Type != FailoverCompleted || n.Old != old.PE || n.New != next.PE {
			t.Errorf("completed: %+v", n)
		}
		w.send(pu, 0, "b")
		w.reads("second element", e2, "b")
	})
}

// TestWhoWantsMessagesGetsMessages: Recv and a nil RecvInfo pass over the rest.
func TestWhoWantsMessagesGetsMessages(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("n", all, Registration{})
		opts := w.process().options()
		opts.Notifications = NotifyAll
		c, err := Dial(w.ctx, "n", opts)
		w.ok(err)
		w.ok(c.Send(w.ctx, []byte("x")))
		synctest.Wait()
		buf := make([]byte, 9)
		if n, err := pe.TryRecv(buf, nil, 0); err != nil || string(buf[:n]) != "x" {
			t.Errorf("got %q, %v", buf[:n], err)
		}
		if _, err := pe.TryRecv(buf, nil, 0); !errors.Is(err, ErrWouldBlock) {
			t.Errorf("then %v", err)
		}
		w.ok(pe.TrySend([]byte("y"), &SendInfo{Session: 1}))
		if b, err := c.Recv(w.ctx); err != nil || string(b) != "y" {
			t.Errorf("got %q, %v", b, err)
		}
	})
}

// TestSessionsThatEndSaySo to those who read them one by one.
func TestSessionsThatEndSaySo(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		opts := w.process().options()
		opts.Notifications = NotifyAll
		l, err := Listen(w.ctx, "n", opts)
		w.ok(err)
		defer l.Close()
		c := w.process().dial("n")
		w.ok(c.Send(w.ctx, []byte("x")))
		in, err := l.Accept(w.ctx)
		w.ok(err)
		w.ok(c.Close())
		for _, want := range []string{"SessionAdded", "x", "SessionRemoved"} {
			b, info, err := in.RecvMessage(w.ctx)
			w.ok(err)
			if got := got(info, b); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		if _, err := in.Recv(w.ctx); !errors.Is(err, io.EOF) {
			t.Errorf("then %v", err)
		}
	})
}
