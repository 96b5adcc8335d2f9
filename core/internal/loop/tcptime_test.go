package loop_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// pipes is a listener whose connections are in memory, so that their time is fake.
type pipes struct {
	at     netip.AddrPort
	conns  chan net.Conn
	errs   chan error // what the next Accept fails with
	closed chan struct{}
	close  func()
	slow   time.Duration // how long Accept takes to see that it is closed
}

func (p *pipes) listen(at netip.AddrPort) (net.Listener, error) {
	p.at = at
	p.conns, p.errs, p.closed = make(chan net.Conn), make(chan error), make(chan struct{})
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p, nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.errs:
		return nil, err
	case <-p.closed:
		time.Sleep(p.slow)
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return net.TCPAddrFromAddrPort(p.at) }

// startPipes starts a registrar with TCP in fake time.
func startPipes(t *testing.T, logger *slog.Logger) (*pipes, *loop.Registrar) {
	t.Helper()
	return startMachine(t, registrar.Config{}, logger)
}

func startMachine(t *testing.T, machine registrar.Config, logger *slog.Logger) (*pipes, *loop.Registrar) {
	t.Helper()
	p := &pipes{}
	r, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")},
		Open: memnet.New().Open, ListenTCP: p.listen, Machine: machine, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return p, r
}

// user connects, and is closed with the test.
func (p *pipes) user(t *testing.T) *caller {
	here, there := net.Pipe()
	p.conns <- there
	c := &caller{t, here, loop.NewStream(here)}
	t.Cleanup(c.stream.Close)
	synctest.Wait()
	return c
}

// resolve asks, and takes the answer.
func (c *caller) resolve() {
	c.Helper()
	c.ask(asap.HandleResolution{Handle: "echo"})
	c.answer()
}

// endsAfter waits until the registrar closes the connection, and wants that to take a
// certain time.
func (c *caller) endsAfter(want time.Duration) {
	c.Helper()
	began := time.Now()
	_ = c.SetReadDeadline(time.Time{}) // answer has set one
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(began) != want {
		c.Errorf("the connection ends after %v (%v), want %v", time.Since(began), err, want)
	}
}

// SEC-2.14: a connection that says nothing keeps its place for ten seconds, one that
// was of use for a quarter of an hour after its last message.
func TestTCPSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := startPipes(t, slog.New(slog.DiscardHandler))
		p.user(t).endsAfter(10 * time.Second)
		late := p.user(t)
		time.Sleep(10*time.Second - 1)
		for range 3 {
			late.resolve()
			time.Sleep(14 * time.Minute)
		}
		late.endsAfter(time.Minute)
		synctest.Wait()
		if n := r.Snapshot().Links; n != 0 {
			t.Errorf("%d links are left", n)
		}
	})
}

// SEC-2.14: a connection that the registrar has no room for is closed at once, and
// those that it has stay.
func TestTCPMoreThanTheRegistrarTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 3
		p, r := startMachine(t, registrar.Config{Limits: registrar.Limits{Links: most}}, slog.New(slog.DiscardHandler))
		var users []*caller
		for range most {
			users = append(users, p.user(t))
		}
		p.user(t).endsAfter(0)
		synctest.Wait()
		if n := r.Snapshot().Links; n != most {
			t.Errorf("%d links, want %d", n, most)
		}
		for _, u := range users {
			u.resolve()
		}
	})
}

// Who sends nonsense over TCP is named in the log, and kept.
func TestTCPNonsenseIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		p, _ := startPipes(t, slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
		c := p.user(t)
		if _, err := c.Write([]byte("\x7f\x00\x00\x05x   ")); err != nil {
			t.Fatal(err)
		}
		c.answer()
		synctest.Wait()
		if n := strings.Count(lines.String(), "bad ASAP message"); n != 1 {
			t.Errorf("%d lines: %s", n, lines.String())
		}
		c.resolve()
	})
}

// SEC-2.14: a message that has begun comes within ten seconds, whatever of it is there.
func TestTCPUnfinishedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := startPipes(t, slog.New(slog.DiscardHandler))
		for _, begun := range []string{"\x05", "\x05\x00\x00", "\x05\x00\x00\x08", "\x05\x00\x00\x08\x00\x00\x00"} {
			c := p.user(t)
			time.Sleep(9 * time.Second)
			if _, err := c.Write([]byte(begun)); err != nil {
				t.Fatal(err)
			}
			c.endsAfter(10 * time.Second)
		}
	})
}

