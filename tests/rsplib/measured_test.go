package rsplib

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDownload measures how long a registrar that joins one of its own kind
// takes to have its table, and to serve.
func TestDownload(t *testing.T) {
	toMeasure(t)
	for range 2 { // so that what else the machine does meets both kinds
		for _, k := range kinds {
			attempt(t, k.name, func(s *stage) {
				mentor := k.start(s, 1, 1, k.calm)
				s.crowd(4, mentor, *pes)
				for n, done := uint32(2), 0; done < *rounds && n < 2+3*uint32(*rounds); n++ {
					if s.download(k, mentor, n) {
						done++
					}
				}
			})
		}
	}
}

// TestTakeover measures how long two registrars, with the timers they have by
// default, take to replace a third one of their kind that hangs.
func TestTakeover(t *testing.T) {
	toMeasure(t)
	for range *rounds {
		for _, k := range kinds {
			attempt(t, k.name, func(s *stage) { s.takeover(k) })
		}
	}
}

func toMeasure(t *testing.T) {
	if *bin == "" || *figures == "" {
		t.Skip("measures RSPLIB beside this library, which takes its programs, root and a kernel with SCTP: make bench-rsplib")
	}
}

// kind is one of the two implementations.
type kind struct {
	name string
	// start starts the n-th registrar of a stage, on a host, which knows the peers.
	start func(s *stage, number int, n uint32, args []string, peers ...*registrar) *registrar
	// calm are arguments that keep the supervision of many elements from
	// taking all of the processor.
	calm []string
	// What a registrar that joins logs at the first message of its mentor, when
	// it has some of the table, and when it asks for more.
	met, part, more string
	end             syscall.Signal
	timings
}

var kinds = []*kind{
	{
		name: "ours",
		start: func(s *stage, number int, _ uint32, args []string, peers ...*registrar) *registrar {
			return s.oursWith(number, append([]string{"--log-level", "info"}, args...), peers...)
		},
		met: `msg="registrar joined"`, part: `msg="handle table received, `, more: `^$`, end: syscall.SIGTERM,
	},
	{
		name: "theirs",
		start: func(s *stage, number int, n uint32, args []string, peers ...*registrar) *registrar {
			level := "-loglevel=3"
			if len(peers) > 0 { // it joins, and is to say when it does what
				level = "-loglevel=4"
			}
			return s.theirsWith(number, theirID+n, append([]string{level}, args...), peers...)
		},
		calm: []string{"-endpointkeepalivetransmissioninterval=3600000"},
		met:  `Handle Table synchronization with peer .* is necessary|as mentor server`,
		part: `Got HandleTableResponse`, more: `HandleTableResponse has MoreToSend flag set`, end: syscall.SIGINT,
	},
}

// download lets the n-th registrar of the stage join, on another host than the
// one before, of which the mentor may still think, and says whether it counts.
func (s *stage) download(k *kind, mentor *registrar, n uint32) bool {
	s.Helper()
	s.stalls.longest.Store(0)
	number := []int{2, 3, 6}[n%3]
	asking := s.start(5, nil, *crowds, "-local", hosts[4].ip, "-registrar", hosts[number-1].ip+":3863", "-transport", "kernel", "-await")
	asking.saw(`^asking`)
	began := time.Now()
	joins := k.start(s, number, n, k.calm, mentor)
	answered := asking.at(`^answered`).Sub(began)
	table := joins.lastPart(k).Sub(joins.at(k.met))
	joins.signal(k.end)
	_ = joins.Wait(patience) // theirs says that a signal ended it
	s.Logf("%s: table %v, from the start to the first answer %v; the machine stood still for %v", k.name, table, answered, s.stood())
	if s.stood() > 0 {
		return false
	}
	k.tables = append(k.tables, table)
	k.answers = append(k.answers, answered)
	return true
}

// lastPart is when the last part of the table had come, of the first table if
// the registrar asks again: the one after which it did not ask for more.
func (p *process) lastPart(k *kind) (last time.Time) {
	p.s.Helper()
	part, more := regexp.MustCompile(k.part), regexp.MustCompile(k.more)
	p.s.eventually(patience, func() error {
		last = time.Time{}
		parts := 0
		for _, l := range p.Lines(0) {
			switch {
			case more.MatchString(l.Text):
				last = time.Time{}
			case !part.MatchString(l.Text):
			case !last.IsZero():
				return nil // the first part of another table
			default:
				last = l.At
				parts++
			}
		}
		if last.IsZero() || time.Since(last) < 2*time.Second {
			return fmt.Errorf("%s has not the whole table", p.Name)
		}
		p.s.Logf("%d parts", parts)
		return nil
	})
	return last
}

// at is when a line since the last from matched, or will.
func (p *process) at(pattern string) time.Time {
	p.s.Helper()
	line, _, err := p.Expect(p.mark, regexp.MustCompile(pattern), patience)
	if err != nil {
		p.s.failed("%v", err)
	}
	return line.At
}

// takeover lets the first of three registrars hang, which owns one element at
// least, until the others name nobody but themselves as the elements' homes.
func (s *stage) takeover(k *kind) {
	s.Helper()
	s.plain = true // which means other timers
	victim := k.start(s, 1, 1, nil)
	one := k.start(s, 2, 2, nil, victim)
	two := k.start(s, 3, 3, nil, victim, one)
	s.crowd(4, victim, 3)
	watchers := []*process{
		s.role(5, "homes", []*registrar{one}, "pool0"),
		s.role(6, "homes", []*registrar{two}, "pool0"),
	}
	for _, w := range watchers {
		w.at("^homes .*" + text(victim.id))
	}
	time.Sleep(6 * time.Second) // until they have spread the elements, if they do
	others := fmt.Sprintf("^homes (%[1]s|%[2]s|%[1]s %[2]s|%[2]s %[1]s)$", text(one.id), text(two.id))
	for _, w := range watchers {
		if lines := w.Lines(0); !strings.Contains(lines[len(lines)-1].Text, text(victim.id)) {
			s.failed("the registrar that is to hang owns nothing: %s", lines[len(lines)-1].Text)
		}
		w.from()
	}
	s.stalls.longest.Store(0)
	began := time.Now()
	victim.signal(syscall.SIGSTOP)
	var last time.Time
	for _, w := range watchers {
		if at := w.at(others); at.After(last) {
			last = at
		}
	}
	s.Logf("%s: taken over after %v", k.name, last.Sub(began))
	if s.stood() > 0 {
		s.failed("the machine stood still")
	}
	k.takeovers = append(k.takeovers, last.Sub(began))
}
