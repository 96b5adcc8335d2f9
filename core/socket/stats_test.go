package socket

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func (w *world) stats(s *Socket, id SessionID) SessionStats {
	w.Helper()
	st, err := s.Stats(id)
	w.ok(err)
	return st
}

// TestStats counts what waits in each direction, once.
func TestStats(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("stats", nil, Registration{})
		for _, replay := range []bool{false, true} {
			pu := w.pu("stats", func(c *Config) { c.Replay = replay })
			w.send(pu, 0, "a", "bc")
			synctest.Wait()
			st := w.stats(pu, 0)
			want := Queue{}
			if replay {
				want = Queue{Messages: 2, Bytes: 3} // no cookie covers them
			}
			if st.Sending != want || st.State != Established || st.Transport != "memory" || len(st.Local) != 1 {
				t.Errorf("replay %v: pool user: %+v", replay, st)
			}
			var info RecvInfo
			if _, err := pe.TryRecv(make([]byte, 9), &info, 0); err != nil {
				t.Fatal(err)
			}
			if st := w.stats(pe, info.Session); st.Receiving != (Queue{Messages: 1, Bytes: 2}) || st.ID != info.Session {
				t.Errorf("replay %v: element: %+v", replay, st)
			}
			w.reads("element", pe, "bc")
			w.ok(pu.EndSession(0))
			synctest.Wait()
		}
		if _, err := pe.Stats(0); !errors.Is(err, ErrNotConnected) {
			t.Errorf("without a session: %v", err)
		}
	})
}

// TestStatsOfMoves: the states that a session goes through, and what waits for the
// next element.
func TestStatsOfMoves(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p, _ := w.pe("stats", nil, Registration{})
		c := w.process().dial("stats")
		if st := c.Stats(); st.State != Established || st.Failovers != 0 {
			t.Errorf("at first: %+v", st)
		}
		p.kill()
		synctest.Wait()
		w.ok(c.Send(w.ctx, []byte("waits")))
		if st := c.Stats(); st.State != Moving || st.Sending != (Queue{Messages: 1, Bytes: 5}) || len(st.Addrs)+len(st.Local) != 0 {
			t.Errorf("without an element: %+v", st)
		}
		w.pe("stats", nil, Registration{})
		time.Sleep(10 * time.Second)
		if st := c.Stats(); st.State != Established || st.Failovers != 1 || st.Sending != (Queue{}) {
			t.Errorf("with the next one: %+v", st)
		}
		w.ok(c.Close())
		if st := c.Stats(); st.State != Ended {
			t.Errorf("at the end: %+v", st)
		}
	})
}
