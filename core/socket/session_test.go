package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop/memnet"
)

// ASAP-6.5.1-04, ASAP-6.6-01: the element that was chosen, and that answered, is named.
func TestEcho(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().echo("echo", Registration{})
		c := w.process().dial("echo")
		if from := w.exchange(c, "hello"); from != l.Name().PE || from == 0 {
			w.Errorf("answer from PE %v, want %v", from, l.Name().PE)
		}
		if got := c.Peer(); got != l.Name() {
			w.Errorf("peer %v, want %v", got, l.Name())
		}
	})
}

// TestFailover: the element that serves a session dies with messages on the
// way to it; another one gets them, in order, none twice (ASAP-6.5.5-01).
func TestFailover(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		elements := map[PEID]*process{}
		for range 3 {
			p := w.process()
			elements[p.echo("echo", Registration{}).Name().PE] = p
		}
		c := w.process().dial("echo")
		first := w.exchange(c, "one")
		for _, ep := range elements[first].endpoints {
			ep.Freeze()
		}
		for i := range 20 {
			w.ok(c.Send(w.ctx, fmt.Appendf(nil, "line %d", i)))
		}
		elements[first].kill()
		for i := range 20 {
			if from := w.answer(c, fmt.Sprintf("line %d", i)); from == first {
				w.Fatalf("line %d was answered by the dead element", i)
			}
		}
		if got := c.Status().Failovers; got != 1 {
			w.Errorf("%d failovers, want 1", got)
		}
		second := w.exchange(c, "two")
		elements[second].kill()
		if third := w.exchange(c, "three"); third == first || third == second {
			w.Errorf("the third answer came from a dead element")
		}
	})
}

// TestGracefulEndOfAnElement: closing an element moves its sessions on without
// a loss.
func TestGracefulEndOfAnElement(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		a, b := w.process().echo("echo", Registration{}), w.process().echo("echo", Registration{})
		c := w.process().dial("echo")
		serving, other := a, b
		if w.exchange(c, "one") == b.Name().PE {
			serving, other = b, a
		}
		w.ok(serving.Close())
		if from := w.exchange(c, "two"); from != other.Name().PE {
			w.Errorf("answered by %v, want %v", from, other.Name().PE)
		}
	})
}

func TestNoRegistrarNamesWhatWasTried(t *testing.T) {
	run(t, func(w *world) {
		_, err := Dial(w.ctx, "echo", w.process().options())
		if !errors.Is(err, ErrNoRegistrar) || !strings.Contains(err.Error(), loopback.String()) {
			w.Errorf("nothing configured: got %v", err)
		}
		opts := w.process().options()
		opts.Registrars = []string{"192.0.2.1:4000", "192.0.2.2"}
		_, err = Dial(w.ctx, "echo", opts)
		var none *NoRegistrarError
		if !errors.As(err, &none) || len(none.Tried) != 2 {
			w.Errorf("two configured: got %v", err)
		}
		// A PE with a configured list does not start a registrar of its own.
		if _, err = Listen(w.ctx, "echo", opts); !errors.Is(err, ErrNoRegistrar) {
			w.Errorf("PE: got %v", err)
		}
	})
}

func TestSilentRegistrarIsNamedWhenTimeIsOver(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		p.registrar()
		p.endpoints[0].Freeze()
		ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
		defer cancel()
		_, err := Dial(ctx, "echo", w.process().options())
		if !errors.Is(err, ErrNoRegistrar) || !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), loopback.String()) {
			w.Errorf("got %v", err)
		}
	})
}

