package socket

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestDrain: sessions move to another element while their pool users go on
// talking; every line is answered once, in order.
func TestDrain(t *testing.T) {
	for _, work := range []time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond} {
		run(t, func(w *world) {
			r := w.process().registrar()
			slow := func(l *Listener) {
				for {
					c, err := l.Accept(w.ctx)
					if err != nil {
						return
					}
					go func() {
						for {
							b, err := c.Recv(w.ctx)
							if err != nil {
								return
							}
							sleep(w.ctx, work)
							if c.Send(w.ctx, fmt.Appendf(nil, "%v %s", l.Name().PE, b)) != nil {
								w.Errorf("cannot answer %s", b)
								return
							}
						}
					}()
				}
			}
			listen := func() *Listener {
				l, err := Listen(w.ctx, "d", w.process().options())
				w.ok(err)
				w.Cleanup(func() { l.Close() })
				go slow(l)
				return l
			}
			first := listen()
			name := first.Name()
			opts := w.process().options()
			opts.Notifications = NotifyFailover | NotifyShutdown
			c, err := Dial(w.ctx, "d", opts)
			w.ok(err)
			defer c.Close()
			const lines = 200
			go func() {
				for i := range lines {
					if err := c.Send(w.ctx, fmt.Appendf(nil, "%d", i)); err != nil {
						w.Error(err)
						return
					}
					sleep(w.ctx, 10*time.Millisecond)
				}
			}()
			second := listen()
			var drained sync.WaitGroup
			time.Sleep(500 * time.Millisecond)
			drained.Go(func() { w.ok(first.Drain(w.ctx)) })
			told := ""
			for next := 0; next < lines; {
				b, info, err := c.RecvMessage(w.ctx)
				w.ok(err)
				if n := info.Notification; n != nil {
					told += n.Type.String() + " "
					if n.InDoubt > 0 || n.Err != nil {
						w.Errorf("%+v", n)
					}
					continue
				}
				if string(b[len("0x00000000 "):]) != fmt.Sprint(next) {
					w.Errorf("answer %q, want %d", b, next)
					return
				}
				next++
			}
			drained.Wait()
			if told != "Shutdown FailoverBegun FailoverCompleted " || c.Peer() != second.Name() || c.Peer() == name {
				w.Errorf("told %s; served by %v", told, c.Peer())
			}
			if p := r.Pools(); len(p) != 1 || len(p[0].Elements) != 1 {
				w.Errorf("pools %+v", p)
			}
		})
	}
}

// TestDrainWithFinalCookies: the element leaves a last cookie and ends the
// session itself; state and messages move together.
func TestDrainWithFinalCookies(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, e1 := w.pe("d", all, Registration{})
		pu := w.pu("d", nil)
		w.send(pu, 0, "a", "b")
		id := w.reads("first", e1, "SessionAdded", "a", "b")
		w.ok(e1.SendCookie(id, []byte("a and b")))
		_, e2 := w.pe("d", nil, Registration{})
		done := make(chan error)
		go func() { done <- e1.Drain(w.ctx) }()
		w.reads("first", e1, "Shutdown")
		w.send(pu, 0, "c") // waits for the next element
		w.reads("first", e1)
		w.ok(e1.SendCookie(id, []byte("final")))
		w.ok(e1.EndSession(id))
		w.ok(<-done)
		time.Sleep(time.Second)
		w.reads("second", e2, "echo final", "c")
	})
}

// TestDrainKeepsTheLastCookie where the program leaves no other, and goes on
// without one where there never was one.
func TestDrainKeepsTheLastCookie(t *testing.T) {
	for _, cookie := range []string{"state", ""} {
		run(t, func(w *world) {
			w.process().registrar()
			_, e1 := w.pe("d", nil, Registration{})
			pu := w.pu("d", nil)
			w.send(pu, 0, "a")
			id := w.reads("first", e1, "a")
			want := []string{"b"}
			if cookie != "" {
				w.ok(e1.SendCookie(id, []byte(cookie)))
				want = []string{"echo state", "b"}
			}
			_, e2 := w.pe("d", nil, Registration{})
			w.ok(e1.Drain(w.ctx))
			w.send(pu, 0, "b")
			time.Sleep(time.Second)
			w.reads("second", e2, want...)
		})
	}
}

// TestDrainEndsInTime: a program that reads nothing cannot hold it up for ever.
func TestDrainEndsInTime(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, e1 := w.pe("d", nil, Registration{})
		pu := w.pu("d", nil)
		w.send(pu, 0, "never read")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
		defer cancel()
		if err := e1.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("got %v", err)
		}
		synctest.Wait()
		if n := len(e1.Status().Sessions); n > 0 {
			w.Errorf("%d sessions are left", n)
		}
		if err := e1.Drain(w.ctx); !errors.Is(err, ErrNotRegistered) {
			w.Errorf("again: %v", err)
		}
	})
}
