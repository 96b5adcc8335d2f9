package socket

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// What SessionOptions says of buffers.
const (
	messageCost = 256
	minBuffer   = 4096
)

// TestASlowSessionStallsNobody: its pool user has to wait; other sessions of
// the element go on, and so does the registrar's supervision.
func TestASlowSessionStallsNobody(t *testing.T) {
	t.Run("lends", func(t *testing.T) { slowSession(t, false) })
	t.Run("holds", func(t *testing.T) { slowSession(t, true) })
}

func slowSession(t *testing.T, holds bool) {
	run(t, func(w *world) {
		r := w.process().registrar()
		p := w.process()
		p.holds = holds
		opts := p.options()
		opts.ReceiveBuffer, opts.SendBuffer = 10_000, 10_000
		l, err := Listen(w.ctx, "p", opts)
		w.ok(err)
		defer l.Close()
		slow := w.pu("p", func(c *Config) { c.SendBuffer = 10_000 })
		sent := 0
		for ; err == nil; sent++ {
			err = slow.TrySend(fmt.Appendf(make([]byte, 0, 100), "%0100d", sent), nil)
			synctest.Wait()
		}
		sent--
		if !errors.Is(err, ErrWouldBlock) || sent < 100 || sent > 202 {
			w.Fatalf("after %d messages of 100 bytes: %v; two buffers of 10,000 bytes hold 200", sent, err)
		}
		unread, err := l.Accept(w.ctx)
		w.ok(err)
		if n := unread.Status().Unread; n > 101 {
			w.Errorf("%d messages of 100 bytes are kept, 10,000 bytes are allowed", n)
		}
		quick := w.process().dial("p")
		w.ok(quick.Send(w.ctx, []byte("hello")))
		c, err := l.Accept(w.ctx)
		w.ok(err)
		for range 100 {
			b, err := c.Recv(w.ctx)
			w.ok(err)
			w.ok(c.Send(w.ctx, b))
			b, err = quick.Recv(w.ctx)
			w.ok(err)
			w.ok(quick.Send(w.ctx, b))
			time.Sleep(time.Second)
		}
		if p := r.Pools(); len(p) != 1 || !l.Status().Registered {
			w.Errorf("the registrar knows %+v", p)
		}
		for i := range sent {
			b, err := unread.Recv(w.ctx)
			w.ok(err)
			if string(b) != fmt.Sprintf("%0100d", i) {
				w.Fatalf("message %d is %s", i, b)
			}
		}
		w.ok(slow.TrySend([]byte("room again"), nil))
		b, err := unread.Recv(w.ctx)
		if w.ok(err); string(b) != "room again" {
			w.Errorf("got %q", b)
		}
	})
}

// TestControlDoesNotWaitForTheProgram: an element whose program reads nothing
// answers its registrar, whatever its transport can do for it, and takes the cookies of its
// own element.
func TestControlDoesNotWaitForTheProgram(t *testing.T) {
	for _, holds := range []bool{false, true} {
		run(t, func(w *world) {
			r := w.process().registrar()
			p := w.process()
			p.holds = holds
			s := p.socket()
			o := s.Options()
			o.ReceiveBuffer = minBuffer
			w.ok(s.SetOptions(o))
			w.ok(s.Register(w.ctx, "deaf", Registration{}))
			for range 20 {
				pu := w.pu("deaf", nil)
				for pu.TrySend(make([]byte, 1000), nil) == nil {
					synctest.Wait()
				}
			}
			for range 60 {
				time.Sleep(time.Second)
				if ps := r.Pools(); len(ps) != 1 || len(ps[0].Elements) != 1 || !s.Status().Registered {
					w.Fatalf("the registrar knows %+v", ps)
				}
			}
			kept := 0
			for _, st := range s.Status().Sessions {
				stats, err := s.Stats(st.ID)
				w.ok(err)
				kept += stats.Receiving.Bytes + stats.Receiving.Messages*messageCost
			}
			if kept > 20*(minBuffer+1000+6*messageCost) {
				w.Errorf("20 sessions with buffers of %d bytes keep %d", minBuffer, kept)
			}
		})
	}
}

// TestACookieOvertakesData that nobody reads.
func TestACookieOvertakesData(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("c", nil, Registration{})
		pu := w.pu("c", nil)
		w.send(pu, 0, "hello")
		id := w.reads("element", pe, "hello")
		for range 100 {
			w.ok(pe.TrySend(make([]byte, 1000), &SendInfo{Session: id}))
		}
		w.ok(pe.SendCookie(id, []byte("state")))
		synctest.Wait()
		if n := pu.Status().Sessions[0].Unread; n != 100 {
			w.Errorf("%d messages are unread", n)
		}
		p2, e2 := w.pe("c", nil, Registration{})
		_ = p2
		w.ok(pe.Close())
		synctest.Wait()
		time.Sleep(time.Second)
		b := make([]byte, 100)
		var info RecvInfo
		if n, err := e2.TryRecv(b, &info, 0); err != nil || !info.CookieEcho || string(b[:n]) != "state" {
			w.Errorf("the next element received %q, %+v, %v", b[:n], info, err)
		}
	})
}

// TestEndsOfSessionsThatAreNotRead are noticed, and what they held is let go.
func TestEndsOfSessionsThatAreNotRead(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		opts := w.process().options()
		opts.ReceiveBuffer = minBuffer
		l, err := Listen(w.ctx, "p", opts)
		w.ok(err)
		defer l.Close()
		var conns []*Conn
		for range 3 {
			p := w.process()
			c := p.dial("p")
			for i := range 30 {
				w.ok(c.Send(w.ctx, fmt.Appendf(nil, "%0100d", i)))
			}
			in, err := l.Accept(w.ctx)
			w.ok(err)
			conns = append(conns, in)
			switch len(conns) {
			case 1:
				p.kill()
			case 2:
				w.ok(in.Close())
			}
		}
		synctest.Wait()
		if _, err := conns[1].Recv(w.ctx); !errors.Is(err, ErrClosed) {
			w.Errorf("closed: %v", err)
		}
		n := 0
		for {
			if _, err = conns[0].Recv(w.ctx); err != nil {
				break
			}
			n++
		}
		if n < 10 {
			w.Errorf("%d messages of a user that died, %v", n, err)
		}
		for i := range 30 {
			b, err := conns[2].Recv(w.ctx)
			w.ok(err)
			if string(b) != fmt.Sprintf("%0100d", i) {
				w.Fatalf("message %d is %s", i, b)
			}
		}
		if l.s.table.Stuck() {
			w.Error("sessions are stuck")
		}
	})
}
