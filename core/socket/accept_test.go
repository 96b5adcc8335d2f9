package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// listener is an element whose sessions are accepted.
func (p *process) listener(pool string, backlog int) *Listener {
	p.world.Helper()
	opts := p.options()
	opts.Backlog = backlog
	l, err := Listen(p.world.ctx, pool, opts)
	p.world.ok(err)
	p.world.Cleanup(func() { l.Close() })
	return l
}

func (w *world) accept(l *Listener) *Conn {
	w.Helper()
	c, err := l.Accept(w.ctx)
	w.ok(err)
	return c
}

func (w *world) receives(c *Conn, want string) {
	w.Helper()
	b, err := c.Recv(w.ctx)
	w.ok(err)
	if string(b) != want {
		w.Fatalf("received %q, want %q", b, want)
	}
}

// ready says what the hooks of a session said last.
func ready(c *Conn) (readable, writable *bool) {
	readable, writable = new(bool), new(bool)
	c.Hooks(func(b bool) { *readable = b }, func(b bool) { *writable = b })
	return readable, writable
}

// TestAcceptWithoutWaiting: the socket is readable while a session waits, and
// each session shows for itself what it has.
func TestAcceptWithoutWaiting(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		s := w.process().socket()
		l, err := s.Listen(0)
		w.ok(err)
		log := hook(s)
		w.ok(s.Register(w.ctx, "p", Registration{}))
		if _, err := l.TryAccept(); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("no session yet: %v", err)
		}
		users := []*Conn{w.process().dial("p"), w.process().dial("p")}
		w.edges("connected", &log.readable, false)
		w.ok(users[0].Send(w.ctx, []byte("a")))
		w.edges("first message", &log.readable, true)
		w.ok(users[1].Send(w.ctx, []byte("b")))
		synctest.Wait()
		a, err := l.TryAccept()
		w.ok(err)
		b, err := l.TryAccept()
		w.ok(err)
		w.edges("accepted", &log.readable, false)
		readable, writable := ready(a)
		if !*readable || !*writable {
			w.Errorf("at first readable %v, writable %v", *readable, *writable)
		}
		w.receives(a, "a")
		if _, err := a.TryRecv(nil, nil, 0); !errors.Is(err, ErrWouldBlock) || *readable {
			w.Errorf("after its message: %v, readable %v", err, *readable)
		}
		w.receives(b, "b")
		w.ok(b.Send(w.ctx, []byte("B")))
		w.receives(users[1], "B")
		if st := a.Status(); *readable || st.Unread != 0 {
			w.Errorf("readable %v by another session's messages: %+v", *readable, st)
		}
		w.ok(users[0].Close())
		synctest.Wait()
		if _, err := a.TryRecv(nil, nil, 0); err != io.EOF || !*readable {
			w.Errorf("at the end: %v, readable %v", err, *readable)
		}
		if err := a.TrySend([]byte("late"), nil); !errors.Is(err, ErrNotConnected) {
			w.Errorf("sending after the end: %v", err)
		}
		w.ok(a.Close())
		if _, err := a.TryRecv(nil, nil, 0); !errors.Is(err, ErrClosed) {
			w.Errorf("closed: %v", err)
		}
	})
}

// TestWritableOfOneSession: a full one is shown by its own hook alone.
func TestWritableOfOneSession(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		opts := w.process().options()
		opts.SendBuffer = 2000
		l, err := Listen(w.ctx, "p", opts)
		w.ok(err)
		defer l.Close()
		log := hook(l.s)
		small := w.process().options()
		small.ReceiveBuffer = 2000
		pu, err := Dial(w.ctx, "p", small)
		w.ok(err)
		defer pu.Close()
		w.ok(pu.Send(w.ctx, []byte("x")))
		c := w.accept(l)
		_, writable := ready(c)
		sent := 0
		for ; err == nil; sent++ {
			err = c.TrySend(make([]byte, 500), nil)
		}
		if !errors.Is(err, ErrWouldBlock) || *writable {
			w.Fatalf("after %d messages %v, writable %v", sent, err, *writable)
		}
		for range sent - 1 {
			_, err := pu.Recv(w.ctx)
			w.ok(err)
		}
		synctest.Wait()
		if !*writable {
			w.Error("not writable again")
		}
		w.edges("of the socket", &log.writable, true)
	})
}

