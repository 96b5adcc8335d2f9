package socket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/open"
	"github.com/librserpool/librserpool/tests/go/proc"
)

// The tests of this file run over UDP on loopback, in real time.

var anyPort = netip.MustParseAddrPort("127.0.0.1:0")

// site is a registrar on an ephemeral port and the settings to find it.
type site struct {
	testing.TB
	ctx       context.Context
	registrar *Registrar
	config    Config
}

func newSite(t testing.TB) *site {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	s := &site{TB: t, ctx: ctx}
	s.config = Config{Transport: transport.KindUserland, NoEmbedded: true, Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	r, err := StartRegistrar(ctx, RegistrarConfig{ASAP: []netip.AddrPort{anyPort}, Config: s.config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	s.registrar = r
	s.config.Registrars = strs(r.ASAPAddrs())
	return s
}

func (s *site) options() *Options {
	return &Options{Config: s.config, Network: "ip4", Local: []netip.AddrPort{anyPort}}
}

func (s *site) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) echo(pool string, opts *Options) *Listener {
	s.Helper()
	l, err := Listen(s.ctx, pool, opts)
	s.ok(err)
	s.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept(s.ctx)
			if err != nil {
				return
			}
			go func() {
				for {
					b, err := c.Recv(s.ctx)
					if err != nil || c.Send(s.ctx, b) != nil {
						return
					}
				}
			}()
		}
	}()
	return l
}

func (s *site) exchange(c *Conn, line string) PEID {
	s.Helper()
	s.ok(c.Send(s.ctx, []byte(line)))
	b, info, err := c.RecvMessage(s.ctx)
	s.ok(err)
	if string(b) != line {
		s.Fatalf("got %q, want %q", b, line)
	}
	return info.PE
}

func TestLoopbackEcho(t *testing.T) {
	s := newSite(t)
	l := s.echo("echo", s.options())
	elements, err := Resolve(s.ctx, "echo", s.options())
	s.ok(err)
	if len(elements) != 1 || elements[0].ID != l.Name().PE || elements[0].Addrs[0] != l.Addrs()[0] {
		t.Errorf("resolved %+v, want %v at %v", elements, l.Name(), l.Addrs())
	}
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	s.exchange(c, "hello")
	big := make([]byte, 1<<20)
	rand.Read(big)
	s.ok(c.Send(s.ctx, big))
	if b, err := c.Recv(s.ctx); err != nil || !bytes.Equal(b, big) {
		t.Errorf("1 MiB came back as %d bytes, %v", len(b), err)
	}
	if err := c.Send(s.ctx, make([]byte, 1<<20+1)); !errors.Is(err, ErrMessageSize) {
		t.Errorf("more than 1 MiB: %v", err)
	}
	pools, err := Pools(s.ctx, s.options())
	s.ok(err)
	if len(pools) != 1 || pools[0].Handle != "echo" || len(pools[0].Elements) != 1 || pools[0].Elements[0].Home != s.registrar.ID() {
		t.Errorf("pools %+v", pools)
	}
}

// TestLoopbackFailover closes the element's sockets under it: what was on the
// way is answered by another one.
func TestLoopbackFailover(t *testing.T) {
	s := newSite(t)
	kill := map[PEID]func(){}
	for range 3 {
		opts := s.options()
		opts.host = newHost(open.Endpoint)
		l := s.echo("echo", opts)
		kill[l.Name().PE] = func() { l.s.port.Close() }
	}
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	first := s.exchange(c, "one")
	kill[first]()
	second := s.exchange(c, "two")
	kill[second]()
	third := s.exchange(c, "three")
	if first == second || second == third || first == third {
		t.Errorf("served by %v, %v, %v", first, second, third)
	}
	if st := c.Status(); st.Failovers != 2 {
		t.Errorf("%d failovers, want 2", st.Failovers)
	}
}

// TestLoopbackReconnect: the new session is with the element with which the
// old one is still being shut down.
func TestLoopbackReconnect(t *testing.T) {
	s := newSite(t)
	s.echo("echo", s.options())
	opts := s.options()
	pu, err := opts.newSocket()
	s.ok(err)
	defer pu.Close()
	for i := range 20 {
		s.ok(pu.Connect(s.ctx, "echo"))
		c := pu.newConn(t.Context(), pu.table.Own(), false)
		s.exchange(c, fmt.Sprint("line ", i))
		s.ok(c.Close())
	}
}

