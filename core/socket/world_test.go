package socket

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// world is a network in memory, in fake time, with processes on it.
type world struct {
	*testing.T
	ctx context.Context
	net *memnet.Net
}

// process is what can be killed: everything opened on its host.
type process struct {
	*host
	world     *world
	endpoints []*memnet.Endpoint
	dead      bool
	plain     bool // its transport can neither lend nor hold single associations
	holds     bool // its transport can hold them, and cannot lend
}

// run runs a test in a world of its own.
func run(t *testing.T, f func(w *world)) {
	t.Helper()
	for _, v := range append(variables, "RSERPOOL_CONFIG") {
		t.Setenv(v, "")
		os.Unsetenv(v)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		t.Cleanup(cancel)
		f(&world{T: t, ctx: ctx, net: memnet.New()})
	})
}

func (w *world) process() *process {
	p := &process{world: w}
	p.host = newHost(func(cfg transport.Config) (transport.Endpoint, string, error) {
		if p.dead {
			return nil, "", syscall.ESRCH
		}
		ep, kind, err := w.net.Open(cfg)
		if err == nil {
			p.endpoints = append(p.endpoints, ep.(*memnet.Endpoint))
			switch {
			case p.plain:
				ep = struct{ transport.Endpoint }{ep}
			case p.holds:
				ep = struct {
					transport.Endpoint
					transport.Holder
				}{ep, ep.(transport.Holder)}
			}
		}
		return ep, kind, err
	})
	p.host.addrs = loop.NewHost(func() []netip.Addr { return nil })
	w.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	p.dead = true
	for _, ep := range p.endpoints {
		ep.Kill()
	}
}

func (p *process) config() Config {
	return Config{host: p.host, Logger: slog.New(slog.NewTextHandler(testWriter{p.world.T}, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

func (p *process) options() *Options { return &Options{Config: p.config(), Network: "ip4"} }

func (p *process) socket() *Socket {
	p.world.Helper()
	s, err := NewSocket(p.config(), "ip4")
	p.world.ok(err)
	p.world.Cleanup(func() { s.Close() })
	return s
}

// registrar starts one on loopback's default port.
func (p *process) registrar() *Registrar {
	p.world.Helper()
	r, err := StartRegistrar(p.world.ctx, RegistrarConfig{ASAP: []netip.AddrPort{loopback}, Config: p.config()})
	p.world.ok(err)
	return r
}

var loopback = netip.MustParseAddrPort("127.0.0.1:3863")

// echo starts an element that sends everything back, with its PE identifier
// in front.
func (p *process) echo(pool string, r Registration) *Listener {
	p.world.Helper()
	opts := p.options()
	opts.Registration = r
	l, err := Listen(p.world.ctx, pool, opts)
	p.world.ok(err)
	p.world.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept(p.world.ctx)
			if err != nil {
				return
			}
			go echoAll(p.world.ctx, c, l.Name().PE)
		}
	}()
	return l
}

func echoAll(ctx context.Context, c *Conn, id PEID) {
	for {
		b, err := c.Recv(ctx)
		if err != nil {
			return
		}
		if c.Send(ctx, fmt.Appendf(nil, "%v %s", id, b)) != nil {
			return
		}
	}
}

func (p *process) dial(pool string) *Conn {
	p.world.Helper()
	c, err := Dial(p.world.ctx, pool, p.options())
	p.world.ok(err)
	p.world.Cleanup(func() { c.Close() })
	return c
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// exchange sends a line and wants the answer of the element that serves the
// session then.
func (w *world) exchange(c *Conn, line string) (from PEID) {
	w.Helper()
	w.ok(c.Send(w.ctx, []byte(line)))
	return w.answer(c, line)
}

func (w *world) answer(c *Conn, line string) (from PEID) {
	w.Helper()
	b, info, err := c.RecvMessage(w.ctx)
	w.ok(err)
	if want := fmt.Sprintf("%v %s", info.PE, line); string(b) != want {
		w.Fatalf("got %q, want %q", b, want)
	}
	return info.PE
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	if os.Getenv("RSERPOOL_TEST_LOG") != "" {
		w.t.Logf("%s %s", time.Now().Format("04:05.000"), b)
	}
	return len(b), nil
}
