package socket

import (
	"errors"
	"testing"
	"time"
)

// TestAfterClose: whatever is done with what was closed says so, at once.
func TestAfterClose(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.process().echo("echo", Registration{})
		c := w.process().dial("echo")
		w.exchange(c, "x")
		id := c.Status().ID
		s := c.s
		began := time.Now()
		w.ok(c.Close())
		buf := make([]byte, 10)
		for name, call := range map[string]func() error{
			"Conn.Close":         func() error { return c.Close() },
			"Conn.TryRecv":       func() error { _, err := c.TryRecv(buf, nil, 0); return err },
			"Conn.Recv":          func() error { _, err := c.Recv(w.ctx); return err },
			"Conn.RecvMessage":   func() error { _, _, err := c.RecvMessage(w.ctx); return err },
			"Conn.TrySend":       func() error { return c.TrySend(buf, nil) },
			"Conn.Send":          func() error { return c.Send(w.ctx, buf) },
			"Conn.TrySendCookie": func() error { return c.TrySendCookie(nil) },
			"Conn.TrySendBatch":  func() error { _, err := c.TrySendBatch([]Message{{Data: buf}}); return err },
			"Conn.SetOptions":    func() error { return c.SetOptions(SessionOptions{}) },
			"TryRecv":            func() error { _, err := s.TryRecv(buf, nil, 0); return err },
			"TrySend":            func() error { return s.TrySend(buf, nil) },
			"TrySendBatch":       func() error { _, err := s.TrySendBatch([]Message{{Data: buf}}); return err },
			"SendCookie":         func() error { return s.SendCookie(id, nil) },
			"Bind":               func() error { return s.Bind(loopback) },
			"Connect":            func() error { return s.Connect(w.ctx, "echo") },
			"Register":           func() error { return s.Register(w.ctx, "echo", Registration{}) },
			"SetOptions":         func() error { return s.SetOptions(SessionOptions{}) },
			"SetSessionOptions":  func() error { return s.SetSessionOptions(id, SessionOptions{}) },
			"SessionOptions":     func() error { _, err := s.SessionOptions(id); return err },
			"LocalName":          func() error { _, err := s.LocalName(); return err },
			"PeerName":           func() error { _, err := s.PeerName(id); return err },
			"EndSession":         func() error { return s.EndSession(id) },
			"AbortSession":       func() error { return s.AbortSession(id) },
			"AwaitRoom":          func() error { return s.AwaitRoom(w.ctx, id) },
			"Resume":             func() error { return s.Resume(id) },
			"Stats":              func() error { _, err := s.Stats(id); return err },
		} {
			if err := call(); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
