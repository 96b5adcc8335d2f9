package socket

import (
	"net/netip"
	"testing"
	"time"
)

// TestHungElement: an element that answers nobody is removed by its registrar,
// and its sessions move at once although the transport sees nothing
// (ASAP-2.2.5-01, ASAP-2.2.6-01).
func TestHungElement(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p, e1 := w.pe("h", nil, Registration{})
		pu := w.pu("h", all)
		w.send(pu, 0, "a", "b")
		w.reads("first", e1, "a", "b")
		_, e2 := w.pe("h", nil, Registration{})
		for _, ep := range p.endpoints {
			ep.Freeze()
		}
		w.send(pu, 0, "c")
		start := time.Now()
		for pu.Status().Sessions[0].Failovers == 0 && time.Since(start) < time.Minute {
			time.Sleep(10 * time.Millisecond)
		}
		w.reads("user", pu, "SessionAdded", "FailoverBegun doubt 2", "FailoverCompleted doubt 2 resent 1")
		w.reads("second", e2, "c")
		if took := time.Since(start); took > 3*time.Second {
			w.Errorf("took %v", took)
		}
	})
}

// TestHungElementAlone: where there is no other it is better than nothing; when
// one comes the session moves.
func TestHungElementAlone(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p, e1 := w.pe("h", nil, Registration{})
		pu := w.pu("h", nil)
		w.send(pu, 0, "a")
		w.reads("first", e1, "a")
		for _, ep := range p.endpoints {
			ep.Freeze()
		}
		time.Sleep(2 * time.Minute)
		if st := pu.Status().Sessions[0]; !st.Connected || st.Failovers > 0 {
			w.Errorf("without another element: %+v", st)
		}
		w.send(pu, 0, "b")
		_, e2 := w.pe("h", nil, Registration{})
		time.Sleep(5 * time.Second)
		w.reads("second", e2, "b")
	})
}

// TestDeregisteredElementKeepsItsSessions: it is gone from the pool, but well.
func TestDeregisteredElementKeepsItsSessions(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, e1 := w.pe("h", nil, Registration{})
		pu := w.pu("h", nil)
		w.send(pu, 0, "a")
		id := w.reads("first", e1, "a")
		w.ok(e1.SendCookie(id, []byte("state")))
		w.pe("h", nil, Registration{})
		w.ok(e1.Deregister(w.ctx))
		time.Sleep(time.Minute)
		w.send(pu, 0, "b")
		w.reads("first", e1, "b")
		w.ok(e1.SendCookie(id, []byte("later")))
		if n := pu.Status().Sessions[0].Failovers; n > 0 {
			w.Errorf("%d failovers", n)
		}
	})
}

// TestForgetfulRegistrar: one that starts again knows no element yet, which
// says nothing about them.
func TestForgetfulRegistrar(t *testing.T) {
	run(t, func(w *world) {
		p := w.process()
		p.registrar()
		opts := func(c *Config) { c.NoEmbedded = true }
		var elements []*Socket
		for range 3 {
			_, e := w.pe("h", opts, Registration{})
			elements = append(elements, e)
		}
		pu := w.pu("h", opts)
		for range 5 {
			p.kill()
			time.Sleep(3 * time.Second)
			p = w.process()
			_, err := StartRegistrar(w.ctx, RegistrarConfig{ASAP: []netip.AddrPort{loopback}, Config: p.config()})
			w.ok(err)
			time.Sleep(20 * time.Second)
		}
		if n := pu.Status().Sessions[0].Failovers; n > 0 {
			w.Errorf("%d failovers", n)
		}
		for _, e := range elements {
			if !e.Status().Registered {
				w.Error("an element is not registered")
			}
		}
	})
}
