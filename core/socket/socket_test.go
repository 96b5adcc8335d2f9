package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readyLog records what the hooks say.
type readyLog struct{ readable, writable []bool }

func hook(s *Socket) *readyLog {
	l := &readyLog{}
	s.Hooks(func(b bool) { l.readable = append(l.readable, b) }, func(b bool) { l.writable = append(l.writable, b) })
	return l
}

func (w *world) edges(what string, got *[]bool, want ...bool) {
	w.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, *got); diff != "" {
		w.Errorf("%s: edges (-want +got):\n%s", what, diff)
	}
	*got = nil
}

// pair is the slides' two programs: an element and a pool user, as sockets.
func pair(w *world, pool string) (pe, pu *Socket) {
	w.Helper()
	w.process().registrar()
	pe, pu = w.process().socket(), w.process().socket()
	w.ok(pe.Register(w.ctx, pool, Registration{}))
	w.ok(pu.Connect(w.ctx, pool))
	return pe, pu
}

func TestTheSlidesEcho(t *testing.T) {
	run(t, func(w *world) {
		pe, pu := pair(w, "echo")
		atPE, atPU := hook(pe), hook(pu)
		w.edges("element at first", &atPE.readable, false)
		w.edges("user at first", &atPU.writable, true)

		w.ok(pu.TrySend([]byte("line\n"), &SendInfo{PPID: 7, Stream: 3}))
		w.edges("element, message", &atPE.readable, true)
		buf := make([]byte, 100)
		var info RecvInfo
		_, err := pe.TryRecv(buf, &info, RecvPeek)
		w.ok(err)
		n, err := pe.TryRecv(buf, &info, 0)
		if err != nil || string(buf[:n]) != "line\n" {
			w.Fatalf("after a peek: %q, %v", buf[:n], err)
		}
		want := RecvInfo{Session: info.Session, Stream: 3, PPID: 7, Length: 5}
		if info.Session == 0 || info != want {
			w.Errorf("got %+v, want %+v", info, want)
		}
		w.edges("element, read", &atPE.readable, false)
		if _, err := pe.TryRecv(buf, &info, 0); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("empty: %v", err)
		}

		w.ok(pe.TrySend(buf[:n], &SendInfo{Session: want.Session}))
		synctest.Wait()
		n, err = pu.TryRecv(buf, &info, 0)
		w.ok(err)
		name, err := pe.LocalName()
		w.ok(err)
		if string(buf[:n]) != "line\n" || info.PE != name.PE || name.PE == 0 {
			w.Errorf("the user got %q from %v, the element is %v", buf[:n], info.PE, name)
		}
		w.edges("user, answer", &atPU.readable, false, true, false)
		if got, err := pu.PeerName(0); err != nil || got != name {
			w.Errorf("peer %v, %v; want %v", got, err, name)
		}
	})
}

// TestManyUsersOfOneSocket: the element tells them apart by their sessions.
// ASAP-6.6-01: what is received names its sender.
func TestManyUsersOfOneSocket(t *testing.T) {
	run(t, func(w *world) {
		pe, _ := pair(w, "echo")
		sessions := map[SessionID]string{}
		for i := range 5 {
			pu := w.process().socket()
			w.ok(pu.Connect(w.ctx, "echo"))
			line := fmt.Sprint("user ", i)
			w.ok(pu.TrySend([]byte(line), nil))
			synctest.Wait()
			var info RecvInfo
			buf := make([]byte, 100)
			n, err := pe.TryRecv(buf, &info, 0)
			w.ok(err)
			if sessions[info.Session] != "" || string(buf[:n]) != line {
				w.Fatalf("%q on session %d, which is %q's", buf[:n], info.Session, sessions[info.Session])
			}
			sessions[info.Session] = line
			w.ok(pu.Close())
			synctest.Wait()
			if err := pe.TrySend([]byte("late"), &SendInfo{Session: info.Session}); !errors.Is(err, ErrNotConnected) {
				w.Errorf("send to a user that is gone: %v", err)
			}
		}
	})
}

