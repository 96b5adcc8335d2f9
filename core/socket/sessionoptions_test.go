package socket

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

func TestOptions(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.pe("o", nil, Registration{})
		pu := w.process().socket()
		o := pu.Options()
		if o.FailoverLimit != 15*time.Second || o.SendBuffer != 4<<20 || o.RTOMin != assoc.Default().RTOMin || o.Notifications != 0 {
			t.Errorf("defaults: %+v", o)
		}
		o.FailoverLimit, o.SendBuffer = 3*time.Second, 5000
		w.ok(pu.SetOptions(o))
		w.ok(pu.Connect(w.ctx, "o"))
		got, err := pu.SessionOptions(0)
		if err != nil || got != o {
			t.Errorf("the session began with %+v, %v", got, err)
		}
		if _, err := pu.SessionOptions(77); !errors.Is(err, ErrNotConnected) {
			t.Errorf("no such session: %v", err)
		}
		w.ok(pu.SetSessionOptions(0, SessionOptions{}))
		if got, _ = pu.SessionOptions(0); got.SendBuffer != 4<<20 {
			t.Errorf("zero is not the default: %+v", got)
		}
		if got := pu.Options(); got != o {
			t.Errorf("the socket's changed with the session's: %+v", got)
		}
		for name, bad := range map[string]SessionOptions{
			"buffer":       {SendBuffer: -1},
			"RTO":          {RTOMin: time.Second, RTOMax: time.Millisecond},
			"notification": {Notifications: 1 << 15},
			"retransmits":  {AssocRetransmits: -1},
		} {
			if err := pu.SetSessionOptions(0, bad); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
			if err := pu.SetOptions(bad); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s of the socket: %v", name, err)
			}
		}
	})
}

// TestFailoverLimitOfASession: it changes while the session stands.
func TestFailoverLimitOfASession(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p, _ := w.pe("o", nil, Registration{})
		pu := w.pu("o", func(c *Config) { c.FailoverLimit = time.Hour })
		o, _ := pu.SessionOptions(0)
		o.FailoverLimit = 2 * time.Second
		w.ok(pu.SetSessionOptions(0, o))
		p.kill()
		start := time.Now()
		synctest.Wait()
		for {
			if _, err := pu.TryRecv(nil, nil, 0); !errors.Is(err, ErrWouldBlock) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(start); took < time.Second || took > 3*time.Second {
			t.Errorf("failed after %v, the limit is 2 s", took)
		}
	})
}

// listening records the parameters that a transport is given.
type listening struct {
	transport.Endpoint
	connect []assoc.Params
	set     map[assoc.ID]assoc.Params
}

func (l *listening) Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error) {
	if p != nil {
		l.connect = append(l.connect, *p)
	}
	return l.Endpoint.Connect(peer, p)
}

func (l *listening) SetParams(id assoc.ID, p assoc.Params) error {
	l.set[id] = p
	return l.Endpoint.SetParams(id, p)
}

func (l *listening) Lend() { l.Endpoint.(transport.Lender).Lend() }

func (l *listening) Return(id assoc.ID, bytes, messages int) {
	l.Endpoint.(transport.Lender).Return(id, bytes, messages)
}

// TestOptionsReachTheTransport, when a session begins and while it stands.
func TestOptionsReachTheTransport(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.pe("o", nil, Registration{})
		pu := w.process().socket()
		heard := &listening{set: map[assoc.ID]assoc.Params{}}
		open := pu.cfg.host.open
		pu.cfg.host.open = func(cfg transport.Config) (ep transport.Endpoint, kind string, err error) {
			heard.Endpoint, kind, err = open(cfg)
			return heard, kind, err
		}
		o := pu.Options()
		o.RTOMin, o.RTOInitial, o.RTOMax, o.Heartbeat, o.PathRetransmits, o.AssocRetransmits = 1e6, 2e6, 3e6, 4e6, 5, 6
		o.SendBuffer, o.ReceiveBuffer = 100_000, 1 // the registrar's association has its own
		o.DSCP = 46
		w.ok(pu.SetOptions(o))
		w.ok(pu.Connect(w.ctx, "o"))
		want := assoc.Params{RTOMin: 1e6, RTOInitial: 2e6, RTOMax: 3e6, HeartbeatInterval: 4e6, PathMaxRetrans: 5, AssocMaxRetrans: 6, DSCP: 46, SendBuffer: 100_000, ReceiveBuffer: minBuffer, Exclusive: true}
		if len(heard.connect) != 2 || heard.connect[1] != want {
			t.Errorf("connect with %+v", heard.connect)
		}
		if got := heard.connect[0]; got.SendBuffer != 256<<10 || got.ReceiveBuffer != 256<<10 {
			t.Errorf("connect to the registrar with %+v", got)
		}
		o.Heartbeat, o.DSCP = -1, 0
		want.HeartbeatInterval, want.DSCP, want.Exclusive = -1, -1, false
		w.ok(pu.SetSessionOptions(0, o))
		if got := heard.set[pu.table.Own().Assoc()]; got != want {
			t.Errorf("set to %+v", got)
		}
	})
}

