package socket

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// TestFailedRegisterIsToldOnce by Register itself: closing the socket then says
// nothing more about it.
func TestFailedRegisterIsToldOnce(t *testing.T) {
	run(t, func(w *world) {
		var log bytes.Buffer
		cfg := w.process().config()
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
		cfg.NoEmbedded = true
		s, err := NewSocket(cfg, "ip4")
		w.ok(err)
		if err := s.Register(w.ctx, "p", Registration{}); !errors.Is(err, ErrNoRegistrar) {
			w.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		s.Close()
		if log.Len() > 0 {
			w.Errorf("it says %s", &log)
		}
	})
}

// TestFailureTellsTheHooks: what the machine's timer ends must show on the
// descriptor as well.
func TestFailureTellsTheHooks(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, element := w.pe("p", nil, Registration{})
		s := w.pu("p", func(c *Config) { c.FailoverLimit = time.Second })
		readable := false
		s.Hooks(func(on bool) { readable = on }, func(bool) {})
		w.send(s, 0, "x")
		w.ok(element.Close())
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if !readable {
			w.Error("the socket whose session failed is not readable")
		}
	})
}