// TestRegistrarRestart: sessions do not need the registrar, elements register
// again at the new one (ASAP-3.6-09).
func TestRegistrarRestart(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		p.registrar()
		opts := w.process().options()
		opts.NoEmbedded = true
		l, err := Listen(w.ctx, "echo", opts)
		w.ok(err)
		w.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept(w.ctx)
				if err != nil {
					return
				}
				go echoAll(w.ctx, c, l.Name().PE)
			}
		}()
		c := w.process().dial("echo")
		w.exchange(c, "one")
		p.kill()
		w.exchange(c, "two")
		time.Sleep(5 * time.Second)
		r := w.process().registrar()
		time.Sleep(5 * time.Second)
		if pools := r.Pools(); len(pools) != 1 || len(pools[0].Elements) != 1 || pools[0].Elements[0].ID != l.Name().PE {
			w.Errorf("the new registrar knows %+v", pools)
		}
		w.exchange(c, "three")
	})
}

// TestPoolUserThatRestarts on its old address begins a new session: the new
// process knows nothing of the old one.
func TestPoolUserThatRestarts(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		pe := w.process().socket()
		w.ok(pe.Register(w.ctx, "echo", Registration{}))
		var seen []SessionID
		for range 2 {
			p := w.process()
			pu := p.socket()
			w.ok(pu.Bind(netip.MustParseAddrPort("127.0.0.1:7777")))
			w.ok(pu.Connect(w.ctx, "echo"))
			w.ok(pu.TrySend([]byte("x"), nil))
			synctest.Wait()
			var info RecvInfo
			_, err := pe.TryRecv(make([]byte, 9), &info, 0)
			w.ok(err)
			seen = append(seen, info.Session)
			p.endpoints[0].Vanish()
		}
		if seen[0] == seen[1] {
			w.Errorf("both are session %d", seen[0])
		}
		if err := pe.TrySend([]byte("x"), &SendInfo{Session: seen[0]}); !errors.Is(err, ErrNotConnected) {
			w.Errorf("send on the old session: %v", err)
		}
	})
}

// TestHomeDies: an element whose registrar dies goes on at a peer of it, which
// has known it all the time (RFC 5353).
// OVR-1-01: registrars are equal, each knows all.
func TestHomeDies(t *testing.T) {
	run(t, func(w *world) {
		at := func(port uint16) []netip.AddrPort { return []netip.AddrPort{netip.AddrPortFrom(memnet.Loopback, port)} }
		processes := []*process{w.process(), w.process()}
		var known []string
		for i, p := range processes {
			_, err := StartRegistrar(w.ctx, RegistrarConfig{
				ASAP: at(4000 + uint16(i)), ENRP: at(5000 + uint16(i)), Peers: []string{"127.0.0.1:5000"}, Config: p.config(),
			})
			w.ok(err)
			known = append(known, at(4000 + uint16(i))[0].String())
		}
		var all []*Listener
		for range 8 {
			opts := w.process().options()
			opts.Registrars = known
			l, err := Listen(w.ctx, "echo", opts)
			w.ok(err)
			w.Cleanup(func() { l.Close() })
			all = append(all, l)
		}
		count := func(registrar string) int {
			opts := w.process().options()
			opts.Registrars = []string{registrar}
			es, err := Resolve(w.ctx, "echo", opts)
			w.ok(err)
			return len(es)
		}
		synctest.Wait()
		for _, r := range known {
			if n := count(r); n != len(all) {
				w.Errorf("%s knows %d elements, want %d", r, n, len(all))
			}
		}
		processes[0].kill()
		for range 10 {
			time.Sleep(time.Minute / 2)
			if n := count(known[1]); n != len(all) {
				w.Fatalf("the other registrar knows %d elements, want %d", n, len(all))
			}
		}
		for _, l := range all {
			if st := l.Status(); !st.Registered || st.Registrar != known[1] {
				w.Errorf("element %v: %+v", l.Name(), st)
			}
		}
	})
}

