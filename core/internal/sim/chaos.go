package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Chaos is a world in which everything fails at random, drawn from a seed.
type Chaos struct {
	*World
	rnd        *rand.Rand
	registrars []*Host
	elements   []*Host
	users      []*Host
	chain      bool // registrars know the one before them only
	multicast  bool // registrars know nobody, and find each other by multicast
	announce   bool // registrars announce themselves: PEs and PUs know none
	talks      bool // what PUs and PEs say to each other is what matters

	memory *rand.Rand // draws who is short of memory; nil: nobody is
}

// NewChaos builds the world of a seed: some registrars that know all or one of
// the others, or find them by multicast, PEs in a few pools, PUs over SCTP or TCP;
// slow or quick, with clocks that go wrong.
func NewChaos(seed uint64) *Chaos { return newChaos(seed, false) }

// NewShipped builds a world of the same kind in which all registrars run as
// shipped.
func NewShipped(seed uint64) *Chaos { return newChaos(seed, true) }

func newChaos(seed uint64, shipped bool) *Chaos {
	s := &Chaos{World: NewWorld(seed), rnd: rand.New(rand.NewPCG(seed, 0x53746f726d))}
	s.Net = s.profile()
	s.announce = s.rnd.IntN(4) == 0
	if s.rnd.IntN(3) == 0 {
		s.Copies = s.mistakes
	}
	s.addRegistrars(2+s.rnd.IntN(4), shipped)
	s.populate()
	return s
}

// NewLone builds a world with one registrar only, which keeps its state in a
// file.
func NewLone(seed uint64) *Chaos {
	s := &Chaos{World: NewWorld(seed), rnd: rand.New(rand.NewPCG(seed, 0x4c6f6e65))}
	s.Net = s.profile()
	s.registrars = append(s.registrars, s.AddRegistrar("r1", registrar.Shipped(), func() []*Host { return nil }))
	s.registrars[0].KeepState()
	s.populate()
	return s
}

// populate adds PEs in a few pools, and PUs.
func (s *Chaos) populate() {
	pools := 1 + s.rnd.IntN(3)
	for i := range 3 + s.rnd.IntN(15) {
		s.addElement(fmt.Sprintf("pe%d", i+1), protocol.PoolHandle(fmt.Sprint("pool", s.rnd.IntN(pools))))
	}
	for i := range 1 + s.rnd.IntN(3) {
		pool := protocol.PoolHandle(fmt.Sprint("pool", s.rnd.IntN(pools)))
		role := Role{Session: pool, Resolve: pool, Every: s.long(time.Second, 30*time.Second), TCP: !s.announce && s.rnd.IntN(4) == 0}
		h := s.addEndpoint(fmt.Sprintf("pu%d", i+1), role, endpoint.Config{Subscribe: s.rnd.IntN(2) == 0})
		s.users = append(s.users, h)
	}
	for _, h := range s.hosts {
		h.clock = clock{offset: s.long(time.Millisecond, time.Hour), drift: s.rnd.Int64N(2001) - 1000}
	}
}

// profile draws a network. The slowest is a bad mobile one.
func (s *Chaos) profile() Profile {
	p := Profile{DelayMin: s.long(50*time.Microsecond, 100*time.Millisecond)}
	p.DelayMax = p.DelayMin + s.long(time.Microsecond, 300*time.Millisecond)
	if s.rnd.IntN(2) == 0 {
		p.DetectMin, p.DetectMax = 500*time.Millisecond, 2*time.Second
	}
	if s.rnd.IntN(4) == 0 {
		p.Window = 64 << 10
	}
	if s.rnd.IntN(2) == 0 {
		p.Loss = s.rnd.IntN(30)
	}
	return p.orDefault()
}

// long draws from a range, each order of magnitude as likely as the others.
func (s *Chaos) long(low, high time.Duration) time.Duration { return long(s.rnd, low, high) }

func long(r *rand.Rand, low, high time.Duration) time.Duration {
	return time.Duration(float64(low) * math.Pow(float64(high)/float64(low), r.Float64()))
}