func TestWritableFollowsTheRoom(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		pe, p := w.process(), w.process()
		server, err := NewSocket(pe.config(), "ip4")
		w.ok(err)
		defer server.Close()
		w.ok(server.Register(w.ctx, "sink", Registration{}))
		cfg := p.config()
		cfg.SendBuffer = 5000
		pu, err := NewSocket(cfg, "ip4")
		w.ok(err)
		defer pu.Close()
		w.ok(pu.Connect(w.ctx, "sink"))
		ready := hook(pu)
		w.edges("at first", &ready.writable, true)
		pe.endpoints[0].Freeze()
		sent := 0
		for ; err == nil; sent++ {
			err = pu.TrySend(make([]byte, 100), nil)
		}
		if !errors.Is(err, ErrWouldBlock) || sent != 51 {
			w.Fatalf("after %d messages: %v", sent, err)
		}
		w.edges("full", &ready.writable, false)
		// The element dies; as long as there is no other one the session keeps
		// what was not delivered, and has no room.
		pe.kill()
		w.edges("searching", &ready.writable)
		if err := pu.TrySend([]byte("x"), nil); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("full while searching: %v", err)
		}
		other := w.process().socket()
		w.ok(other.Register(w.ctx, "sink", Registration{}))
		time.Sleep(5 * time.Second)
		w.edges("at the next element", &ready.writable, true)
		if got := other.Status(); len(got.Sessions) != 1 || got.Sessions[0].Unread != 50 {
			w.Errorf("the next element has %+v", got.Sessions)
		}
	})
}

// TestMessagesBeforeTheSessionStands are kept for it (ASAP-6.5.1-02).
func TestMessagesBeforeTheSessionStands(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		pe, pu := w.process().socket(), w.process().socket()
		w.ok(pe.Register(w.ctx, "echo", Registration{}))
		w.ok(pu.prepare())
		ss, err := pu.openSession(w.ctx, "echo")
		w.ok(err)
		w.ok(pu.TrySend([]byte("early"), nil))
		if st := pu.Status().Sessions[0]; st.Connected || st.Queued != 5 {
			w.Errorf("session %d: %+v", ss.ID(), st)
		}
		synctest.Wait()
		buf := make([]byte, 10)
		if n, err := pe.TryRecv(buf, nil, 0); err != nil || string(buf[:n]) != "early" {
			w.Errorf("got %q, %v", buf[:n], err)
		}
	})
}

