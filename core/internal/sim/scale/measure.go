package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/sim"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// stand is the world in which one size is measured.
type stand struct {
	*sim.World
	registrars []*sim.Host
	elements   []*sim.Host
}

// joining is how long a registrar has to start, and the last PE.
const joining = time.Second

// renewal is the time in which every PE renews its registration once, one after
// the other. A part of it shows the whole.
const (
	renewal = 280 * time.Second
	watched = renewal / 4
)

func newStand(registrars, elements int, cfg registrar.Config) *stand {
	s := &stand{World: sim.NewWorld(1)}
	s.Net.DetectMin, s.Net.DetectMax = 2*time.Second, 2*time.Second
	// The last registrar serves all, and one more.
	cfg.Limits = registrar.Limits{Elements: elements + 1, Pools: elements, Links: elements}
	for i := range registrars {
		s.registrars = append(s.registrars, s.AddRegistrar(fmt.Sprintf("r%d", i+1), cfg, func() []*sim.Host { return s.registrars }))
		s.registrars[i].Start()
		s.Run(joining)
	}
	pause := renewal / time.Duration(elements)
	for i := range elements {
		role := sim.Role{Handle: protocol.PoolHandle(fmt.Sprint("pool", i/perPool)), Element: protocol.Element{ID: protocol.PEID(i + 1)}}
		// Three registrars to choose from, as somebody would configure.
		known := []*sim.Host{s.registrars[i%registrars], s.registrars[(i+1)%registrars], s.registrars[(i+2)%registrars]}
		h := s.AddEndpoint(fmt.Sprintf("pe%d", i+1), role, endpoint.Config{}, known...)
		s.elements = append(s.elements, h)
		h.Start()
		s.Run(pause)
	}
	s.Run(joining)
	return s
}

// traffic sums what all registrars sent and received.
func (s *stand) traffic() (asap, enrp sim.Count) {
	for _, h := range s.registrars {
		t := h.Traffic
		asap.Messages += t.SentASAP.Messages + t.ReceivedASAP.Messages
		asap.Bytes += t.SentASAP.Bytes + t.ReceivedASAP.Bytes
		enrp.Messages += t.SentENRP.Messages + t.ReceivedENRP.Messages
		enrp.Bytes += t.SentENRP.Bytes + t.ReceivedENRP.Bytes
	}
	return asap, enrp
}

// measure returns one line of the table.
func measure(registrars, elements int, cfg registrar.Config) (*row, error) {
	s := newStand(registrars, elements, cfg)
	if err := s.Agree(elements); err != nil {
		return nil, err
	}
	asap0, enrp0 := s.traffic()
	s.Run(watched)
	asap1, enrp1 := s.traffic()
	rate := func(a, b int) float64 { return float64(b-a) / watched.Seconds() / float64(registrars) }
	r := &row{registrars: registrars, elements: elements, figures: figures{
		asapMessages: rate(asap0.Messages, asap1.Messages), asapBytes: rate(asap0.Bytes, asap1.Bytes),
		enrpMessages: rate(enrp0.Messages, enrp1.Messages), enrpBytes: rate(enrp0.Bytes, enrp1.Bytes),
	}}
	quiet, repair, err := s.audit()
	if err != nil {
		return nil, err
	}
	r.figures[quietMessages], r.figures[quietBytes] = float64(quiet.Messages), float64(quiet.Bytes)
	r.figures[repairMessages], r.figures[repairBytes] = float64(repair.Messages), float64(repair.Bytes)
	if r.killed, err = s.die(sim.Killed); err != nil {
		return nil, err
	}
	r.silent, err = s.die(sim.PoweredOff)
	return r, err
}

// audit counts the presences of a registrar in one heartbeat cycle, then makes
// one update get lost and counts what it takes to repair that.
func (s *stand) audit() (quiet, repair sim.Count, err error) {
	from, to := s.registrars[0], s.registrars[1]
	lost := false
	s.Copies = func(a, b *sim.Host, _ uint32, message []byte) int {
		if !isRegistrar(a) || !isRegistrar(b) {
			return 1
		}
		switch enrp.Type(message[0]) {
		case enrp.TypePresence:
			if !lost && (a == from || b == from) {
				add(&quiet, message)
			}
		case enrp.TypeHandleTableRequest, enrp.TypeHandleTableResponse:
			add(&repair, message)
		}
		return 1
	}
	s.Run(30*time.Second - time.Millisecond)
	tap := s.Copies
	s.Copies = func(a, b *sim.Host, ppid uint32, message []byte) int {
		if a == from && b == to && !lost && enrp.Type(message[0]) == enrp.TypeHandleUpdate {
			if lost = strings.Contains(string(message), extraPool); lost {
				return 0
			}
			return 1
		}
		return tap(a, b, ppid, message)
	}
	extra := s.AddEndpoint("extra", sim.Role{Handle: extraPool}, endpoint.Config{}, from)
	s.elements = append(s.elements, extra)
	extra.Start()
	s.Run(40 * time.Second)
	s.Copies = nil
	if !lost || repair.Messages == 0 {
		return quiet, repair, errors.New("no update was lost, or nobody noticed")
	}
	return quiet, repair, s.Agree(len(s.elements))
}

// perPool is how many PEs share a pool.
const perPool = 10

const extraPool = "one more"

func isRegistrar(h *sim.Host) bool { return strings.HasPrefix(h.Name(), "r") }

func add(c *sim.Count, message []byte) {
	c.Messages++
	c.Bytes += len(message)
}

// patience is how long everything may take to be in order again.
const patience = time.Minute

// die ends a registrar and returns how long it took until the last of its PEs
// was registered elsewhere.
func (s *stand) die(how sim.Death) (time.Duration, error) {
	victim := s.registrars[len(s.registrars)-1]
	s.registrars = s.registrars[:len(s.registrars)-1]
	orphans := map[string]bool{}
	for _, h := range s.elements {
		if h.Home() == victim {
			orphans[h.Name()] = true
		}
	}
	began, last := s.Elapsed(), s.Elapsed()
	s.Trace = func(l sim.Line) {
		if orphans[l.From] && strings.HasPrefix(l.Text, "registered") {
			delete(orphans, l.From)
			last = l.At
		}
	}
	victim.Crash(how)
	var err error
	for until := began + patience; s.Elapsed() < until; {
		s.Run(time.Second)
		if len(orphans) > 0 {
			continue
		}
		if err = s.Agree(len(s.elements)); err == nil {
			break
		}
	}
	s.Trace = nil
	if len(orphans) > 0 {
		err = fmt.Errorf("%d PEs did not find another registrar in %v", len(orphans), patience)
	}
	return last - began, err
}