// TestBacklog: what exceeds it waits in the transport, and nothing is lost.
func TestBacklog(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain %v", plain), func(t *testing.T) { run(t, func(w *world) { w.backlog(plain) }) })
	}
}

func (w *world) backlog(plain bool) {
	const users, messages = 6, 20
	w.process().registrar()
	p := w.process()
	p.plain = plain
	l := p.listener("p", 2)
	var hosts []*process
	for u := range users {
		hosts = append(hosts, w.process())
		c := hosts[u].dial("p")
		for i := range messages {
			w.ok(c.Send(w.ctx, fmt.Appendf(nil, "%d %d", u, i)))
		}
	}
	hosts[users-1].kill() // the transport gives out what it has when an association ends
	synctest.Wait()
	var unread []int
	for _, st := range l.Status().Sessions {
		unread = append(unread, st.Unread)
	}
	if want := []int{messages, messages, 1, 1, 1, messages}; !plain && !slices.Equal(unread, want) {
		w.Errorf("unread messages of the sessions are %v, want %v", unread, want)
	}
	for u := range users {
		c := w.accept(l)
		for i := range messages {
			w.receives(c, fmt.Sprintf("%d %d", u, i))
		}
	}
	if _, err := l.TryAccept(); !errors.Is(err, ErrWouldBlock) {
		w.Errorf("one session too many: %v", err)
	}
}

// TestBacklogThatNobodyServes is bounded; a larger one lets more in.
func TestBacklogThatNobodyServes(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("p", 1)
		for range 3 {
			c := w.process().dial("p")
			w.ok(c.Send(w.ctx, []byte("a")))
			w.ok(c.Send(w.ctx, []byte("b")))
		}
		synctest.Wait()
		_, err := l.s.Listen(2)
		w.ok(err)
		synctest.Wait()
		for i, want := range []int{2, 2, 1} {
			if got := l.Status().Sessions[i].Unread; got != want {
				w.Errorf("session %d has %d messages, want %d", i, got, want)
			}
		}
	})
}

// TestSessionsThatEndBeforeAccept: what they said can be read; one that said
// nothing is not returned.
func TestSessionsThatEndBeforeAccept(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("p", 1)
		for i := range 3 {
			c := w.process().dial("p")
			w.ok(c.Send(w.ctx, fmt.Append(nil, i)))
			w.ok(c.Send(w.ctx, []byte("more")))
			w.ok(c.Close())
		}
		synctest.Wait()
		l.s.mu.Lock()
		l.s.table.Finish(time.Now(), l.s.table.Sessions()[1]) // as Drain does
		l.s.mu.Unlock()
		for _, i := range []string{"0", "2"} {
			c := w.accept(l)
			w.receives(c, i)
			w.receives(c, "more")
			if _, err := c.Recv(w.ctx); err != io.EOF {
				w.Errorf("then %v", err)
			}
		}
		if _, err := l.TryAccept(); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("after the last: %v", err)
		}
	})
}

// TestLostUser: that its pool user is gone is not the end of a session in peace.
func TestLostUser(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("p", 0)
		p := w.process()
		w.ok(p.dial("p").Send(w.ctx, []byte("x")))
		c := w.accept(l)
		w.receives(c, "x")
		w.ok(c.Send(w.ctx, []byte("y")))
		p.kill()
		synctest.Wait()
		if err := c.Send(w.ctx, []byte("z")); !errors.Is(err, ErrNotConnected) {
			w.Errorf("sending: %v", err)
		}
		if _, err := c.Recv(w.ctx); err == nil || err == io.EOF {
			w.Errorf("the end is %v", err)
		}
	})
}

