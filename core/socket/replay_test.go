package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport/open"
)

// counter is a service whose state is the number of the message that comes
// next. It lives in cookies; whoever finds another number has been given a
// message twice, or was never given one.
type counter struct {
	mu    sync.Mutex
	state map[SessionID]uint64
	seen  uint64
	err   error
}

// take deals with what one TryRecv returned, and returns the state to leave
// behind, if it is time for that.
func (c *counter) take(info RecvInfo, b []byte, cookie bool) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch n := binary.BigEndian.Uint64(b); {
	case info.CookieEcho:
		c.state[info.Session] = n
		return nil
	case n != c.state[info.Session]:
		if c.err == nil {
			c.err = fmt.Errorf("message %d where %d is due", n, c.state[info.Session])
		}
		return nil
	}
	c.state[info.Session]++
	c.seen = max(c.seen, c.state[info.Session])
	if !cookie {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, c.state[info.Session])
}

func withReplay(c *Config) {
	c.Replay, c.SendBuffer, c.PoolKey = true, minBuffer, []byte("a secret of 16 +")
}

// TestReplayCountsEveryMessageOnce over elements that are killed at any moment,
// with messages and cookies on the way, received and not read, read and not
// covered.
func TestReplayCountsEveryMessageOnce(t *testing.T) {
	for seed := range uint64(20) {
		run(t, func(w *world) { countThroughKills(w, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func countThroughKills(w *world, rng *rand.Rand) {
	w.process().registrar()
	alive := map[*process]*Socket{}
	states := map[*Socket]*counter{}
	start := func() {
		p, s := w.pe("count", withReplay, Registration{})
		alive[p], states[s] = s, &counter{state: map[SessionID]uint64{}}
	}
	start()
	pu := w.pu("count", withReplay)
	var sent uint64
	refused, kills := 0, 0
	send := func(n int) {
		for range n {
			switch err := pu.TrySend(append(binary.BigEndian.AppendUint64(nil, sent), make([]byte, 92)...), nil); {
			case errors.Is(err, ErrWouldBlock):
				refused++
				return
			case err != nil:
				w.Fatal(err)
			}
			sent++
		}
	}
	work := func(s *Socket, n int, often int) {
		buf := make([]byte, 100)
		for range n {
			var info RecvInfo
			k, err := s.TryRecv(buf, &info, 0)
			if err != nil {
				return
			}
			if state := states[s].take(info, buf[:k], rng.IntN(often) == 0); state != nil {
				_ = s.SendCookie(info.Session, state) // no room: a later one covers the same
			}
		}
	}
	for range 300 {
		switch rng.IntN(6) {
		case 0:
			if len(alive) < 4 {
				start()
			}
		case 1:
			serving, _ := pu.PeerName(0)
			for p, s := range alive {
				if n, _ := s.LocalName(); n.PE == serving.PE && len(alive) > 1 {
					if rng.IntN(2) == 0 {
						for _, ep := range p.endpoints {
							ep.Freeze()
						}
						send(rng.IntN(20))
					}
					work(s, rng.IntN(10), 2)
					delete(alive, p)
					p.kill()
					kills++
				}
			}
		case 2, 3:
			send(rng.IntN(40))
		default:
			for _, s := range alive {
				work(s, rng.IntN(60), 1+rng.IntN(8))
			}
		}
		if rng.IntN(2) == 0 {
			time.Sleep(time.Duration(rng.IntN(2000)) * time.Millisecond)
		}
		if rng.IntN(3) > 0 {
			synctest.Wait()
		}
		if st := pu.Status(); st.Sessions[0].Queued > minBuffer+100 {
			w.Fatalf("%d bytes are kept, 4096 are allowed", st.Sessions[0].Queued)
		}
	}
	for range 30 {
		time.Sleep(time.Second)
		for _, s := range alive {
			work(s, 1000, 1)
			for id, n := range states[s].state {
				_ = s.SendCookie(id, binary.BigEndian.AppendUint64(nil, n)) // sessions that have left: no matter
			}
		}
	}
	var seen uint64
	for _, c := range states {
		if c.err != nil {
			w.Fatal(c.err)
		}
		seen = max(seen, c.seen)
	}
	if seen != sent || sent < 100 || kills < 5 || refused == 0 {
		w.Fatalf("%d of %d messages counted, %d kills, %d refused; %+v", seen, sent, kills, refused, pu.Status())
	}
	if st := pu.Status().Sessions[0]; st.Uncovered != 0 || st.Queued != 0 {
		w.Errorf("still kept: %+v", st)
	}
}

// TestLoopbackReplay is the same over UDP, with sockets that disappear.
func TestLoopbackReplay(t *testing.T) {
	s := newSite(t)
	var mu sync.Mutex
	alive := map[PEID]*Listener{}
	c := map[PEID]*counter{}
	start := func() {
		opts := s.options()
		opts.host = newHost(open.Endpoint)
		withReplay(&opts.Config)
		l, err := Listen(s.ctx, "count", opts)
		s.ok(err)
		id, count := l.Name().PE, &counter{state: map[SessionID]uint64{}}
		mu.Lock()
		alive[id], c[id] = l, count
		mu.Unlock()
		go serveCounter(s.ctx, l, count)
	}
	start()
	start()
	opts := s.options()
	withReplay(&opts.Config)
	pu, err := Dial(s.ctx, "count", opts)
	s.ok(err)
	defer pu.Close()
	const total, kills = 4000, 8
	for i := range uint64(total) {
		if i%(total/kills) == total/kills/2 {
			serving := pu.Peer().PE
			start()
			mu.Lock()
			if l := alive[serving]; l != nil {
				l.s.port.Close()
				delete(alive, serving)
			}
			mu.Unlock()
		}
		s.ok(pu.Send(s.ctx, binary.BigEndian.AppendUint64(nil, i)))
	}
	for pu.Status().Uncovered > 0 {
		s.ok(s.ctx.Err())
		time.Sleep(5 * time.Millisecond)
	}
	var seen uint64
	mu.Lock()
	defer mu.Unlock()
	for _, count := range c {
		count.mu.Lock()
		s.ok(count.err)
		seen = max(seen, count.seen)
		count.mu.Unlock()
	}
	if seen != total || pu.Status().Failovers < kills/2 {
		t.Errorf("%d of %d messages counted, %d failovers", seen, total, pu.Status().Failovers)
	}
}

func serveCounter(ctx context.Context, l *Listener, count *counter) {
	for {
		in, err := l.Accept(ctx)
		if err != nil {
			return
		}
		go func() {
			for {
				b, info, err := in.RecvMessage(ctx)
				if err != nil {
					return
				}
				if state := count.take(info, b, rand.IntN(5) == 0 || in.Status().Unread == 0); state != nil {
					_ = in.SendCookie(ctx, state) // it ends: the next element gets what is not covered
				}
			}
		}()
	}
}

// TestReplayRefusesWhatCannotBeCounted, and changes of mind.
func TestReplayRefusesWhatCannotBeCounted(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		w.pe("r", withReplay, Registration{})
		pu := w.pu("r", withReplay)
		for _, info := range []SendInfo{{Stream: 1}, {Unordered: true}, {Lifetime: time.Second}} {
			if err := pu.TrySend([]byte("x"), &info); !errors.Is(err, ErrInvalid) {
				t.Errorf("%+v: %v", info, err)
			}
		}
		o := pu.Options()
		o.Replay = false
		if err := pu.SetSessionOptions(0, o); !errors.Is(err, ErrInvalid) {
			t.Errorf("changed within a session: %v", err)
		}
	})
}