func (s *Chaos) addRegistrars(n int, shipped bool) {
	s.chain, s.multicast = s.rnd.IntN(4) == 0, s.rnd.IntN(4) == 0
	s.chain = s.chain && !s.multicast
	kind := s.rnd.IntN(3)
	if shipped {
		kind = 0
	}
	for i := range n {
		peers := func() []*Host {
			switch {
			case s.multicast:
				return nil
			case s.chain && i > 0:
				return s.registrars[i-1 : i]
			}
			return s.registrars
		}
		cfg := s.configs(kind)
		cfg.Multicast, cfg.Announce = s.multicast, s.announce
		s.registrars = append(s.registrars, s.AddRegistrar(fmt.Sprintf("r%d", i+1), cfg, peers))
		if s.rnd.IntN(2) == 0 {
			s.registrars[i].KeepState()
		}
	}
}

// mistakes: what registrars say about takeovers is forgotten sometimes, or said twice.
func (s *Chaos) mistakes(_, _ *Host, ppid uint32, b []byte) int {
	switch {
	case ppid != protocol.PPIDENRP:
	case enrp.Type(b[0]) == enrp.TypeInitTakeover:
		return min(s.World.rnd.IntN(3), 1)
	case enrp.Type(b[0]) == enrp.TypeInitTakeoverAck:
		return 1 + s.World.rnd.IntN(2)
	}
	return 1
}

// configs draws the configuration of a registrar in a world where all run as
// shipped, all by the RFC's timers and customs, or some so and some so.
func (s *Chaos) configs(kind int) registrar.Config {
	var cfg registrar.Config
	if kind == 0 || kind == 2 && s.rnd.IntN(2) == 0 {
		cfg = registrar.Shipped()
	}
	if s.rnd.IntN(2) == 0 {
		cfg.Limits.TablePart = 100 + s.rnd.IntN(500) // tables come in many parts
	}
	return cfg
}

func (s *Chaos) addElement(name string, pool protocol.PoolHandle) {
	element := protocol.Element{Life: protocol.Life(40 + s.rnd.IntN(160)), Policy: protocol.Policy{Type: protocol.WeightedRoundRobin, Weight: 1}}
	if s.rnd.IntN(2) == 0 {
		element.ID = protocol.PEID(len(s.elements) + 1)
	}
	s.elements = append(s.elements, s.addEndpoint(name, Role{Handle: pool, Element: element}, endpoint.Config{}))
}

// addEndpoint adds a PE or PU that knows all registrars, or waits for
// announcements.
func (s *Chaos) addEndpoint(name string, role Role, cfg endpoint.Config) *Host {
	if s.announce {
		cfg.Discover = 5 * time.Second // as in rserpool
		return s.AddEndpoint(name, role, cfg)
	}
	return s.AddEndpoint(name, role, cfg, s.registrars...)
}

// Play lets n faults happen, then heals and waits until everything has to be
// in order again.
func (s *Chaos) Play(n int, calm time.Duration) {
	for _, h := range s.hosts {
		h.Start()
		s.Run(s.long(time.Microsecond, time.Second))
	}
	s.Run(s.long(time.Second, time.Minute))
	if s.chain {
		s.Run(2 * time.Minute) // until all have met: who never met cannot find each other when parted
	}
	for range n {
		if len(s.Broken()) > 0 {
			return
		}
		if s.talks && s.rnd.IntN(4) > 0 {
			s.talk()
		} else {
			s.inject()
		}
		if s.memory != nil && s.memory.IntN(2) == 0 {
			s.squeeze()
		}
		s.Run(s.long(10*time.Millisecond, 100*time.Second))
	}
	s.settle()
	s.Run(calm)
	if len(s.Broken()) == 0 {
		s.Rest()
	}
}

// Roll lets registrars die, hang, leave and start again, one at a time, n times, with
// for longest at most and with at least pause between the end of one fault and
// the next.
func (s *Chaos) Roll(n int, longest, pause time.Duration) {
	for _, h := range s.hosts {
		h.Start()
		s.Run(time.Second)
	}
	s.Run(pause)
	for range n {
		h, d := s.pick(s.registrars), s.long(10*time.Millisecond, longest)
		switch s.rnd.IntN(3) {
		case 0:
			s.crash(h, d)
		case 1:
			s.hang(h, d)
		case 2:
			s.leave(h, d)
		}
		s.Run(leaving + d + s.long(pause, time.Minute))
		if len(s.Broken()) > 0 {
			return
		}
	}
}

