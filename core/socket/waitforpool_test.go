package socket

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// startsLater runs f after a while, in a process of its own.
func (w *world) startsLater(after time.Duration, f func(p *process)) {
	p := w.process()
	go func() {
		time.Sleep(after)
		f(p)
	}()
}

// TestOrderOfStartDoesNotMatter: pool users before any registrar, and elements
// before their registrar.
func TestOrderOfStartDoesNotMatter(t *testing.T) {
	run(t, func(w *world) {
		w.startsLater(time.Second, func(p *process) { p.echo("echo", Registration{}) }) // embeds the registrar
		w.exchange(w.process().dial("echo"), "first")
		w.startsLater(time.Second, func(p *process) { p.echo("other", Registration{}) })
		es, err := Resolve(w.ctx, "other", w.process().options())
		if err != nil || len(es) != 1 {
			w.Errorf("resolved %v, %v", es, err)
		}
	})
	run(t, func(w *world) {
		for _, pool := range []string{"one", "two"} {
			w.startsLater(0, func(p *process) {
				opts := p.options()
				opts.NoEmbedded = true
				l, err := Listen(w.ctx, pool, opts)
				w.ok(err)
				w.Cleanup(func() { l.Close() })
			})
		}
		w.startsLater(time.Second, func(p *process) {
			r := p.registrar()
			w.Cleanup(func() { r.Close() })
		})
		for _, pool := range []string{"one", "two"} {
			_, err := Resolve(w.ctx, pool, w.process().options())
			w.ok(err)
		}
	})
}

// waiting tries the three things that wait, and wants the same of all.
func (w *world) waiting(what string, wait *time.Duration, took time.Duration, want error) {
	w.Helper()
	opts := w.process().options()
	opts.WaitForPool, opts.NoEmbedded = wait, true
	calls := map[string]func(context.Context) error{
		"Dial":    func(ctx context.Context) error { _, err := Dial(ctx, "nowhere", opts); return err },
		"Resolve": func(ctx context.Context) error { _, err := Resolve(ctx, "nowhere", opts); return err },
		"Listen":  func(ctx context.Context) error { _, err := Listen(ctx, "nowhere", opts); return err },
	}
	if want == ErrUnknownPool {
		delete(calls, "Listen")
	}
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
		start := time.Now()
		switch err := call(ctx); {
		case !errors.Is(err, want):
			w.Errorf("%s, %s: got %v, want %v", what, name, err, want)
		case want == ErrUnknownPool && !strings.Contains(err.Error(), `"nowhere"`):
			w.Errorf("%s, %s: %v names no pool", what, name, err)
		}
		if d := time.Since(start); d != took {
			w.Errorf("%s, %s: took %v, want %v", what, name, d, took)
		}
		cancel()
	}
}

func TestWaitForPool(t *testing.T) {
	run(t, func(w *world) {
		for _, want := range []error{ErrNoRegistrar, ErrUnknownPool} {
			w.waiting("by default", nil, 2*time.Second, want)
			w.waiting("not at all", new(time.Duration(0)), 0, want)
			w.waiting("for a while", new(7*time.Second), 7*time.Second, want)
			w.waiting("for ever", new(time.Duration(-1)), 20*time.Second, want)
			w.Setenv("RSERPOOL_WAIT", "3")
			w.waiting("by the environment", nil, 3*time.Second, want)
			w.Setenv("RSERPOOL_WAIT", "-1")
			w.waiting("by the environment, for ever", nil, 20*time.Second, want)
			w.Setenv("RSERPOOL_WAIT", "")
			if want == ErrNoRegistrar {
				w.process().registrar()
			}
		}
		w.Setenv("RSERPOOL_WAIT", "soon")
		if _, err := ConfigFromEnv(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "RSERPOOL_WAIT") {
			w.Errorf("got %v", err)
		}
	})
}

// TestWaitForPoolOfAQuery: a Query and a setting made later count.
func TestWaitForPoolOfAQuery(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		r, err := NewResolver(w.process().options())
		w.ok(err)
		defer r.Close()
		start := time.Now()
		_, err = r.Resolve(w.ctx, "nowhere", Query{WaitForPool: new(5 * time.Second)})
		if took := time.Since(start); !errors.Is(err, ErrUnknownPool) || took != 5*time.Second {
			w.Errorf("query: %v after %v", err, took)
		}
		s := w.process().socket()
		if s.WaitForPool() != 2*time.Second {
			w.Errorf("waits %v", s.WaitForPool())
		}
		s.SetWaitForPool(0)
		start = time.Now()
		if err := s.Connect(w.ctx, "nowhere"); !errors.Is(err, ErrUnknownPool) || time.Since(start) > 0 {
			w.Errorf("socket: %v after %v", err, time.Since(start))
		}
	})
}

// TestCloseEndsTheWait of a socket that would wait for ever, with its registrar and
// without.
func TestCloseEndsTheWait(t *testing.T) {
	run(t, func(w *world) {
		for i := range 2 {
			s := w.process().socket()
			s.SetWaitForPool(-1)
			time.AfterFunc(time.Hour, func() { s.Close() })
			if err := s.Connect(context.Background(), "nowhere"); !errors.Is(err, ErrClosed) {
				w.Errorf("got %v", err)
			}
			if i == 0 {
				w.process().registrar()
			}
		}
	})
}
