package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func (p *process) resolver() *Resolver {
	p.world.Helper()
	r, err := NewResolver(p.options())
	p.world.ok(err)
	p.world.Cleanup(func() { r.Close() })
	return r
}

// join registers a service at a loopback port that the world does not know.
func (p *process) join(pool string, port uint16, r Registration) *Member {
	p.world.Helper()
	opts := p.options()
	opts.Registration = r
	m, err := Join(p.world.ctx, pool, tcpAt(fmt.Sprintf("127.0.0.1:%d", port)), opts)
	p.world.ok(err)
	p.world.Cleanup(func() { m.Close() })
	return m
}

func tcpAt(addrs ...string) Transport {
	t := Transport{Protocol: TCP}
	for _, a := range addrs {
		t.Addrs = append(t.Addrs, netip.MustParseAddrPort(a))
	}
	return t
}

func (w *world) ids(r *Resolver, pool string, q Query) (ids []PEID) {
	w.Helper()
	elements, err := r.Resolve(w.ctx, pool, q)
	w.ok(err)
	for _, e := range elements {
		ids = append(ids, e.ID)
	}
	return ids
}

// ASAP-2.1-03, ASAP-2.2.1-02, ASAP-6.1-01: a service of every transport is
// registered, found, and leaves.
func TestJoinEveryTransport(t *testing.T) {
	for _, at := range []Transport{
		tcpAt("127.0.0.1:80"),
		{Protocol: UDP, Addrs: tcpAt("127.0.0.1:53").Addrs},
		{Protocol: UDPLite, Addrs: tcpAt("127.0.0.1:54").Addrs},
		{Protocol: DCCP, Addrs: tcpAt("127.0.0.1:55").Addrs, ServiceCode: 0xfeedbeef},
		{Protocol: SCTP, Addrs: tcpAt("127.0.0.1:56").Addrs},
		{Protocol: TCP, Addrs: tcpAt("0.0.0.0:81").Addrs},
	} {
		run(t, func(w *world) {
			w.process().registrar()
			pe := w.process()
			opts := pe.options()
			opts.Registration = Registration{Policy: Policy{Type: WeightedRoundRobin, Weight: 7}, Life: time.Minute, PE: 5}
			m, err := Join(w.ctx, "service", at, opts)
			w.ok(err)
			if n := m.Name(); n != (Name{Pool: "service", PE: 5}) {
				t.Errorf("it is %v", n)
			}
			r := w.process().resolver()
			got, err := r.Resolve(w.ctx, "service", Query{})
			w.ok(err)
			if status := r.Status(); status.Registrar == "" || status.Name != (Name{}) {
				t.Errorf("after an answer the resolver says of itself: %+v", status)
			}
			want := []Element{{
				ID: 5, Life: 60, Transport: at.Protocol, ServiceCode: at.ServiceCode, Policy: opts.Registration.Policy,
				Addrs: []netip.AddrPort{netip.AddrPortFrom(loopback.Addr(), at.Addrs[0].Port())},
			}}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Element{}, "Home"), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("%v (-want +got):\n%s", at, diff)
			}
			time.Sleep(10 * time.Minute / 2) // many keep-alives and renewals later
			if got := w.ids(r, "service", Query{MaxAge: -1}); !slices.Equal(got, []PEID{5}) {
				t.Errorf("then there are %v", got)
			}
			w.ok(m.Leave(w.ctx))
			if _, err := r.Resolve(w.ctx, "service", Query{MaxAge: -1}); !errors.Is(err, ErrUnknownPool) {
				t.Errorf("after it left: %v", err)
			}
		})
	}
}

// OVR-4.1-01, ASAP-6.9.2-01, ASAP-2.1-03: the primary server; when it has failed
// the next one, and the registrar learns of it.
func TestNextServer(t *testing.T) {
	run(t, func(w *world) {
		reg := w.process().registrar()
		first := w.process()
		first.join("service", 1, Registration{PE: 1})
		w.process().join("service", 2, Registration{PE: 2})
		r := w.process().resolver()
		if got := w.ids(r, "service", Query{Items: 1}); !slices.Equal(got, []PEID{1}) {
			t.Fatalf("the primary server is %v", got)
		}
		first.kill()
		w.ok(r.Failed(w.ctx, "service", 1))
		for range 3 {
			if got := w.ids(r, "service", Query{Items: 1}); !slices.Equal(got, []PEID{2}) {
				t.Errorf("the next server is %v", got)
			}
		}
		time.Sleep(10 * time.Second)
		if got := reg.Pools()[0].Elements; len(got) != 1 || got[0].ID != 2 {
			t.Errorf("the registrar has %v", got)
		}
	})
}