// TestDetach: the sessions that were accepted live on without the listener, all
// others go to another element, and the socket ends with the last one.
func TestDetach(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		p := w.process()
		l := p.listener("p", 0)
		users := []*Conn{w.process().dial("p"), w.process().dial("p"), w.process().dial("p")}
		for _, c := range users[:2] {
			w.ok(c.Send(w.ctx, []byte("hello")))
		}
		conns := []*Conn{w.accept(l), w.accept(l)}
		waiting := w.process().dial("p")
		w.ok(waiting.Send(w.ctx, []byte("in doubt")))
		synctest.Wait()
		next := w.process().echo("p", Registration{})

		w.ok(l.Detach(w.ctx))
		if err := l.Detach(w.ctx); !errors.Is(err, ErrClosed) {
			w.Errorf("again: %v", err)
		}
		if pools := r.Pools(); len(pools) != 1 || len(pools[0].Elements) != 1 {
			w.Errorf("the pool is %+v", pools)
		}
		for i, c := range conns {
			w.receives(c, "hello")
			w.ok(c.Send(w.ctx, []byte("still here")))
			w.receives(users[i], "still here")
			w.ok(users[i].Send(w.ctx, []byte("me too")))
			w.receives(c, "me too")
		}
		w.exchange(waiting, "after")
		w.ok(users[2].Send(w.ctx, []byte("too late, in doubt"))) // was connected, but had said nothing
		time.Sleep(time.Second)
		if pe := w.exchange(users[2], "again"); pe != next.Name().PE {
			w.Errorf("a user that comes late is with %v", pe)
		}

		w.ok(conns[0].CloseContext(w.ctx))
		if p.endpoints[0].LocalAddrs() == nil || l.s.closed {
			w.Error("the socket is closed with the first session")
		}
		w.ok(conns[1].Close())
		if !l.s.closed {
			w.Error("the socket outlives the last session")
		}
		for _, c := range users[:2] {
			if pe := w.exchange(c, "elsewhere"); pe != next.Name().PE {
				w.Errorf("it is with %v", pe)
			}
		}
	})
}

// TestDetachWithoutSessions closes the socket.
func TestDetachWithoutSessions(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("p", 0)
		accepting := make(chan error)
		go func() { _, err := l.Accept(w.ctx); accepting <- err }()
		synctest.Wait()
		w.ok(l.Detach(w.ctx))
		if err := <-accepting; !errors.Is(err, ErrClosed) {
			w.Errorf("Accept returns %v", err)
		}
		if !l.s.closed {
			w.Error("the socket is open")
		}
		if _, err := l.TryAccept(); !errors.Is(err, ErrClosed) {
			w.Errorf("TryAccept returns %v", err)
		}
		if _, err := l.s.Listen(1); !errors.Is(err, ErrClosed) {
			w.Errorf("Listen returns %v", err)
		}
		s := w.process().socket() // was never registered
		l, err := s.Listen(1)
		w.ok(err)
		w.ok(l.Detach(w.ctx))
	})
}

// TestCloseContextOfASession waits until what was sent has arrived.
func TestCloseContextOfASession(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("p", 0)
		p := w.process()
		pu := p.dial("p")
		w.ok(pu.Send(w.ctx, []byte("x")))
		c := w.accept(l)
		p.freeze()
		w.ok(c.Send(w.ctx, []byte("bye")))
		ctx, cancel := context.WithTimeout(w.ctx, 100*time.Millisecond)
		defer cancel()
		if err := c.CloseContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("closing towards a hung process: %v", err)
		}
		if err := c.CloseContext(w.ctx); !errors.Is(err, ErrClosed) {
			w.Errorf("again: %v", err)
		}
	})
}

// TestDrainOfAListener: the sessions move, and for the element that is their end.
func TestDrainOfAListener(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("p", 0)
		pu := w.process().dial("p")
		w.ok(pu.Send(w.ctx, []byte("x")))
		c := w.accept(l)
		w.receives(c, "x")
		next := w.process().echo("p", Registration{})
		w.ok(l.Drain(w.ctx))
		if _, err := c.Recv(w.ctx); err != io.EOF {
			w.Errorf("drained: %v", err)
		}
		if pe := w.exchange(pu, "y"); pe != next.Name().PE {
			w.Errorf("it is with %v", pe)
		}
	})
}

func TestListenRefusals(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("p", nil, Registration{})
		if _, err := pe.Listen(1); !errors.Is(err, ErrInvalid) {
			w.Errorf("registered: %v", err)
		}
		pu := w.pu("p", nil)
		if _, err := pu.Listen(1); !errors.Is(err, ErrConnected) {
			w.Errorf("connected: %v", err)
		}
		s := w.process().socket()
		if _, err := s.Listen(-1); !errors.Is(err, ErrInvalid) {
			w.Errorf("negative: %v", err)
		}
		_, err := s.Listen(session.MaxWaiting + 1)
		w.ok(err)
		if n := s.table.Backlog(); n != session.MaxWaiting {
			w.Errorf("the backlog is %d", n)
		}
		if err := s.Connect(w.ctx, "p"); !errors.Is(err, ErrConnected) {
			w.Errorf("connecting: %v", err)
		}
	})
}