// TestPreferredElements: an element names those that its sessions are to move
// to; the business card counts more than the policy (ASAP-3.9-01, ASAP-3.9-06,
// OVR-2.5-02).
func TestPreferredElements(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		var ids []PEID
		for i := range 6 {
			w.pe("b", nil, Registration{PE: PEID(i + 1)})
			ids = append(ids, PEID(i+1))
		}
		p, pe := w.pe("b", nil, Registration{PE: 7, Preferred: []PEID{5, 3}})
		pu := w.process().socket()
		for {
			w.ok(pu.Connect(w.ctx, "b"))
			if n, _ := pu.PeerName(0); n.PE == 7 {
				break
			}
			w.ok(pu.EndSession(0))
		}
		w.send(pu, 0, "x")
		w.reads("element", pe, "x")
		p.kill()
		time.Sleep(time.Second)
		if n, _ := pu.PeerName(0); n.PE != 5 {
			t.Errorf("the session moved to %v, want 5; there are %v", n.PE, ids)
		}
	})
}

// TestPoolUserThatIsAnElement introduces itself: the element can find its like
// again (ASAP-3.9-02, OVR-4.2-04).
func TestPoolUserThatIsAnElement(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, server := w.pe("server", nil, Registration{})
		_, both := w.pe("clients", nil, Registration{})
		w.ok(both.Connect(w.ctx, "server"))
		w.send(both, 0, "x")
		id := w.reads("element", server, "x")
		if n, err := server.PeerName(id); err != nil || n != (Name{Pool: "clients", PE: w.nameOf(both)}) {
			t.Errorf("its pool user is %v, %v", n, err)
		}
	})
}

// TestMutualUsers: two endpoints have one association, on which two sessions
// could not be told apart. The second is refused clearly, the first goes on,
// and nobody is called unreachable.
func TestMutualUsers(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		_, a := w.pe("a", nil, Registration{})
		_, b := w.pe("b", func(c *Config) { c.FailoverLimit = time.Second }, Registration{})
		w.ok(a.Connect(w.ctx, "b"))
		w.send(a, 0, "x")
		id := w.reads("b", b, "x")
		err := b.Connect(w.ctx, "a")
		if !errors.Is(err, ErrNoElement) || !strings.Contains(err.Error(), "another socket") {
			t.Errorf("got %v", err)
		}
		w.send(b, id, "y")
		w.reads("a", a, "y")
		time.Sleep(time.Minute)
		if n := len(r.Pools()); n != 2 {
			t.Errorf("%d pools are left", n)
		}
		_, c := w.pe("a", nil, Registration{}) // another element of the pool will do
		w.ok(b.Connect(w.ctx, "a"))
		w.send(b, 0, "z")
		w.reads("c", c, "z")
	})
}

// TestMutualUsersAtOnce: as before, when both connect at the same moment. One of
// them has the session, and the other hears of it as an element does.
func TestMutualUsersAtOnce(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		patience := func(c *Config) { c.FailoverLimit = time.Second }
		_, a := w.pe("a", patience, Registration{})
		_, b := w.pe("b", patience, Registration{})
		w.net.Cross()
		outcome := make(chan error)
		go func() { outcome <- a.Connect(w.ctx, "b") }()
		second := b.Connect(w.ctx, "a")
		first := <-outcome
		if first != nil {
			a, b, first, second = b, a, second, first
		}
		w.ok(first)
		if !errors.Is(second, ErrNoElement) || !strings.Contains(second.Error(), "another socket") {
			t.Errorf("got %v", second)
		}
		w.send(a, 0, "x")
		id := w.reads("element", b, "x")
		w.send(b, id, "y")
		w.reads("pool user", a, "y")
	})
}
