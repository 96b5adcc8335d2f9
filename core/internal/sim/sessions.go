package sim

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/session"
)

// NewSessions builds a world whose PUs talk to PEs on sessions: with or without
// cookies, replay, a gate after failovers, failovers at all, messages that are
// unordered or have a lifetime, small buffers, transports that lend or not. The
// pools have what their PUs need. In every other world memory is short at times.
func NewSessions(seed uint64) *Chaos {
	s := &Chaos{World: NewWorld(seed), rnd: rand.New(rand.NewPCG(seed, 0x53657373)), talks: true}
	s.Net = s.profile()
	for i := range 2 + s.rnd.IntN(2) {
		s.registrars = append(s.registrars, s.AddRegistrar(fmt.Sprintf("r%d", i+1), registrar.Shipped(), func() []*Host { return s.registrars }))
	}
	for i := range 1 + s.rnd.IntN(2) {
		s.addTalkers(protocol.PoolHandle(fmt.Sprint("pool", i)))
	}
	for _, h := range s.hosts {
		h.clock = clock{offset: s.long(time.Millisecond, time.Minute), drift: s.rnd.Int64N(2001) - 1000}
	}
	if memory := rand.New(rand.NewPCG(seed, 0x4d656d6f)); memory.IntN(2) == 0 {
		s.memory = memory
	}
	return s
}

// addTalkers adds a pool, and PUs whose sessions are what its PEs are made for.
func (s *Chaos) addTalkers(pool protocol.PoolHandle) {
	app := App{Size: headSize + s.rnd.IntN(2000), Options: s.sessionOptions()}
	if app.Options.Replay || s.rnd.IntN(2) == 0 {
		app.Cookie = 1 + s.rnd.IntN(5)
	}
	if app.Options.ReceiveBuffer != 0 {
		app.Size = headSize + s.rnd.IntN(500)
	}
	if s.rnd.IntN(2) == 0 {
		app.PoolKey = bytes.Repeat([]byte{7}, 32)
	}
	for range 2 + s.rnd.IntN(3) {
		element := protocol.Element{
			ID: protocol.PEID(len(s.elements) + 1), Policy: protocol.Policy{Type: protocol.WeightedRoundRobin, Weight: 1},
			User: protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl},
		}
		own := app
		own.Kernel = s.rnd.IntN(3) == 0
		s.elements = append(s.elements, s.AddEndpoint(fmt.Sprintf("pe%d", len(s.elements)+1), Role{Handle: pool, Element: element, App: own}, endpoint.Config{}, s.registrars...))
	}
	for range 1 + s.rnd.IntN(3) {
		own := app
		own.Kernel = s.rnd.IntN(3) == 0
		own.Every = s.long(20*time.Millisecond, 2*time.Second)
		if !app.Options.Replay && s.rnd.IntN(2) == 0 {
			own.Unordered, own.Bounded = s.rnd.IntN(50), s.rnd.IntN(50)
		}
		s.users = append(s.users, s.AddEndpoint(fmt.Sprintf("pu%d", len(s.users)+1), Role{Session: pool, App: own}, endpoint.Config{Subscribe: true}, s.registrars...))
	}
}

// sessionOptions draws how sessions behave.
func (s *Chaos) sessionOptions() session.Options {
	var o session.Options
	switch s.rnd.IntN(4) {
	case 0:
		o.Replay = true
	case 1:
		o.NoFailover = s.rnd.IntN(2) == 0
	}
	o.HoldFailover = s.rnd.IntN(4) == 0
	if s.rnd.IntN(3) == 0 {
		o.SendBuffer, o.ReceiveBuffer = 4096+s.rnd.IntN(10_000), 4096+s.rnd.IntN(10_000)
	}
	o.FailoverLimit = s.long(5*time.Second, time.Minute)
	return o
}

// talk does one thing that concerns sessions: a PE drains or does not read, or does not
// exist for some time, or a path breaks.
func (s *Chaos) talk() {
	h := s.pick(s.elements)
	d := s.long(10*time.Millisecond, 30*time.Second)
	switch s.rnd.IntN(8) {
	case 0, 1:
		busy := s.rnd.IntN(2) == 0 // what it has not read has to be waited for
		s.trace(h, nil, "FAULT drains, busy %v, and ends in %v", busy, d)
		if busy {
			h.Deafen(s.long(10*time.Millisecond, time.Second))
			s.Run(s.long(10*time.Millisecond, time.Second))
		}
		h.Drain()
		s.after(d, func() {
			h.Crash(Killed)
			s.after(d, h.Start)
		})
	case 2:
		if s.rnd.IntN(2) == 0 {
			h = s.pick(s.users)
		}
		s.trace(h, nil, "FAULT does not read for %v", d)
		h.Deafen(d)
	case 3:
		s.crash(h, d)
		s.crash(s.pick(s.registrars), s.long(time.Second, 10*time.Second))
	case 4, 5:
		s.crash(h, d)
	case 6:
		s.hang(h, d)
	case 7:
		s.cutOne(h, s.pick(s.users), d)
	}
}

// squeeze makes memory short for some time: on a host, or in a program, which then has
// smaller buffers for its sessions. They become as large again as they were.
func (s *Chaos) squeeze() {
	r := s.memory
	h := s.hosts[r.IntN(len(s.hosts))]
	d := long(r, 10*time.Millisecond, 30*time.Second)
	send, receive := session.MinBuffer+r.IntN(4096), session.MinBuffer+r.IntN(4096)
	if h.endpoint() == nil || r.IntN(2) == 0 {
		s.trace(h, nil, "FAULT has memory for buffers of %d bytes only, for %v", send, d)
		h.Squeeze(send, d)
		return
	}
	s.trace(h, nil, "FAULT has buffers of %d and %d bytes, for %v", send, receive, d)
	h.Shrink(send, receive, d)
}