// TestSessionOfAnElementEnds: its pool user closes it.
func TestSessionOfAnElementEnds(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l, err := Listen(w.ctx, "echo", w.process().options())
		w.ok(err)
		defer l.Close()
		c := w.process().dial("echo")
		w.ok(c.Send(w.ctx, []byte("first")))
		in, err := l.Accept(w.ctx)
		w.ok(err)
		w.ok(c.Send(w.ctx, []byte("last")))
		w.ok(c.Close())
		for _, want := range []string{"first", "last"} {
			if b, err := in.Recv(w.ctx); err != nil || string(b) != want {
				w.Errorf("got %q, %v", b, err)
			}
		}
		if _, err := in.Recv(w.ctx); err != io.EOF {
			w.Errorf("at the end: %v", err)
		}
		if err := in.Send(w.ctx, []byte("late")); !errors.Is(err, ErrNotConnected) {
			w.Errorf("send after the end: %v", err)
		}
		if _, err := c.Recv(w.ctx); !errors.Is(err, ErrClosed) {
			w.Errorf("receive after Close: %v", err)
		}
		if n := len(l.Status().Sessions); n != 0 {
			w.Errorf("%d sessions are left", n)
		}
	})
}

func TestBackPressure(t *testing.T) {
	for _, plain := range []bool{false, true} {
		run(t, func(w *world) { backPressure(w, plain) })
	}
}

func backPressure(w *world, plain bool) {
	w.process().registrar()
	p := w.process()
	p.plain = plain
	opts := p.options()
	opts.ReceiveBuffer = 10000
	l, err := Listen(w.ctx, "sink", opts)
	w.ok(err)
	defer l.Close()
	opts = w.process().options()
	opts.SendBuffer = 10000
	c, err := Dial(w.ctx, "sink", opts)
	w.ok(err)
	defer c.Close()

	// The sender blocks although nobody limits it but the receiver.
	const total = 1000
	sent := make(chan error, 1)
	var count int
	go func() {
		for i := range total {
			if err := c.Send(w.ctx, fmt.Appendf(make([]byte, 0, 100), "%099d", i)); err != nil {
				sent <- err
				return
			}
			count = i + 1
		}
		sent <- nil
	}()
	synctest.Wait()
	if count == 0 || count > 400 {
		w.Fatalf("%d messages of 99 bytes went into buffers of 30,000 bytes", count)
	}
	in, err := l.Accept(w.ctx)
	w.ok(err)
	for i := range total {
		b, err := in.Recv(w.ctx)
		w.ok(err)
		if want := fmt.Sprintf("%099d", i); string(b) != want {
			w.Fatalf("message %d is %q", i, b)
		}
	}
	w.ok(<-sent)
}

func TestSessionFailsWhenNobodyIsLeft(t *testing.T) {
	run(t, func(w *world) {
		r := w.process()
		r.registrar()
		p := w.process()
		p.echo("echo", Registration{})
		c := w.process().dial("echo")
		w.exchange(c, "one")
		p.kill()
		start := time.Now()
		_, err := c.Recv(w.ctx)
		if !errors.Is(err, ErrNoElement) && !errors.Is(err, ErrUnknownPool) {
			w.Errorf("receive: %v", err)
		}
		if took := time.Since(start); took > c.s.cfg.FailoverLimit+time.Second {
			w.Errorf("took %v", took)
		}
		if err := c.Send(w.ctx, []byte("x")); err == nil {
			w.Error("a failed session sends")
		}
		if st := c.s.Status(); st.LastError == nil {
			w.Error("the status does not tell why")
		}
		// The socket says so until it connects again.
		ready := hook(c.s)
		w.edges("failed", &ready.readable, true)
		time.Sleep(time.Minute) // the registrar finds out
		if err := c.s.Connect(w.ctx, "echo"); !errors.Is(err, ErrUnknownPool) {
			w.Errorf("connect to the empty pool: %v", err)
		}
		w.edges("not any more", &ready.readable, false)
		w.process().echo("echo", Registration{})
		w.ok(c.s.Connect(w.ctx, "echo"))
		w.edges("connected again", &ready.readable)
	})
}
