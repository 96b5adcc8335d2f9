package socket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// TestFailBack: an element goes on with the like of a pool user that was an
// element itself and fails: with the one that its business card prefers
// (OVR-4.2-04, ASAP-3.9-01, ASAP-3.9-02, ASAP-3.9-05, ASAP-3.9-06).
func TestFailBack(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"default": func(*Config) {},
		"replay":  func(c *Config) { c.Replay = true },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				r := w.process().registrar()
				_, b := w.pe("server", func(c *Config) { change(c); c.FailBack, c.Notifications = true, NotifyAll }, Registration{})
				clients := map[PEID]*Socket{}
				for id := range PEID(4) {
					_, clients[id+1] = w.pe("clients", change, Registration{PE: id + 1})
				}
				p, a := w.pe("clients", change, Registration{PE: 9, Preferred: []PEID{3, 2}})
				w.ok(a.Connect(w.ctx, "server"))
				w.send(a, 0, "x")
				session := w.reads("server", b, "SessionAdded", "x")
				if n, err := b.PeerName(session); err != nil || n != (Name{Pool: "clients", PE: 9}) {
					t.Errorf("its pool user is %v, %v", n, err)
				}
				w.send(b, session, "y")
				synctest.Wait()
				p.freeze()
				w.send(b, session, "z")
				p.kill()
				time.Sleep(time.Second)
				w.send(b, session, "later")
				back := w.reads("preferred like of the lost one", clients[3], "z", "later")
				w.reads("server", b, "FailoverBegun doubt 0", "FailoverCompleted doubt 0 resent 1")
				if n, err := b.PeerName(session); err != nil || n != (Name{Pool: "clients", PE: 3}) {
					t.Errorf("then it is %v, %v", n, err)
				}
				w.send(clients[3], back, "answer")
				w.reads("server", b, "answer")
				for _, pool := range r.Pools() {
					if pool.Handle == "clients" && len(pool.Elements) != 4 {
						t.Errorf("the lost one was not reported: %+v", pool.Elements)
					}
				}
				w.ok(clients[3].EndSession(back))
				time.Sleep(time.Second)
				w.send(b, session, "moves on as that of any pool user")
				synctest.Wait()
				w.ok(b.EndSession(session))
			})
		})
	}
}

// TestFailBackOnlyAfterFailures, and only where it is asked for, and to elements.
func TestFailBackOnlyAfterFailures(t *testing.T) {
	for name, c := range map[string]struct {
		failBack, element, kill bool
	}{
		"not asked for":     {false, true, true},
		"a plain pool user": {true, false, true},
		"a graceful end":    {true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				w.process().registrar()
				_, b := w.pe("server", func(cfg *Config) { cfg.FailBack, cfg.Notifications = c.failBack, NotifyAll }, Registration{})
				_, other := w.pe("clients", nil, Registration{})
				p := w.process()
				a := p.socket()
				if c.element {
					w.ok(a.Register(w.ctx, "clients", Registration{}))
				}
				w.ok(a.Connect(w.ctx, "server"))
				w.send(a, 0, "x")
				session := w.reads("server", b, "SessionAdded", "x")
				p.freeze()
				w.send(b, session, "y")
				if c.kill {
					p.kill()
				} else {
					w.ok(b.EndSession(session))
				}
				time.Sleep(20 * time.Second)
				w.reads("other", other)
				want := []string{"Undelivered", "SessionRemoved"}
				if !c.kill {
					want = nil
				}
				w.reads("server", b, want...)
			})
		})
	}
}

// TestCardsRecommend: the plain card comes first; one with what is preferred
// follows, and can come from either side (ASAP-3.9-01, ASAP-3.9-02, ASAP-3.9-04).
func TestCardsRecommend(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.pe("servers", nil, Registration{PE: 1})
		w.pe("clients", nil, Registration{PE: 2})
		p := w.process()
		sp, cp := p.tap(), w.process()
		served := p.socket()
		w.ok(served.Register(w.ctx, "servers", Registration{PE: 3, Preferred: []PEID{1}}))
		seen := cp.tap()
		both := cp.socket()
		w.ok(both.Register(w.ctx, "clients", Registration{PE: 4, Preferred: []PEID{2}}))
		for w.connectTo(both, "servers") != 3 {
			w.ok(both.EndSession(0))
		}
		w.send(both, 0, "x")
		w.reads("server", served, "x")
		for what, c := range map[string]struct {
			tap  *tap
			want [][]PEID
		}{"element": {sp, [][]PEID{{3}, {1, 3}}}, "user": {seen, [][]PEID{{4}, {2, 4}}}} {
			var got [][]PEID
			for _, m := range of[asap.BusinessCard](c.tap) {
				var ids []PEID
				for _, e := range m.message.(asap.BusinessCard).Elements {
					ids = append(ids, e.ID)
				}
				got = append(got, ids)
			}
			if n := len(got); n > 2 { // other sessions before
				got = got[n-2:]
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("cards of the %s (-want +got):\n%s", what, diff)
			}
		}
	})
}

// connectTo connects and returns the element.
func (w *world) connectTo(s *Socket, pool string) PEID {
	w.Helper()
	w.ok(s.Connect(w.ctx, pool))
	synctest.Wait()
	n, err := s.PeerName(0)
	w.ok(err)
	return n.PE
}
