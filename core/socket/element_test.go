package socket

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func TestListenerChangesAndLeaves(t *testing.T) {
	run(t, func(w *world) {
		r := w.process().registrar()
		policy := Policy{Type: WeightedRandom, Weight: 5}
		l := w.process().echo("echo", Registration{Policy: policy})
		c := w.process().dial("echo")
		w.exchange(c, "one")
		policy.Weight = 6
		w.ok(l.Update(w.ctx, Registration{Policy: policy, Life: time.Hour}))
		if got := r.Pools()[0].Elements[0]; got.Policy != policy || got.Life != 3600 || got.Home != r.ID() {
			w.Errorf("the registrar knows %+v", got)
		}
		// ASAP-3.2-07: sessions that stand go on.
		w.ok(l.Deregister(w.ctx))
		w.exchange(c, "two")
		if pools := r.Pools(); len(pools) != 0 || l.Name() != (Name{}) || l.Status().Registered {
			w.Errorf("still registered: %+v, %+v", pools, l.Status())
		}
		if err := l.Deregister(w.ctx); !errors.Is(err, ErrNotRegistered) {
			w.Errorf("again: %v", err)
		}
	})
}

// TestControlNeverReachesTheApplication (ASAP-5-05): what has PPID 11 is
// answered or dropped, whoever sends it.
func TestControlNeverReachesTheApplication(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		pe := w.process().socket()
		w.ok(pe.Register(w.ctx, "echo", Registration{}))
		name, err := pe.LocalName()
		w.ok(err)
		ep, _, err := w.process().open(transport.Config{})
		w.ok(err)
		stranger := loop.NewPort(ep)
		id, err := stranger.Connect(pe.LocalAddrs(), nil)
		w.ok(err)
		var info assoc.RecvInfo
		_, err = stranger.Receive(&info)
		w.ok(err)
		ask := func(b []byte, want asap.Message) {
			w.Helper()
			w.ok(stranger.SendControl(id, protocol.PPIDASAP, b))
			synctest.Wait()
			b, err := stranger.Receive(&info)
			if want == nil {
				if !errors.Is(err, assoc.ErrWouldBlock) {
					w.Errorf("got %x, %v; want nothing", b, err)
				}
				return
			}
			w.ok(err)
			got, _, err := asap.Parse(b)
			if diff := cmp.Diff(want, got); diff != "" || err != nil || info.PPID != protocol.PPIDASAP {
				w.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		// A registrar that is not home gets its acknowledgement (ASAP-3.4-03).
		probe, err := asap.Append(nil, asap.EndpointKeepAlive{Server: 77, Handle: "echo"})
		w.ok(err)
		ask(probe, asap.EndpointKeepAliveAck{Handle: "echo", ID: name.PE})
		// Unknown message, action bits 01 (COM-4-05).
		ask([]byte{0x41, 0, 0, 4}, asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedMessage, Info: []byte{0x41, 0, 0, 4}}}})
		ask([]byte{0x11, 0, 0, 4}, nil) // action bits 00 (COM-4-04)
		ask([]byte{1, 2}, nil)          // COM-4-07
		if _, err := pe.TryRecv(make([]byte, 9), nil, 0); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("the application receives something: %v", err)
		}
		if st := pe.Status(); len(st.Sessions) != 0 {
			w.Errorf("a registrar's association is a session: %+v", st.Sessions)
		}
	})
}

// TestElementEndsASession: its pool user goes on, here with the same element.
func TestElementEndsASession(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l, err := Listen(w.ctx, "echo", w.process().options())
		w.ok(err)
		defer l.Close()
		c := w.process().dial("echo")
		for _, line := range []string{"one", "two"} {
			w.ok(c.Send(w.ctx, []byte(line)))
			in, err := l.Accept(w.ctx)
			w.ok(err)
			if b, err := in.Recv(w.ctx); err != nil || string(b) != line {
				w.Errorf("got %q, %v", b, err)
			}
			w.ok(in.Close())
			if err := in.Close(); !errors.Is(err, ErrClosed) && !errors.Is(err, ErrNotConnected) && err != nil {
				w.Errorf("closed again: %v", err)
			}
			synctest.Wait()
			time.Sleep(20 * time.Second)
		}
		if st := c.Status(); st.Failovers != 2 || !st.Connected {
			w.Errorf("session: %+v", st)
		}
	})
}

func TestConnectThatIsGivenUp(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p := w.process()
		pe := p.socket()
		w.ok(pe.Register(w.ctx, "echo", Registration{}))
		p.endpoints[0].Freeze()
		pu := w.process().socket()
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		if err := pu.Connect(ctx, "echo"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) || errors.Is(err, ErrNoRegistrar) {
			w.Errorf("got %v", err)
		}
		if _, err := pu.PeerName(0); !errors.Is(err, ErrNotConnected) {
			w.Errorf("afterwards: %v", err)
		}
		p.kill()
		w.ok(w.process().socket().Register(w.ctx, "echo", Registration{}))
		w.ok(pu.Connect(w.ctx, "echo"))
	})
}

// TestLifetimeEndsInTheQueue: a message whose time is over is not sent to the
// next element.
func TestLifetimeEndsInTheQueue(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p := w.process()
		w.ok(p.socket().Register(w.ctx, "echo", Registration{}))
		pu := w.process().socket()
		w.ok(pu.Connect(w.ctx, "echo"))
		p.kill()
		synctest.Wait()
		w.ok(pu.TrySend([]byte("short"), &SendInfo{Lifetime: time.Second}))
		w.ok(pu.TrySend([]byte("long"), &SendInfo{Lifetime: time.Minute}))
		time.Sleep(2 * time.Second)
		next := w.process().socket()
		w.ok(next.Register(w.ctx, "echo", Registration{}))
		time.Sleep(5 * time.Second)
		buf := make([]byte, 9)
		if n, err := next.TryRecv(buf, nil, 0); err != nil || string(buf[:n]) != "long" {
			w.Errorf("got %q, %v", buf[:n], err)
		}
		if _, err := next.TryRecv(buf, nil, 0); !errors.Is(err, ErrWouldBlock) {
			w.Errorf("then: %v", err)
		}
	})
}
