package sctp_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// A scenario is everything that a seed decides before the run begins.
type scenario struct {
	seed    uint64
	hosts   int
	v6      bool
	wrap    bool // initial TSNs just before 2^32
	model   [2]linkModel
	params  assoc.Params
	nat     bool
	natMove time.Duration
	chaos   bool // shutdowns, aborts, crashes at random times
	slow    bool // readers that pause
	collide bool // both ends connect
	early   bool // data is sent before the association is up
	length  time.Duration
}

func (s scenario) String() string {
	return fmt.Sprintf("hosts %d v6 %v wrap %v nat %v chaos %v slow %v collide %v early %v\n  there %+v\n  back %+v\n  params %+v",
		s.hosts, s.v6, s.wrap, s.nat, s.chaos, s.slow, s.collide, s.early, s.model[0], s.model[1], s.params)
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func drawScenario(seed uint64) scenario {
	r := rand.New(rand.NewPCG(seed, 1))
	s := scenario{
		seed: seed, hosts: pick(r, 2, 2, 2, 3), v6: r.IntN(4) == 0, wrap: r.IntN(2) == 0,
		chaos: r.IntN(3) == 0, slow: r.IntN(4) == 0, collide: r.IntN(6) == 0, early: r.IntN(3) == 0, length: 20 * time.Second,
	}
	s.drawLinks(r)
	s.drawParams(r)
	if s.chaos {
		s.slow = false
	}
	if !s.v6 && r.IntN(8) == 0 {
		s.nat, s.natMove = true, time.Duration(r.IntN(2000))*time.Millisecond
		s.params.HeartbeatInterval = 500 * time.Millisecond
		s.hosts, s.collide = 2, false // nobody can connect to the inside
	}
	return s
}

func (s *scenario) drawLinks(r *rand.Rand) {
	kind := r.IntN(4)
	for i := range s.model {
		m := &s.model[i]
		m.delay = pick(r, 50*time.Microsecond, time.Millisecond, 10*time.Millisecond, 50*time.Millisecond, 150*time.Millisecond)
		if i == 1 && r.IntN(3) > 0 {
			m.delay = s.model[0].delay
		}
		if kind == 0 { // clean
			continue
		}
		if r.IntN(2) == 0 {
			m.jitter = time.Duration(1 + r.Int64N(int64(2*m.delay)))
			m.fifo = r.IntN(3) == 0
		}
		if kind == 1 { // reordering only
			continue
		}
		m.loss = pick(r, 0, 0.001, 0.01, 0.05, 0.2)
		if r.IntN(3) == 0 {
			m.burstEnter, m.burstLeave = 0.005, 0.2
		}
		m.dup = pick(r, 0, 0.01, 0.1)
		m.corrupt = pick(r, 0, 0, 0.01, 0.05)
		m.truncate = pick(r, 0, 0, 0.01)
		if r.IntN(3) == 0 {
			m.rate, m.queue = pick(r, 50_000, 250_000, 1_250_000), pick(r, 20*time.Millisecond, 200*time.Millisecond)
		}
		if r.IntN(4) == 0 {
			at := time.Duration(r.IntN(3000)) * time.Millisecond
			m.partitions = []window{{at, at + time.Duration(r.IntN(4000))*time.Millisecond}}
		}
	}
}

func (s *scenario) drawParams(r *rand.Rand) {
	buffer := pick(r, 16<<10, 64<<10, 256<<10, 1<<20, 4<<20)
	hb := pick(r, -1, 200*time.Millisecond, time.Second)
	s.params = assoc.Params{
		RTOInitial: pick(r, 100*time.Millisecond, 300*time.Millisecond, time.Second),
		RTOMin:     pick(r, 50*time.Millisecond, 100*time.Millisecond, 300*time.Millisecond),
		RTOMax:     pick(r, time.Second, 5*time.Second), HeartbeatInterval: hb,
		PathMaxRetrans: 60, AssocMaxRetrans: 60, MaxInitRetransmits: 40, ConnectTimeout: 10 * time.Minute,
		SackDelay: pick(r, 10*time.Millisecond, 20*time.Millisecond, 200*time.Millisecond), SackPackets: 2,
		CookieLife: time.Minute, MaxBurst: 4, ShutdownGuard: 20 * time.Minute,
		SendBuffer: pick(r, 16<<10, 256<<10, 4<<20), ReceiveBuffer: buffer,
		OutStreams: uint16(pick(r, 1, 4, 64)), InStreams: uint16(pick(r, 2, 64, 1024)),
		MTU: pick(r, 1280, 1500, 1500, 9000),
	}
	s.params.MaxMessage = min(buffer/2, s.params.SendBuffer/2, 1<<20)
	if s.chaos { // death is possible then
		s.params.AssocMaxRetrans, s.params.PathMaxRetrans = pick(r, 3, 10, 60), 60
	}
}

// play runs a scenario to its end and returns the world with its verdict.
func (s scenario) play(log func(string, ...any)) *world {
	w := newWorld(s.seed)
	if log != nil {
		w.log = log
	}
	clean := s.model[0].clean() && s.model[1].clean()
	w.calm, w.icmp = !s.chaos, s.chaos && s.seed%2 == 0
	w.early = s.early
	w.exact = clean && !s.chaos && s.hosts == 2 && !s.collide
	loaders := s.populate(w)
	s.script(w, loaders)
	w.afterStep = func() {
		for _, h := range w.hosts {
			h.obs.late()
		}
	}
	w.run(s.length, nil)
	s.finish(w, loaders)
	if w.err != nil {
		w.err = fmt.Errorf("%w\nscenario: %v", w.err, s)
	}
	return w
}

func (s scenario) populate(w *world) (loaders []*loader) {
	for i := range s.hosts {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), uint16(5001+i))
		if s.v6 {
			addr = netip.MustParseAddrPort(fmt.Sprintf("[2001:db8::%d]:%d", i+1, 5001+i))
		}
		cfg := sctp.Config{Params: s.params, NoInterleaving: s.seed%5 == uint64(i) || s.seed%5 == 2}
		if s.wrap {
			cfg.InitialTSN = func() uint32 { return 0xffffffff - uint32(w.rng.IntN(20)) }
		}
		l := newLoader(w, func(a *simAssoc) []*job {
			return randomJobs(w.rng, s.params.MaxMessage, s.params.OutStreams)
		})
		loaders = append(loaders, l)
		w.addHost(cfg, addr, l)
	}
	for _, a := range w.hosts {
		for _, b := range w.hosts {
			if a != b {
				w.link(a, b).linkModel = s.model[0]
				if a.index > b.index {
					w.link(a, b).linkModel = s.model[1]
				}
			}
		}
	}
	if s.nat {
		w.nat = &natBox{inside: w.hosts[0].addr.Port(), outside: 40000}
	}
	return loaders
}