// settle ends all faults. Some of those that died stay dead.
func (s *Chaos) settle() {
	s.trace(s.hosts[0], nil, "FAULT none any more")
	s.Heal()
	s.registrars[s.rnd.IntN(len(s.registrars))].Start()
	for _, h := range s.hosts {
		h.Resume()
		h.relieve()
		if h.endpoint() == nil && h.registrar() == nil && s.rnd.IntN(2) == 0 {
			h.Start()
		}
	}
}

func (s *Chaos) pick(from []*Host) *Host { return from[s.rnd.IntN(len(from))] }

// inject does one thing that goes wrong.
func (s *Chaos) inject() {
	h := s.pick(s.registrars)
	if s.rnd.IntN(3) == 0 {
		h = s.pick(s.elements)
	} else if s.rnd.IntN(10) == 0 {
		h = s.pick(s.users)
	}
	d := s.long(100*time.Millisecond, 3*time.Minute)
	switch s.rnd.IntN(9) {
	case 8:
		s.leave(h, d)
	case 0, 1:
		s.crash(h, d)
	case 2:
		s.hang(h, d)
	case 3:
		s.isolate(h, d)
	case 4:
		s.split(d)
	case 5:
		s.cutOne(h, s.pick(s.hosts), d)
	case 6:
		o := s.pick(s.hosts)
		s.trace(h, o, "FAULT their association breaks")
		s.Break(h, o)
		s.look()
	case 7:
		s.change()
	}
}

func (s *Chaos) crash(h *Host, d time.Duration) {
	how := Death(s.rnd.IntN(3))
	s.trace(h, nil, "FAULT crashes, %s, for %v", [...]string{"killed", "vanished", "powered off"}[how], d)
	h.Crash(how)
	s.after(d, h.Start)
}

// leave lets a registrar go in peace; a PE or PU goes without a word.
func (s *Chaos) leave(h *Host, d time.Duration) {
	if h.registrar() == nil {
		s.crash(h, d)
		return
	}
	s.trace(h, nil, "FAULT leaves for %v", d)
	h.Leave()
	s.after(leaving+d, h.Start)
}

// leaving is more than a registrar takes to leave.
const leaving = 5 * time.Second

func (s *Chaos) hang(h *Host, d time.Duration) {
	frozen := s.rnd.IntN(2) == 0
	s.trace(h, nil, "FAULT hangs, frozen %v, for %v", frozen, d)
	h.Hang(frozen)
	s.after(d, h.Resume)
}

func (s *Chaos) isolate(h *Host, d time.Duration) {
	way := s.rnd.IntN(3)
	s.trace(h, nil, "FAULT is cut off, in %v, out %v, for %v", way != 1, way != 2, d)
	s.Partition(func(o *Host) bool { return o == h }, way != 1, way != 2)
	s.after(d, func() { s.Partition(func(o *Host) bool { return o == h }, false, false) })
}

// split parts everybody in two.
func (s *Chaos) split(d time.Duration) {
	inside := map[*Host]bool{}
	for _, h := range s.hosts {
		if s.rnd.IntN(2) == 0 {
			inside[h] = true
			s.trace(h, nil, "FAULT is on the other side for %v", d)
		}
	}
	s.Partition(func(h *Host) bool { return inside[h] }, true, s.rnd.IntN(3) > 0)
	s.after(d, s.Heal)
}

func (s *Chaos) cutOne(a, b *Host, d time.Duration) {
	both := s.rnd.IntN(2) == 0
	s.trace(a, b, "FAULT cannot be reached, both ways %v, for %v", both, d)
	s.Cut(a, b, true)
	s.Cut(b, a, both)
	s.after(d, func() {
		s.Cut(a, b, false)
		s.Cut(b, a, false)
	})
}

// change is what applications do at any time.
func (s *Chaos) change() {
	h := s.pick(s.elements)
	switch s.rnd.IntN(4) {
	case 0:
		s.trace(h, nil, "FAULT leaves its pool")
		h.Deregister()
	default:
		s.trace(h, nil, "FAULT registers with another weight")
		h.Change(protocol.Policy{Type: protocol.WeightedRoundRobin, Weight: 1 + uint32(s.rnd.IntN(9))})
	}
	s.look()
}