// ASAP-3.5-08: a server that hangs although its process lives stays registered,
// but this program goes to the other one.
func TestFailedButAlive(t *testing.T) {
	run(t, func(w *world) {
		reg := w.process().registrar()
		w.process().join("service", 1, Registration{PE: 1})
		w.process().join("service", 2, Registration{PE: 2})
		r := w.process().resolver()
		w.ids(r, "service", Query{})
		w.ok(r.Failed(w.ctx, "service", 1))
		synctest.Wait()
		if got := w.ids(r, "service", Query{MaxAge: -1}); !slices.Equal(got, []PEID{2, 1}) {
			t.Errorf("elements %v", got)
		}
		if n := len(reg.Pools()[0].Elements); n != 2 {
			t.Errorf("the registrar has %d elements", n)
		}
	})
}

// ASAP-6.4-01, ASAP-6.3-01: purging makes the next resolution ask.
func TestPurge(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.process().join("service", 1, Registration{PE: 1})
		r := w.process().resolver()
		r.Purge("service") // nothing is known yet
		w.ids(r, "service", Query{})
		w.process().join("service", 2, Registration{PE: 2})
		if got := w.ids(r, "service", Query{}); len(got) != 1 {
			t.Errorf("the cache has %v", got)
		}
		time.Sleep(time.Second)
		if got := w.ids(r, "service", Query{MaxAge: time.Second}); len(got) != 2 {
			t.Errorf("anew there are %v", got)
		}
		w.process().join("service", 3, Registration{PE: 3})
		r.Purge("service")
		if got := w.ids(r, "service", Query{}); len(got) != 3 {
			t.Errorf("after the purge there are %v", got)
		}
	})
}

// A thousand elements: a registrar gives the first 128, in turn.
func TestThousandElements(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		const n = 1000
		pe := w.process()
		for i := range n {
			pe.join("service", uint16(i+1), Registration{PE: PEID(i + 1)})
		}
		r := w.process().resolver()
		seen := map[PEID]bool{}
		for range 20 {
			ids := w.ids(r, "service", Query{MaxAge: -1, Items: 1 << 40})
			if len(ids) != 128 {
				t.Fatalf("%d elements", len(ids))
			}
			for _, id := range ids {
				seen[id] = true
			}
		}
		if len(seen) < 140 {
			t.Errorf("only %d elements were ever named", len(seen))
		}
		if got := w.ids(r, "service", Query{Items: 3}); len(got) != 3 {
			t.Errorf("%d elements instead of 3", len(got))
		}
	})
}

