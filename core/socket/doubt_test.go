package socket

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhatIsLostIsInDoubt: elements are killed at any moment, with messages in
// the transport, received and not read. Each is answered when it is read; the
// failover says exactly how many never were, and everything else arrives once
// and in order.
func TestWhatIsLostIsInDoubt(t *testing.T) {
	for seed := range uint64(20) {
		run(t, func(w *world) { doubts(w, rand.New(rand.NewPCG(seed, 2))) })
	}
}

func doubts(w *world, rng *rand.Rand) {
	w.process().registrar()
	alive := map[PEID]*process{}
	sockets := map[PEID]*Socket{}
	start := func() {
		p, s := w.pe("q", nil, Registration{})
		n, _ := s.LocalName()
		alive[n.PE], sockets[n.PE] = p, s
	}
	start()
	start()
	pu := w.pu("q", func(c *Config) { c.SendBuffer, c.Notifications = 3000, NotifyFailover })
	var sent, next, lost, kills uint64
	send := func(n int) {
		for range n {
			if pu.TrySend(append(binary.BigEndian.AppendUint64(nil, sent), make([]byte, 92)...), nil) != nil {
				return
			}
			sent++
		}
	}
	buf := make([]byte, 200)
	work := func(id PEID, n int) {
		for range n {
			var info RecvInfo
			if _, err := sockets[id].TryRecv(buf, &info, 0); err != nil {
				return
			}
			if got := binary.BigEndian.Uint64(buf); got != next {
				w.Fatalf("message %d where %d is due", got, next)
			}
			next++
			w.ok(sockets[id].TrySend(buf[:8], &SendInfo{Session: info.Session}))
		}
	}
	// settle lets the user hear what there is: an answer, or how many
	// messages are never going to be answered.
	settle := func() {
		synctest.Wait()
		for {
			var info RecvInfo
			if _, err := pu.TryRecv(buf, &info, 0); err != nil {
				return
			}
			if n := info.Notification; n != nil && n.Type == FailoverBegun {
				next += uint64(n.InDoubt)
				lost += uint64(n.InDoubt)
			}
		}
	}
	for range 200 {
		send(rng.IntN(30))
		switch serving, _ := pu.PeerName(0); rng.IntN(4) {
		case 0:
			synctest.Wait()
			if alive[serving.PE] == nil {
				break
			}
			work(serving.PE, rng.IntN(30))
			if rng.IntN(2) == 0 { // the newest messages do not arrive
				for _, ep := range alive[serving.PE].endpoints {
					ep.Freeze()
				}
				send(rng.IntN(10))
			}
			settle()
			alive[serving.PE].kill()
			delete(alive, serving.PE)
			kills++
			start()
		default:
			synctest.Wait()
			if alive[serving.PE] != nil {
				work(serving.PE, rng.IntN(60))
			}
		}
		settle()
		if rng.IntN(2) == 0 {
			time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
			settle()
		}
	}
	for range 20 {
		time.Sleep(time.Second)
		settle()
		for id := range alive {
			work(id, 1000)
		}
	}
	if next != sent || kills < 10 || lost == 0 {
		w.Fatalf("%d messages sent, %d read or in doubt (%d); %d kills", sent, next, lost, kills)
	}
}
