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

// joining is how long a PE or registrar has to start.
const joining = 5 * time.Second

// renewal is the time in which every PE renews its registration once.
const renewal = 280 * time.Second

func newStand(registrars, elements int) *stand {
	s := &stand{World: sim.NewWorld(1)}
	s.Net.DetectMin, s.Net.DetectMax = 2*time.Second, 2*time.Second
	cfg := registrar.Config{Limits: registrar.Limits{Links: 2 * elements}} // the last one serves all
	for i := range registrars {
		s.registrars = append(s.registrars, s.AddRegistrar(fmt.Sprintf("r%d", i+1), cfg, func() []*sim.Host { return s.registrars }))
		s.registrars[i].Start()
		s.Run(joining)
	}
	pause := renewal / time.Duration(elements)
	for i := range elements {
		role := sim.Role{Handle: protocol.PoolHandle(fmt.Sprint("pool", i/10)), Element: protocol.Element{ID: protocol.PEID(i + 1)}}
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
func measure(registrars, elements int) (string, error) {
	s := newStand(registrars, elements)
	if err := s.Agree(elements); err != nil {
		return "", err
	}
	asap0, enrp0 := s.traffic()
	s.Run(renewal)
	asap1, enrp1 := s.traffic()
	rate := func(a, b int) string {
		return fmt.Sprintf("%.4g", float64(b-a)/renewal.Seconds()/float64(registrars))
	}
	row := fmt.Sprintf("| %d | %s | %s | %s | %s | %s", registrars, thousands(elements),
		rate(asap0.Messages, asap1.Messages), rate(asap0.Bytes, asap1.Bytes),
		rate(enrp0.Messages, enrp1.Messages), rate(enrp0.Bytes, enrp1.Bytes))
	quiet, repair, err := s.audit()
	if err != nil {
		return "", err
	}
	row += fmt.Sprintf(" | %d, %s B | %d, %s B", quiet.Messages, thousands(quiet.Bytes), repair.Messages, thousands(repair.Bytes))
	for _, how := range []sim.Death{sim.Killed, sim.PoweredOff} {
		d, err := s.die(how)
		if err != nil {
			return "", err
		}
		row += fmt.Sprintf(" | %.1f s", d.Seconds())
	}
	return row + " |", nil
}

// audit counts the presences of a registrar in one heartbeat cycle, then makes
// one update get lost and counts what it takes to repair that.
func (s *stand) audit() (quiet, repair sim.Count, err error) {
	from, to := s.registrars[0], s.registrars[1]
	lost := false
	s.Lose = func(a, b *sim.Host, message []byte) bool {
		if !isRegistrar(a) || !isRegistrar(b) {
			return false
		}
		switch enrp.Type(message[0]) {
		case enrp.TypePresence:
			if !lost && (a == from || b == from) {
				add(&quiet, message)
			}
		case enrp.TypeHandleTableRequest, enrp.TypeHandleTableResponse:
			add(&repair, message)
		}
		return false
	}
	s.Run(30*time.Second - time.Millisecond)
	tap := s.Lose
	s.Lose = func(a, b *sim.Host, message []byte) bool {
		if a == from && b == to && !lost && enrp.Type(message[0]) == enrp.TypeHandleUpdate {
			lost = strings.Contains(string(message), extraPool)
			return lost
		}
		return tap(a, b, message)
	}
	extra := s.AddEndpoint("extra", sim.Role{Handle: extraPool}, endpoint.Config{}, from)
	s.elements = append(s.elements, extra)
	extra.Start()
	s.Run(40 * time.Second)
	s.Lose = nil
	if !lost || repair.Messages == 0 {
		return quiet, repair, errors.New("no update was lost, or nobody noticed")
	}
	return quiet, repair, s.Agree(len(s.elements))
}

const extraPool = "one more"

func isRegistrar(h *sim.Host) bool { return strings.HasPrefix(h.Name(), "r") }

func add(c *sim.Count, message []byte) {
	c.Messages++
	c.Bytes += len(message)
}

// die ends a registrar and returns how long it took until its PEs were
// registered elsewhere.
func (s *stand) die(how sim.Death) (time.Duration, error) {
	victim := s.registrars[len(s.registrars)-1]
	s.registrars = s.registrars[:len(s.registrars)-1]
	began, last := s.Elapsed(), s.Elapsed()
	s.Trace = func(l sim.Line) {
		if strings.HasPrefix(l.Text, "registered") {
			last = l.At
		}
	}
	victim.Crash(how)
	s.Run(time.Minute)
	s.Trace = nil
	return last - began, s.Agree(len(s.elements))
}