func TestBasicErrors(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		cfg := p.config()
		cfg.NoEmbedded = true
		opts := &Options{Config: cfg}
		_, err := Join(w.ctx, "service", tcpAt("127.0.0.1:80"), opts)
		if !errors.Is(err, ErrNoRegistrar) {
			t.Errorf("join without a registrar: %v", err)
		}
		r := w.process().resolver()
		if _, err := r.Resolve(w.ctx, "service", Query{}); !errors.Is(err, ErrNoRegistrar) {
			t.Errorf("resolve without a registrar: %v", err)
		}
		p.registrar()
		if _, err := r.Resolve(w.ctx, "service", Query{}); !errors.Is(err, ErrUnknownPool) {
			t.Errorf("resolve an unknown pool: %v", err)
		}
		if err := r.Failed(w.ctx, "service", 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("nobody failed: %v", err)
		}
		if err := r.Failed(w.ctx, "", 1); !errors.Is(err, ErrInvalid) {
			t.Errorf("failed in no pool: %v", err)
		}
		for _, at := range []Transport{
			{}, tcpAt(), tcpAt("127.0.0.1:0"), tcpAt("127.0.0.1:1", "127.0.0.2:1"), tcpAt("224.0.0.1:1"),
			{Protocol: SCTP, Addrs: tcpAt("127.0.0.1:1", "127.0.0.2:2").Addrs},
			{Protocol: SCTP, Addrs: tcpAt("0.0.0.0:1", "127.0.0.2:1").Addrs},
			{Protocol: TCP, Addrs: tcpAt("127.0.0.1:1").Addrs, ServiceCode: 1},
			{Protocol: 0x10, Addrs: tcpAt("127.0.0.1:1").Addrs},
			{Protocol: TCP, Addrs: make([]netip.AddrPort, 1)},
			TransportOf(&net.UnixAddr{}),
		} {
			if _, err := Join(w.ctx, "service", at, opts); !errors.Is(err, ErrInvalid) {
				t.Errorf("join at %v: %v", at, err)
			}
		}
		w.process().join("service", 1, Registration{PE: 1})
		// Other transports do not fit the pool, nor does its PE identifier.
		udp := Transport{Protocol: UDP, Addrs: tcpAt("127.0.0.1:9").Addrs}
		if _, err := Join(w.ctx, "service", udp, opts); !errors.Is(err, ErrRejected) {
			t.Errorf("join with another transport: %v", err)
		}
		opts.Registration.PE = 1
		if _, err := Join(w.ctx, "service", tcpAt("127.0.0.1:2"), opts); !errors.Is(err, ErrRejected) {
			t.Errorf("join as another element: %v", err)
		}
		r.Close()
		if err := r.Failed(w.ctx, "service", 1); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed resolver: %v", err)
		}
	})
}

// ASAP-2.2.1-02: the registrar does not take an address at which it does not see
// the element.
func TestJoinAtForeignAddress(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		opts := w.process().options()
		opts.Local = []netip.AddrPort{anyPort}
		if _, err := Join(w.ctx, "service", tcpAt("192.0.2.1:80"), opts); !errors.Is(err, ErrRejected) {
			t.Errorf("join at a foreign address: %v", err)
		}
	})
}

// A service is not spoken to over the endpoint that is for the registrar.
func TestMemberTakesNoSessions(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		m := w.process().join("service", 1, Registration{})
		w.process().echo("echo", Registration{})
		c := w.process().dial("echo")
		w.exchange(c, "there are sessions")
		if n := len(m.Status().Sessions); n != 0 {
			t.Errorf("%d sessions", n)
		}
		opts := w.process().options()
		opts.FailoverLimit = time.Second
		if _, err := Dial(w.ctx, "service", opts); !errors.Is(err, ErrNoElement) {
			t.Errorf("a session with a TCP service: %v", err)
		}
	})
}

// SetLoad and Update work for services as well.
func TestMemberUpdate(t *testing.T) {
	run(t, func(w *world) {
		reg := w.process().registrar()
		m := w.process().join("service", 1, Registration{Policy: Policy{Type: LeastUsed, Load: 1}})
		element := func() Element { return reg.Pools()[0].Elements[0] }
		w.ok(m.SetLoad(Policy{Type: LeastUsed, Load: 2}))
		time.Sleep(time.Second)
		if e := element(); e.Policy.Load != 2 || e.Transport != TCP || e.Addrs[0].Port() != 1 {
			t.Errorf("it is %v", e)
		}
		w.ok(m.Update(w.ctx, Registration{Policy: Policy{Type: LeastUsed, Load: 3}, Life: 77 * time.Second}))
		if e := element(); e.Policy.Load != 3 || e.Life != 77 || e.Transport != TCP {
			t.Errorf("it is %v", e)
		}
	})
}

// The interval of reports can be changed while the socket is in use.
func TestSetLoadInterval(t *testing.T) {
	run(t, func(w *world) {
		reg := w.process().registrar()
		s := w.process().socket()
		if s.LoadInterval() != time.Second || s.SetLoadInterval(-1) == nil {
			t.Errorf("the interval is %v", s.LoadInterval())
		}
		w.ok(s.SetLoadInterval(time.Minute))
		w.ok(s.Register(w.ctx, "service", Registration{Policy: Policy{Type: LeastUsed}}))
		told := func() uint32 { return reg.Pools()[0].Elements[0].Policy.Load }
		for i := range uint32(30) {
			w.ok(s.SetLoad(Policy{Type: LeastUsed, Load: i + 1}))
			time.Sleep(time.Second)
		}
		if n := told(); n != 1 {
			t.Errorf("after half a minute it is %d", n)
		}
		time.Sleep(time.Minute / 2)
		synctest.Wait()
		if n := told(); n != 30 {
			t.Errorf("after a minute it is %d", n)
		}
		w.ok(s.SetLoadInterval(0))
		if s.LoadInterval() != time.Second {
			t.Errorf("the default is %v", s.LoadInterval())
		}
	})
}