func TestUseOfSocketsThatAreNotReady(t *testing.T) {
	run(t, func(w *world) {
		s := w.process().socket()
		buf := make([]byte, 10)
		check := func(what string, err, want error) {
			w.Helper()
			if !errors.Is(err, want) {
				w.Errorf("%s: got %v, want %v", what, err, want)
			}
		}
		check("send", s.TrySend([]byte("x"), nil), ErrNotConnected)
		check("send on a session", s.TrySend([]byte("x"), &SendInfo{Session: 5}), ErrNotConnected)
		_, err := s.TryRecv(buf, nil, 0)
		check("receive", err, ErrWouldBlock)
		_, err = s.LocalName()
		check("local name", err, ErrNotRegistered)
		_, err = s.PeerName(0)
		check("peer name", err, ErrNotConnected)
		check("deregister", s.Deregister(w.ctx), ErrNotRegistered)
		check("empty handle", s.Connect(w.ctx, ""), ErrInvalid)
		check("long handle", s.Register(w.ctx, strings.Repeat("x", MaxPoolHandle+1), Registration{}), ErrInvalid)
		check("policy", s.Register(w.ctx, "echo", Registration{Policy: Policy{Type: 99}}), ErrInvalid)
		check("life", s.Register(w.ctx, "echo", Registration{Life: time.Millisecond}), ErrInvalid)
		check("family", s.Bind(netip.MustParseAddrPort("[::1]:5000")), ErrInvalid)
		check("ports", s.Bind(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.2:2")), ErrInvalid)
		if addrs := s.LocalAddrs(); addrs != nil {
			w.Errorf("bound to %v before Bind", addrs)
		}
		w.ok(s.Bind(netip.MustParseAddrPort("127.0.0.1:5000")))
		check("bind again", s.Bind(netip.MustParseAddrPort("127.0.0.1:5001")), ErrBound)
		check("bind elsewhere", w.process().socket().Bind(netip.MustParseAddrPort("127.0.0.1:5000")), errAddrInUse)
		_, err = NewSocket(Config{}, "tcp")
		check("network", err, ErrInvalid)
		w.ok(s.Close())
		check("closed: send", s.TrySend([]byte("x"), nil), ErrClosed)
		_, err = s.TryRecv(buf, nil, 0)
		check("closed: receive", err, ErrClosed)
		check("closed: connect", s.Connect(w.ctx, "echo"), ErrClosed)
		check("closed: bind", s.Bind(loopback), ErrClosed)
		check("closed: close", s.Close(), ErrClosed)
	})
}

func TestSendRefusals(t *testing.T) {
	run(t, func(w *world) {
		_, pu := pair(w, "echo")
		for what, c := range map[string]struct {
			b    []byte
			info SendInfo
			want error
		}{
			"empty":         {nil, SendInfo{}, ErrInvalid},
			"too large":     {make([]byte, 1<<20+1), SendInfo{}, ErrMessageSize},
			"PPID of ASAP":  {[]byte("x"), SendInfo{PPID: 11}, ErrInvalid}, // ASAP-5-03
			"negative life": {[]byte("x"), SendInfo{Lifetime: -1}, ErrInvalid},
			"stream":        {[]byte("x"), SendInfo{Stream: Streams}, ErrInvalid},
			"no session":    {[]byte("x"), SendInfo{Session: 77}, ErrNotConnected},
		} {
			if err := pu.TrySend(c.b, &c.info); !errors.Is(err, c.want) {
				w.Errorf("%s: got %v, want %v", what, err, c.want)
			}
		}
		if err := pu.Connect(w.ctx, "other"); !errors.Is(err, ErrConnected) {
			w.Errorf("connect again: %v", err)
		}
	})
}

// TestReconnect: after EndSession the socket connects again, to the element
// with which the old association is still being shut down.
func TestReconnect(t *testing.T) {
	run(t, func(w *world) {
		pe, pu := pair(w, "echo")
		for i := range 3 {
			line := fmt.Sprint("line ", i)
			w.ok(pu.TrySend([]byte(line), nil))
			w.ok(pu.EndSession(0))
			if err := pu.TrySend([]byte("x"), nil); !errors.Is(err, ErrNotConnected) {
				w.Errorf("after EndSession: %v", err)
			}
			w.ok(pu.Connect(w.ctx, "echo"))
			synctest.Wait()
			buf := make([]byte, 10)
			if n, err := pe.TryRecv(buf, nil, 0); err != nil || string(buf[:n]) != line {
				w.Errorf("got %q, %v; want %q", buf[:n], err, line)
			}
		}
	})
}

func TestRegisterAgain(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		s := w.process().socket()
		weight := func() uint32 { return r.Pools()[0].Elements[0].Policy.Weight }
		p := Policy{Type: WeightedRoundRobin, Weight: 1}
		w.ok(s.Register(w.ctx, "echo", Registration{Policy: p, PE: 0x1234}))
		if got := weight(); got != 1 {
			w.Errorf("weight %d, want 1", got)
		}
		p.Weight = 9
		w.ok(s.Register(w.ctx, "echo", Registration{Policy: p}))
		if n, _ := s.LocalName(); weight() != 9 || n.PE != 0x1234 {
			w.Errorf("weight %d at PE %v, want 9 at 0x1234", weight(), n.PE)
		}
		if err := s.Register(w.ctx, "other", Registration{}); !errors.Is(err, ErrRegistered) {
			w.Errorf("another pool: %v", err)
		}
		// Another policy type is the registrar's to refuse (ASAP-3.1-20).
		err := s.Register(w.ctx, "echo", Registration{})
		var rejected *RejectedError
		if !errors.As(err, &rejected) || !errors.Is(err, ErrRejected) || len(rejected.Causes) != 1 {
			w.Errorf("another policy: %v", err)
		}
		w.ok(s.Deregister(w.ctx))
		if pools := r.Pools(); len(pools) != 0 {
			w.Errorf("after Deregister: %+v", pools)
		}
		w.ok(s.Register(w.ctx, "other", Registration{}))
	})
}

