package socket

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// ledger is what all elements received, in the order in which they did.
type ledger struct {
	w     *world
	next  int // the number that has to come
	alive map[*process]*Socket
}

// start starts an element that books what it receives.
func (l *ledger) start() {
	l.w.Helper()
	p := l.w.process()
	s := p.socket()
	l.w.ok(s.Register(l.w.ctx, "ledger", Registration{}))
	l.alive[p] = s
}

// book reads what the elements have received.
func (l *ledger) book() {
	l.w.Helper()
	buf := make([]byte, 200)
	for _, s := range l.alive {
		for {
			n, err := s.TryRecv(buf, nil, 0)
			if err != nil {
				break
			}
			if want := fmt.Sprintf("%0100d", l.next); string(buf[:n]) != want {
				l.w.Fatalf("received %s, want %s", buf[90:n], want[90:])
			}
			l.next++
		}
	}
}

// kill ends the element with the given identifier. It is deaf for a moment
// before, so that what was sent meanwhile is known not to have arrived.
func (l *ledger) kill(id PEID, meanwhile func()) {
	for p, s := range l.alive {
		if n, _ := s.LocalName(); n.PE == id {
			synctest.Wait()
			l.book()
			for _, ep := range p.endpoints {
				ep.Freeze()
			}
			meanwhile()
			delete(l.alive, p)
			p.kill()
			return
		}
	}
}

// TestNothingIsLostReorderedOrDoubled whatever dies, as long as the transport
// knows what arrived.
// OVR-4.2-01, ASAP-6.5.5-01.
func TestNothingIsLostReorderedOrDoubled(t *testing.T) {
	for seed := range uint64(10) {
		run(t, func(w *world) { chaos(w, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func chaos(w *world, rng *rand.Rand) {
	registrar := w.process()
	startRegistrar := func() {
		_, err := StartRegistrar(w.ctx, RegistrarConfig{ASAP: []netip.AddrPort{loopback}, Config: registrar.config()})
		w.ok(err)
	}
	startRegistrar()
	l := &ledger{w: w, alive: map[*process]*Socket{}}
	l.start()
	cfg := w.process().config()
	cfg.SendBuffer = 2000
	cfg.NoEmbedded = true
	pu, err := NewSocket(cfg, "ip4")
	w.ok(err)
	defer pu.Close()
	w.ok(pu.Connect(w.ctx, "ledger"))
	sent := 0
	send := func(n int) {
		for range n {
			if pu.TrySend(fmt.Appendf(nil, "%0100d", sent), nil) != nil {
				return
			}
			sent++
		}
	}
	for range 60 {
		switch rng.IntN(8) {
		case 0, 1:
			l.start()
		case 2, 3:
			serving, _ := pu.PeerName(0)
			if len(l.alive) == 1 {
				l.start()
			}
			l.kill(serving.PE, func() { send(rng.IntN(30)) })
			send(rng.IntN(30))
		case 4:
			registrar.kill()
			send(rng.IntN(10))
			time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
			registrar = w.process()
			startRegistrar()
		default:
			send(rng.IntN(30))
		}
		time.Sleep(time.Duration(rng.IntN(3)) * time.Second)
		synctest.Wait()
		l.book()
	}
	for range 100 {
		time.Sleep(time.Second)
		l.book()
	}
	if l.next != sent || sent == 0 {
		w.Errorf("%d of %d messages arrived; the session: %+v", l.next, sent, pu.Status())
	}
}