// Over real TCP: servers die, and the next connection goes to another one.
func TestResolverDial(t *testing.T) {
	s := newSite(t)
	type server struct {
		net.Listener
		*Member
	}
	servers := map[PEID]server{}
	for range 3 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		s.ok(err)
		opts := s.options()
		opts.Local = nil
		m, err := Join(s.ctx, "service", TransportOf(ln.Addr()), opts)
		s.ok(err)
		servers[m.Name().PE] = server{ln, m}
		t.Cleanup(func() { m.Close(); ln.Close() })
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				fmt.Fprint(c, m.Name().PE)
				c.Close()
			}
		}()
	}
	r, err := NewResolver(s.options())
	s.ok(err)
	defer r.Close()
	for left := len(servers); left > 0; left-- {
		seen := map[PEID]bool{}
		for range 2 * left {
			conn, e, err := r.Dial(s.ctx, "service")
			s.ok(err)
			var name string
			fmt.Fscan(conn, &name)
			conn.Close()
			if name != e.ID.String() {
				t.Errorf("element %v says that it is %v", e.ID, name)
			}
			seen[e.ID] = true
		}
		if len(seen) != left {
			t.Errorf("with %d servers, %d have something to do", left, len(seen))
		}
		for id := range seen {
			servers[id].Listener.Close()
			break
		}
	}
	if _, _, err := r.Dial(s.ctx, "service"); !errors.Is(err, ErrNoElement) {
		t.Errorf("without servers: %v", err)
	}
	ended, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, _, err := r.Dial(ended, "service"); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
}

// A pool of sessions is nothing to dial.
func TestResolverDialSCTP(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.process().echo("echo", Registration{})
		r := w.process().resolver()
		if _, _, err := r.Dial(w.ctx, "echo"); !errors.Is(err, ErrNoElement) || !errors.Is(err, ErrInvalid) {
			t.Errorf("dial an SCTP pool: %v", err)
		}
	})
}

// TestTryResolve: what the cache knows, each time as the policy says, and not a word to a
// registrar for what it does not know.
func TestTryResolve(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		r := w.process().resolver()
		blocks := func(what string, q Query) {
			t.Helper()
			if es, err := r.TryResolve("service", q); err != ErrWouldBlock {
				t.Errorf("%s: %v, %v; want ErrWouldBlock", what, es, err)
			}
		}
		blocks("before anything was asked", Query{})
		for id := range PEID(2) {
			opts := w.process().options()
			opts.Registration = Registration{PE: id + 1}
			_, err := Join(w.ctx, "service", tcpAt("127.0.0.1:80"), opts)
			w.ok(err)
		}
		_, err := r.Resolve(w.ctx, "other", Query{WaitForPool: new(time.Duration)})
		if !errors.Is(err, ErrUnknownPool) {
			t.Fatal(err)
		}
		blocks("of another pool", Query{})
		time.Sleep(time.Minute)
		blocks("asked for nothing a minute before", Query{})
		w.ids(r, "service", Query{})
		var first []PEID
		for range 4 {
			es, err := r.TryResolve("service", Query{})
			w.ok(err)
			first = append(first, es[0].ID)
		}
		if want := []PEID{first[0], 3 - first[0], first[0], 3 - first[0]}; !slices.Equal(first, want) {
			t.Errorf("in turn it chooses %v, want %v", first, want)
		}
		blocks("from a registrar", Query{MaxAge: -1})
		blocks("of more than it knows", Query{Items: 100})
		if _, err := r.TryResolve("", Query{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("without a name: %v", err)
		}
		w.ok(r.Close())
		if _, err := r.TryResolve("service", Query{}); err != ErrClosed {
			t.Errorf("closed: %v", err)
		}
	})
}