// TestRegisteredAddresses: those bound, or for a wildcard those that the
// registrar sees.
// ASAP-3.1-02, ASAP-6.1-02: no others than the endpoint has.
func TestRegisteredAddresses(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		bound, wild := w.process().socket(), w.process().socket()
		w.ok(bound.Bind(netip.MustParseAddrPort("127.0.0.2:7000")))
		w.ok(wild.Bind(netip.MustParseAddrPort("0.0.0.0:7001")))
		// The network in memory shows the registrar what is bound.
		w.ok(bound.Register(w.ctx, "a", Registration{}))
		w.ok(wild.Register(w.ctx, "b", Registration{}))
		for i, want := range []string{"127.0.0.2:7000", "127.0.0.1:7001"} {
			if got := r.Pools()[i].Elements[0].Addrs; len(got) != 1 || got[0].String() != want {
				w.Errorf("registered at %v, want %s", got, want)
			}
		}
	})
}

// TestCloseDeregisters and ends calls that wait.
func TestCloseDeregisters(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		l := w.process().echo("echo", Registration{})
		waiting := make(chan error, 1)
		go func() { _, err := l.Accept(w.ctx); waiting <- err }()
		c := w.process().dial("echo")
		go func() { _, err := c.Recv(w.ctx); waiting <- err }()
		synctest.Wait()
		w.ok(c.Close())
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			w.Errorf("Recv: %v", err)
		}
		w.ok(l.Close())
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			w.Errorf("Accept: %v", err)
		}
		if pools := r.Pools(); len(pools) != 0 {
			w.Errorf("still registered: %+v", pools)
		}
	})
}

// TestCloseWithUnreadMessages takes no time, whether or not their sessions have
// ended.
func TestCloseWithUnreadMessages(t *testing.T) {
	run(t, func(w *world) {
		pe, pu := pair(w, "echo")
		other := w.process().socket()
		w.ok(other.Connect(w.ctx, "echo"))
		for _, s := range []*Socket{pu, other} {
			w.ok(s.TrySend([]byte("unread"), nil))
		}
		synctest.Wait()
		w.ok(pu.Close())
		synctest.Wait()
		start := time.Now()
		w.ok(pe.CloseContext(w.ctx))
		if took := time.Since(start); took > 0 {
			w.Errorf("took %v", took)
		}
	})
}

// TestCloseWithoutARegistrar gives up after a second, CloseContext says so.
func TestCloseWithoutARegistrar(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		p.registrar()
		opts := w.process().options()
		opts.NoEmbedded = true
		l, err := Listen(w.ctx, "echo", opts)
		w.ok(err)
		m, err := Listen(w.ctx, "echo", opts)
		w.ok(err)
		p.kill()
		start := time.Now()
		w.ok(l.Close())
		if took := time.Since(start); took > linger {
			w.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(w.ctx, time.Millisecond)
		defer cancel()
		if err := m.s.CloseContext(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("got %v", err)
		}
	})
}

// TestCloseEndsRegistration: whoever waits for a registrar that never answers is
// told that the socket is closed, and not that all went well.
func TestCloseEndsRegistration(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		p.registrar()
		registered := w.process().socket()
		w.ok(registered.Register(w.ctx, "echo", Registration{}))
		for _, ep := range p.endpoints {
			ep.Freeze()
		}
		s := w.process().socket()
		waiting := make(chan error, 2)
		go func() { waiting <- s.Register(w.ctx, "echo", Registration{}) }()
		go func() { waiting <- registered.Deregister(w.ctx) }()
		synctest.Wait()
		w.ok(s.Close())
		w.ok(registered.Close())
		for range 2 {
			if err := <-waiting; !errors.Is(err, ErrClosed) {
				w.Errorf("got %v", err)
			}
		}
	})
}
