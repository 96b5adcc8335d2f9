package socket

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestAbortSession ends one session of an element and leaves the others alone: its
// pool user goes on with another element, here the same one.
func TestAbortSession(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("abort", nil, Registration{})
		one, other := w.pu("abort", all), w.pu("abort", nil)
		w.send(one, 0, "a")
		id := w.reads("element", pe, "a")
		w.send(other, 0, "b")
		kept := w.reads("element", pe, "b")
		w.reads("pool user", one, "SessionAdded")
		w.pe("abort", nil, Registration{})
		w.ok(pe.AbortSession(id))
		if err := pe.TrySend([]byte("x"), &SendInfo{Session: id}); !errors.Is(err, ErrNotConnected) {
			t.Errorf("sending on a session that was aborted: %v", err)
		}
		if err := pe.AbortSession(id); !errors.Is(err, ErrNotConnected) && err != nil {
			t.Errorf("aborted twice: %v", err)
		}
		time.Sleep(time.Second)
		w.reads("pool user", one, "FailoverBegun doubt 1", "FailoverCompleted doubt 1 resent 0")
		w.send(pe, kept, "c")
		w.reads("other pool user", other, "c")
		if err := pe.AbortSession(id); !errors.Is(err, ErrNotConnected) {
			t.Errorf("of a session that is gone: %v", err)
		}
		w.ok(other.AbortSession(0))
		w.ok(other.Connect(w.ctx, "abort"))
	})
}

// TestAbortWhatDoesNotEnd: a graceful end waits for a pool user that does not read,
// and an abort ends the waiting.
func TestAbortWhatDoesNotEnd(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("abort", nil, Registration{})
		pu := w.pu("abort", func(c *Config) { c.ReceiveBuffer = 1 << 16; c.NoFailover = true })
		w.send(pu, 0, "a")
		id := w.reads("element", pe, "a")
		var err error
		for err == nil {
			err = pe.TrySend(make([]byte, 1<<16), &SendInfo{Session: id})
			synctest.Wait()
		}
		w.ok(pe.EndSession(id))
		time.Sleep(time.Minute)
		if allEnded(pe) {
			t.Fatal("the session has ended although nobody reads")
		}
		w.ok(pe.AbortSession(id))
		time.Sleep(time.Second)
		if !allEnded(pe) {
			t.Error("the session has not ended")
		}
	})
}

// allEnded says that nothing is left of the sessions of a socket.
func allEnded(s *Socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table.Quiet()
}

// TestConnAbort: the descriptor of a session tells the end, and is closed as ever.
func TestConnAbort(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().listener("abort", 0)
		pu := w.pu("abort", func(c *Config) { c.NoFailover = true })
		w.send(pu, 0, "a", "b")
		c := w.accept(l)
		w.receives(c, "a")
		w.ok(c.Abort())
		if _, err := c.Recv(w.ctx); err != io.EOF {
			t.Errorf("received: %v", err)
		}
		if err := c.Send(w.ctx, []byte("x")); !errors.Is(err, ErrNotConnected) {
			t.Errorf("sent: %v", err)
		}
		w.ok(c.Abort())
		time.Sleep(time.Second)
		if _, err := pu.TryRecv(nil, nil, 0); err == nil || errors.Is(err, ErrWouldBlock) {
			t.Errorf("pool user: %v", err)
		}
		w.ok(c.Close())
		if err := c.Abort(); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
