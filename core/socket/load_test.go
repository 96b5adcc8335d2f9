package socket

import (
	"errors"
	"testing"
	"time"
)

// TestSetLoad: the newest values reach the registrar, the first at once and
// then once per interval.
func TestSetLoad(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		_, s := w.pe("p", func(c *Config) { c.LoadInterval = 10 * time.Second }, Registration{Policy: Policy{Type: LeastUsed}})
		load := func() uint32 { return r.Pools()[0].Elements[0].Policy.Load }
		set := func(load uint32) { w.ok(s.SetLoad(Policy{Type: LeastUsed, Load: load})) }
		at := func(wait time.Duration, want uint32) {
			w.Helper()
			time.Sleep(wait)
			if got := load(); got != want {
				w.Errorf("load %d, want %d", got, want)
			}
		}
		set(1)
		at(time.Second, 1)
		set(2)
		set(3)
		at(8*time.Second, 1)
		at(2*time.Second, 3)
		set(4)
		at(11*time.Second, 4)
		if err := s.SetLoad(Policy{Type: Random}); !errors.Is(err, ErrInvalid) {
			w.Errorf("another policy: %v", err)
		}
		w.ok(s.Deregister(w.ctx))
		if err := s.SetLoad(Policy{Type: LeastUsed}); !errors.Is(err, ErrNotRegistered) {
			w.Errorf("after deregistration: %v", err)
		}
	})
}

func TestSetPoolKey(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		s, err := NewSocket(w.process().config(), "ip4")
		w.ok(err)
		defer s.Close()
		if err := s.SetPoolKey(make([]byte, 15)); !errors.Is(err, ErrInvalid) {
			w.Errorf("a short key: %v", err)
		}
		w.ok(s.SetPoolKey(make([]byte, 16)))
		w.ok(s.Register(w.ctx, "p", Registration{}))
		if err := s.SetPoolKey(nil); !errors.Is(err, ErrRegistered) {
			w.Errorf("too late: %v", err)
		}
	})
}