// SEC-2.14: an answer that is not read for ten seconds ends the connection.
func TestTCPUnreadAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := startPipes(t, slog.New(slog.DiscardHandler))
		c := p.user(t)
		c.ask(asap.HandleResolution{Handle: "echo"})
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		if n := r.Snapshot().Links; n != 1 {
			t.Errorf("%d links while there is time", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := r.Snapshot().Links; n != 0 {
			t.Errorf("%d links when the time is over", n)
		}
	})
}

// SEC-2.14: of a thousand connections the one that said nothing for the longest time
// makes room, and not the oldest.
func TestTCPPlacesAreForWhoSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := startPipes(t, slog.New(slog.DiscardHandler))
		var all []*caller
		for range 1000 {
			all = append(all, p.user(t))
			time.Sleep(time.Millisecond)
		}
		all[0].resolve()
		time.Sleep(time.Millisecond)
		for i := range 3 {
			all = append(all, p.user(t))
			if n := r.Snapshot().Links; n != 1000 {
				t.Errorf("%d links", n)
			}
			all[1+i].endsAfter(0)
		}
		all[0].resolve()
		all[4].resolve()
	})
}

// A listener that fails for a while is asked again, but not without a pause.
func TestTCPAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		p, _ := startPipes(t, slog.New(slog.NewTextHandler(&log, nil)))
		began := time.Now()
		for range 3 {
			p.errs <- syscall.EMFILE
		}
		c := p.user(t)
		if took := time.Since(began); took != 300*time.Millisecond {
			t.Errorf("served %v after three failures, want 300 ms", took)
		}
		c.resolve()
		if n := strings.Count(log.String(), "cannot accept a connection"); n != 3 {
			t.Errorf("%d warnings: %s", n, log.String())
		}
	})
}

// A port that the system chose may be taken with TCP: another one is tried, ten times at
// most. One that was asked for is tried once. What was opened in vain is free again.
func TestTCPPortIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ port, taken, tries int }{{0, 3, 4}, {0, 9, 10}, {0, 10, 10}, {3863, 1, 1}} {
			mem, p, tries := memnet.New(), &pipes{}, 0
			at := netip.AddrPortFrom(memnet.Loopback, uint16(c.port))
			var tried []netip.AddrPort
			r, err := loop.StartRegistrar(loop.RegistrarConfig{
				ASAP: []netip.AddrPort{at}, Open: mem.Open, Logger: slog.New(slog.DiscardHandler),
				ListenTCP: func(at netip.AddrPort) (net.Listener, error) {
					tried = append(tried, at)
					if tries++; tries <= c.taken {
						return nil, syscall.EADDRINUSE
					}
					return p.listen(at)
				},
			})
			if tries != c.tries || (err == nil) != (c.taken < c.tries) {
				t.Errorf("%+v: %d tries, %v", c, tries, err)
			}
			if err == nil {
				if r.TCPAddrs()[0] != r.ASAPAddrs()[0] {
					t.Errorf("TCP at %v, SCTP at %v", r.TCPAddrs(), r.ASAPAddrs())
				}
				r.Close()
			} else if !errors.Is(err, syscall.EADDRINUSE) {
				t.Error(err)
			}
			for _, at := range tried {
				ep, _, err := mem.Open(transport.Config{Local: []netip.AddrPort{at}})
				if err != nil {
					t.Fatalf("%+v: %v", c, err)
				}
				ep.Close()
			}
		}
	})
}

// A registrar that is closed has nothing under way any more: neither what serves its
// connections nor what its machine still had to do.
func TestClosedRegistrarRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		p, r := startPipes(t, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		c := p.user(t)
		c.resolve()
		p.slow = time.Second
		began := time.Now()
		if err := r.Close(); err != nil || time.Since(began) != time.Second {
			t.Errorf("closed after %v, %v", time.Since(began), err)
		}
		c.endsAfter(0)
		said := log.String()
		time.Sleep(time.Hour)
		if more := strings.TrimPrefix(log.String(), said); more != "" {
			t.Errorf("afterwards it says %s", more)
		}
	})
}
