package socket

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// TestEmbeddedRegistrar: with nothing configured, the first element starts a
// registrar inside its process, the others find it.
func TestEmbeddedRegistrar(t *testing.T) {
	run(t, func(w *world) {
		a, b := w.process(), w.process()
		l := a.echo("echo", Registration{})
		b.echo("echo", Registration{})
		if len(a.embedded) != 1 || len(b.embedded) != 0 {
			w.Errorf("%d and %d registrars inside the processes, want 1 and 0", len(a.embedded), len(b.embedded))
		}
		es, err := Resolve(w.ctx, "echo", w.process().options())
		w.ok(err)
		if len(es) != 2 {
			w.Errorf("the pool has %d elements, want 2", len(es))
		}
		// A second element of the process shares it, and it ends with the last.
		l2 := a.echo("other", Registration{})
		w.ok(l.Close())
		w.exchange(w.process().dial("other"), "hello")
		w.ok(l2.Close())
		if len(a.embedded) != 0 {
			w.Error("the registrar outlives the elements of its process")
		}
	})
}

// TestEmbeddedRegistrarMovesOn: when the process that embeds it dies, another
// one takes its place, the elements register again and sessions fail over.
func TestEmbeddedRegistrarMovesOn(t *testing.T) {
	run(t, func(w *world) {
		var processes []*process
		elements := map[PEID]*process{}
		for range 4 {
			p := w.process()
			processes = append(processes, p)
			elements[p.echo("echo", Registration{}).Name().PE] = p
		}
		c := w.process().dial("echo")
		w.exchange(c, "before")
		for alive := 3; alive > 0; alive-- {
			for _, p := range processes {
				if len(p.embedded) == 1 && !p.dead {
					p.kill()
					break
				}
			}
			w.exchange(c, "meanwhile")
			time.Sleep(10 * time.Second)
			es, err := Resolve(w.ctx, "echo", w.process().options())
			w.ok(err)
			if len(es) != alive {
				w.Fatalf("%d elements live, %d are registered again", alive, len(es))
			}
		}
	})
}

func TestEmbeddedRegistrarCanBeForbidden(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		opts := p.options()
		opts.NoEmbedded = true
		if _, err := Listen(w.ctx, "echo", opts); !errors.Is(err, ErrNoRegistrar) || len(p.embedded) != 0 {
			w.Errorf("by the configuration: got %v", err)
		}
		w.Setenv("RSERPOOL_EMBEDDED", "off")
		if _, err := Listen(w.ctx, "echo", p.options()); !errors.Is(err, ErrNoRegistrar) || len(p.embedded) != 0 {
			w.Errorf("by the environment: got %v", err)
		}
	})
}

// TestPoolUserStartsNoRegistrar: only an element may.
func TestPoolUserStartsNoRegistrar(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		if _, err := Dial(w.ctx, "echo", p.options()); !errors.Is(err, ErrNoRegistrar) || len(p.embedded) != 0 {
			w.Errorf("got %v", err)
		}
	})
}

// TestPortOfTheRegistrarIsTaken by something that is no registrar.
func TestPortOfTheRegistrarIsTaken(t *testing.T) {
	run(t, func(w *world) {
		ep, _, err := w.process().open(transport.Config{Local: []netip.AddrPort{loopback}, NoListen: true})
		w.ok(err)
		defer ep.Close()
		_, err = Listen(w.ctx, "echo", w.process().options())
		if !errors.Is(err, ErrNoRegistrar) {
			w.Errorf("got %v", err)
		}
	})
}

func TestPortOfTheRegistrarNeedsPrivileges(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		inner := p.host.open
		p.host.open = func(cfg transport.Config) (transport.Endpoint, string, error) {
			if cfg.Local[0].Port() == loopback.Port() {
				return nil, "", syscall.EACCES
			}
			return inner(cfg)
		}
		_, err := Listen(w.ctx, "echo", p.options())
		if !errors.Is(err, ErrNoRegistrar) || !errors.Is(err, syscall.EACCES) {
			w.Errorf("got %v", err)
		}
	})
}

// TestElementsThatStartTogether: one of them embeds the registrar, all of them
// register.
func TestElementsThatStartTogether(t *testing.T) {
	run(t, func(w *world) {
		const n = 10
		errs := make(chan error, n)
		for range n {
			p := w.process()
			go func() {
				l, err := Listen(w.ctx, "echo", p.options())
				if err == nil {
					w.Cleanup(func() { l.Close() })
				}
				errs <- err
			}()
		}
		for range n {
			w.ok(<-errs)
		}
		synctest.Wait()
		es, err := Resolve(w.ctx, "echo", w.process().options())
		w.ok(err)
		if len(es) != n {
			w.Errorf("%d elements, want %d", len(es), n)
		}
	})
}

// TestNewcomerWhenTheEmbeddedRegistrarDies: whoever comes then is served by the
// element that is left, which takes the registrar's place at once. A daemon is
// given time to start again instead.
func TestNewcomerWhenTheEmbeddedRegistrarDies(t *testing.T) {
	for name, tcp := range map[string]error{"embedded": syscall.ECONNREFUSED, "daemon": nil} {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				a, b := w.process(), w.process()
				b.host.dial = func(context.Context, netip.AddrPort) error { return tcp }
				a.echo("echo", Registration{})
				b.echo("echo", Registration{})
				c := w.process().dial("echo")
				w.exchange(c, "before")
				synctest.Wait()
				a.kill()
				start := time.Now()
				w.exchange(w.process().dial("echo"), "newcomer")
				took := time.Since(start)
				if tcp != nil && took > 300*time.Millisecond {
					w.Errorf("served after %v", took)
				}
				if tcp == nil && took < embedderPause {
					w.Errorf("the place of a daemon is taken after %v", took)
				}
				w.exchange(c, "after")
			})
		})
	}
}