// script schedules what happens to the world during the run.
func (s scenario) script(w *world, loaders []*loader) {
	r := w.rng
	a, b := w.hosts[0], w.hosts[1]
	w.after(0, func() { a.connect(b, nil) })
	if s.collide {
		w.after(time.Duration(r.Int64N(int64(3*s.model[0].delay))), func() { b.connect(a, nil) })
	}
	if s.hosts > 2 {
		c := w.hosts[2]
		w.after(time.Duration(r.IntN(100))*time.Millisecond, func() { c.connect(b, nil) })
		w.after(time.Duration(r.IntN(100))*time.Millisecond, func() { c.connect(a, nil) })
	}
	if s.nat {
		w.after(s.natMove, func() { w.nat.outside += 7 })
	}
	if s.slow {
		for _, h := range w.hosts {
			w.after(time.Duration(r.IntN(1500))*time.Millisecond, func() { h.pause(time.Duration(r.IntN(5000)) * time.Millisecond) })
		}
	}
	if s.chaos {
		for range 1 + r.IntN(6) {
			h := w.hosts[r.IntN(len(w.hosts))]
			w.after(time.Duration(r.IntN(6000))*time.Millisecond, func() { s.trouble(w, h) })
		}
		for _, l := range loaders {
			l.reconnect = func(old *simAssoc) {
				w.after(time.Duration(r.IntN(1000))*time.Millisecond, func() {
					if !l.over && !old.h.dead && (!s.nat || old.h.index == 0) {
						old.h.connect(old.peer, nil)
					}
				})
			}
		}
	}
}

// pause stops the application's reading for a while.
func (h *host) pause(d time.Duration) {
	h.paused = true
	h.w.after(d, func() {
		h.paused = false
		h.settle(causeRead)
	})
}

// trouble is one random thing that goes wrong.
func (s scenario) trouble(w *world, h *host) {
	if h.dead {
		return
	}
	var live []*simAssoc
	for _, a := range h.order {
		if a.live() {
			live = append(live, a)
		}
	}
	switch kind := w.rng.IntN(4); {
	case kind == 0:
		w.log("+%v %s crashes", w.now.Sub(w.start), h.name)
		h.crash()
		w.after(time.Duration(w.rng.IntN(2000))*time.Millisecond, h.boot)
		w.after(2*time.Second, func() {
			if peer := w.hosts[(h.index+1)%len(w.hosts)]; !h.app.(*loader).over && !s.nat {
				h.connect(peer, nil)
			}
		})
	case len(live) == 0:
	case kind == 1:
		pick(w.rng, live...).abort()
	default:
		pick(w.rng, live...).shutdown()
	}
}

// finish heals the network, lets everything arrive, ends every association
// and audits the books.
func (s scenario) finish(w *world, loaders []*loader) {
	for _, l := range w.links {
		l.heal()
	}
	if !s.chaos {
		s.complete(w, loaders)
	}
	for _, l := range loaders {
		l.over = true
	}
	for range 50 { // a late set-up may still come up
		ended := true
		for _, h := range w.hosts {
			for _, a := range h.order {
				if a.terminal == 0 && a.life == h.life && !h.dead {
					ended = false
					a.shutdown()
				}
			}
		}
		if ended && w.run(time.Minute, nil) {
			break
		}
		w.run(time.Minute, w.quiet)
	}
	if w.err == nil && len(w.events) > 0 {
		w.fail("packets still fly when all is over")
	}
	if w.err == nil {
		w.audit()
	}
}

// quiet says that no association is left and nothing flies.
func (w *world) quiet() bool {
	for _, h := range w.hosts {
		if h.paused {
			return false
		}
		for _, a := range h.order {
			if a.terminal == 0 && a.life == h.life && !h.dead {
				return false
			}
		}
	}
	return len(w.events) == 0
}

// complete waits until all work is done: on a healed path nothing may be
// missing (SCTP-7-01, 7-03).
func (s scenario) complete(w *world, loaders []*loader) {
	done := func() bool {
		for _, l := range loaders {
			if l.pending() > 0 {
				return false
			}
		}
		for _, m := range w.msgs {
			if m.delivered == 0 {
				return false
			}
		}
		return true
	}
	if w.run(10*time.Minute, done); w.err == nil && !done() {
		w.fail("not everything arrives on a healed path: %s", w.missing())
	}
}

func (w *world) missing() string {
	for _, m := range w.msgs {
		if m.delivered == 0 {
			return m.String()
		}
	}
	return "work left, all messages delivered"
}