func TestLoopbackRegistrarRestart(t *testing.T) {
	s := newSite(t)
	l := s.echo("echo", s.options())
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	s.exchange(c, "one")
	at := s.registrar.ASAPAddrs()
	s.ok(s.registrar.Close())
	s.exchange(c, "two")
	r, err := StartRegistrar(s.ctx, RegistrarConfig{ASAP: at, Config: s.config})
	s.ok(err)
	defer r.Close()
	for {
		if es, err := Resolve(s.ctx, "echo", s.options()); err == nil && es[0].ID == l.Name().PE {
			break
		} else if err != nil && !errors.Is(err, ErrUnknownPool) {
			t.Fatal(err)
		}
	}
	s.exchange(c, "three")
}

func TestLoopbackManySessions(t *testing.T) {
	s := newSite(t)
	for range 2 {
		s.echo("echo", s.options())
	}
	var all sync.WaitGroup
	errs := make(chan error, 50)
	for i := range cap(errs) {
		all.Go(func() {
			c, err := Dial(s.ctx, "echo", s.options())
			if err != nil {
				errs <- err
				return
			}
			defer c.Close()
			for j := range 20 {
				line := fmt.Sprintf("session %d line %d", i, j)
				if err := c.Send(s.ctx, []byte(line)); err != nil {
					errs <- err
					return
				}
				if b, err := c.Recv(s.ctx); err != nil || string(b) != line {
					errs <- fmt.Errorf("session %d: got %q, %v; want %q", i, b, err, line)
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// TestLoopbackBulk moves more than all buffers hold, through an echo that is
// slower than its pool user.
func TestLoopbackBulk(t *testing.T) {
	s := newSite(t)
	s.echo("echo", s.options())
	opts := s.options()
	opts.SendBuffer, opts.ReceiveBuffer = 64<<10, 64<<10
	c, err := Dial(s.ctx, "echo", opts)
	s.ok(err)
	defer c.Close()
	const count, size = 2000, 4000
	failed := make(chan error, 1)
	go func() {
		for i := range count {
			if err := c.Send(s.ctx, fmt.Appendf(make([]byte, 0, size), "%0*d", size, i)); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	for i := range count {
		b, err := c.Recv(s.ctx)
		s.ok(err)
		if want := fmt.Sprintf("%0*d", size, i); string(b) != want {
			t.Fatalf("message %d: %d bytes ending in %q", i, len(b), b[max(0, len(b)-10):])
		}
	}
	s.ok(<-failed)
}

// quietPort returns a port of loopback that is free and stays so.
func quietPort(t testing.TB) uint16 {
	t.Helper()
	text, err := proc.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(port)
}

// TestLoopbackSmallBuffers: buffers that are smaller than a message have peers wait
// and refuse nothing; the traffic with the registrar has its own.
func TestLoopbackSmallBuffers(t *testing.T) {
	s := newSite(t)
	opts := s.options()
	opts.SendBuffer, opts.ReceiveBuffer = 1, 1
	s.echo("echo", opts)
	for _, buffer := range []int{1, 100_000} {
		opts := s.options()
		opts.SendBuffer, opts.ReceiveBuffer = buffer, buffer
		c, err := Dial(s.ctx, "echo", opts)
		s.ok(err)
		defer c.Close()
		sizes := []int{64 << 10, 1, 256 << 10, 1 << 20, 5, 1 << 20, 64 << 10}
		failed := make(chan error, 1)
		go func() {
			for _, n := range sizes {
				if err := c.Send(s.ctx, make([]byte, n)); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
		for i, n := range sizes {
			b, err := c.Recv(s.ctx)
			s.ok(err)
			if len(b) != n {
				t.Fatalf("message %d has %d bytes, want %d", i, len(b), n)
			}
		}
		s.ok(<-failed)
	}
}

// TestLoopbackTwoBuffers: a session whose peer does not read takes what two buffers
// hold, and no more.
func TestLoopbackTwoBuffers(t *testing.T) {
	s := newSite(t)
	const buffer, size = 1 << 20, 1000
	opts := s.options()
	opts.ReceiveBuffer = buffer
	l, err := Listen(s.ctx, "deaf", opts)
	s.ok(err)
	defer l.Close()
	opts = s.options()
	opts.SendBuffer = buffer
	c, err := Dial(s.ctx, "deaf", opts)
	s.ok(err)
	defer c.Close()
	sent := 0
	for last := time.Now(); time.Since(last) < time.Second; {
		if err := c.TrySend(make([]byte, size), nil); err == nil {
			sent, last = sent+size, time.Now()
		} else if !errors.Is(err, ErrWouldBlock) {
			t.Fatal(err)
		} else {
			time.Sleep(time.Millisecond)
		}
	}
	if sent < buffer || sent > 2*buffer+100_000 {
		t.Errorf("%d bytes were taken by two buffers of %d", sent, buffer)
	}
	in, err := l.Accept(s.ctx)
	s.ok(err)
	for n := 0; n < sent; n += size {
		b, err := in.Recv(s.ctx)
		s.ok(err)
		if len(b) != size {
			t.Fatalf("%d bytes", len(b))
		}
	}
}

// TestLoopbackEmbedded: two processes with nothing configured; the one that
// embeds the registrar dies.
func TestLoopbackEmbedded(t *testing.T) {
	s := newSite(t)
	free := quietPort(t)
	s.config.Registrars, s.config.NoEmbedded, s.config.LoopbackPort = nil, false, free
	var listeners []*Listener
	for range 2 {
		opts := s.options()
		opts.host = newHost(open.Endpoint)
		listeners = append(listeners, s.echo("echo", opts))
	}
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	s.exchange(c, "one")

	dead := listeners[0]
	dead.s.port.Close()
	dead.s.cfg.host.embedded[free].Close()
	s.exchange(c, "two")
	for {
		es, err := Resolve(s.ctx, "echo", s.options())
		if err == nil && len(es) == 1 && es[0].ID == listeners[1].Name().PE {
			break
		}
		s.ok(s.ctx.Err())
		time.Sleep(20 * time.Millisecond)
	}
}

// TestLoopbackOwnPort: a pool user gets the port of the registrar that it looks
// for, which is gone. It must not ask itself.
func TestLoopbackOwnPort(t *testing.T) {
	s := newSite(t)
	s.ok(s.registrar.Close())
	opts := s.options()
	opts.Local = []netip.AddrPort{netip.MustParseAddrPort(s.config.Registrars[0])}
	if _, err := Resolve(s.ctx, "echo", opts); !errors.Is(err, ErrNoRegistrar) || errors.Is(err, ErrTimeout) {
		t.Errorf("got %v, want ErrNoRegistrar at once", err)
	}
}

// TestLoopbackGarbage throws what is not SCTP at the sockets.
func TestLoopbackGarbage(t *testing.T) {
	s := newSite(t)
	l := s.echo("echo", s.options())
	c, err := Dial(s.ctx, "echo", s.options())
	s.ok(err)
	defer c.Close()
	for _, at := range []netip.AddrPort{l.Addrs()[0], s.registrar.ASAPAddrs()[0]} {
		throw(s, at)
	}
	s.exchange(c, "still there")
	if _, err := Resolve(s.ctx, "echo", s.options()); err != nil {
		t.Error(err)
	}
}

func TestMain(m *testing.M) {
	for _, v := range append(variables, "RSERPOOL_CONFIG") {
		os.Unsetenv(v)
	}
	os.Exit(m.Run())
}

// TestEmbedTwice: the program registers while the embedder's timer fires; the registrar
// inside the process then has one user, and ends with it. Settings may change meanwhile.
func TestEmbedTwice(t *testing.T) {
	s := newSite(t)
	cfg := s.config
	cfg.Registrars, cfg.NoEmbedded, cfg.LoopbackPort, cfg.host = nil, false, quietPort(t), newHost(thisHost.open)
	sock, err := NewSocket(cfg, "ip4")
	s.ok(err)
	s.ok(sock.prepare())
	cfg.host.mu.Lock() // so that both have begun before one is done
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := sock.embed(); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	sock.SetWaitForPool(time.Second)
	s.ok(sock.Advertise([]netip.Addr{netip.MustParseAddr("127.0.0.1")}))
	cfg.host.mu.Unlock()
	both.Wait()
	s.ok(sock.Close())
	for cfg.host.embeds(cfg.LoopbackPort) {
		select {
		case <-s.ctx.Done():
			t.Fatal("the registrar outlives its user")
		case <-time.After(time.Millisecond):
		}
	}
}
