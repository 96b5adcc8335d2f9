package rsplib

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

func TestPeers(t *testing.T) {
	runAll(t, "Registrars of both kinds hold one handlespace", []scenario{
		{"our registrar joins and downloads their table", oursJoinsTheirs},
		{"their registrar joins and gets our table", theirsJoinsOurs},
		{"500 PEs: our registrar joins theirs, then theirs joins ours", manyEitherWay},
		{"updates in both directions: PEs join, leave and are killed", updatesBothWays},
		{"60 s together: nobody is thought dead, no table is asked for again", sixtySeconds},
		{"their registrar is killed: ours takes its PEs over", oursTakesOverKilled},
		{"their registrar hangs: ours takes its PEs over, which stay with it when it is back", oursTakesOverHung},
		{"their registrar's host is gone: ours takes its PEs over", oursTakesOverSilent},
		{"their registrar restarts and gets the table back", theirsRestarts},
		{"our registrar is killed: theirs takes its PEs over", theirsTakesOverKilled},
		{"our registrar ends: its PEs go to theirs", oursLeaves},
		{"our registrar dies, two of theirs are left", twoOfTheirs},
		{"their registrar dies, two of ours are left", twoOfOurs},
		{"their registrar dies, ours and theirs are left, ours has the higher identifier", oursIsHigher},
		{"their registrar dies, ours and theirs are left, ours has the lower identifier", oursIsLower},
	})
}

// both starts an element of each kind at the first of the registrars; they know
// the others too.
func (s *stage) both(at ...*registrar) (theirs, ours *element) {
	s.Helper()
	theirs = s.choosing(at, nil, func() *element { return s.theirElement(4, "-echo", "echo", at, "-rereginterval=5000") })
	ours = s.choosing(at, theirs, func() *element { return s.ourElement(5, "echo", at) })
	return theirs, ours
}

// choosing starts an element again and again, until it has chosen the first of
// the registrars: elements take the one that answers first. The other element
// of the pool is there already.
func (s *stage) choosing(at []*registrar, other *element, start func() *element) *element {
	s.Helper()
	there := map[uint32]*registrar{}
	if other != nil {
		there[other.id] = nil
	}
	for range 20 {
		e := start()
		if at[0].has("echo", merge(there, only(at[0], e))) == nil {
			return e
		}
		_ = e.Stop(patience)
		s.everywhere("echo", there, at...)
	}
	s.failed("an element does not choose %v, of 20 times", at[0])
	return nil
}

func merge(maps ...map[uint32]*registrar) map[uint32]*registrar {
	all := map[uint32]*registrar{}
	for _, m := range maps {
		for id, home := range m {
			all[id] = home
		}
	}
	return all
}

func oursJoinsTheirs(s *stage) {
	theirs := s.theirs(2, theirID)
	a, b := s.both(theirs)
	began := time.Now()
	ours := s.ours(1, theirs)
	ours.saw(`msg="registrar serves"`)
	s.note("it serves after %.1f s", time.Since(began).Seconds())
	s.everywhere("echo", only(theirs, a, b), ours, theirs)
}

func theirsJoinsOurs(s *stage) {
	ours := s.ours(1)
	a, b := s.both(ours)
	began := time.Now()
	theirs := s.theirs(2, theirID, ours)
	s.note("it serves after %.1f s", time.Since(began).Seconds())
	s.everywhere("echo", only(ours, a, b), ours, theirs)
}

// Their registrar is not to log all of its 100 keep-alives a second.
func manyEitherWay(s *stage) {
	theirs := s.theirsWith(2, theirID, []string{"-loglevel=3"})
	s.crowd(4, theirs, 500)
	ours := s.ours(1, theirs)
	ours.saw(`handle table received, (500) PEs`)
	next := s.theirs(3, theirID+1, ours)
	for n := range 51 {
		s.eventually(patience, func() error {
			found, err := next.pool(fmt.Sprintf("pool%d", n))
			if err == nil && len(found) == 0 {
				err = fmt.Errorf("their registrar, which joined ours, knows the first %d of 51 pools", n)
			}
			return err
		})
	}
}

func updatesBothWays(s *stage) {
	theirs := s.theirs(2, theirID)
	ours := s.ours(1, theirs)
	ours.saw(`msg="registrar serves"`)
	a := s.theirElement(4, "-echo", "echo", []*registrar{ours})
	b := s.ourElement(5, "echo", []*registrar{theirs})
	c := s.theirElement(4, "-echo", "echo", []*registrar{theirs})
	d := s.ourElement(5, "echo", []*registrar{ours})
	s.everywhere("echo", merge(only(ours, a, d), only(theirs, b, c)), ours, theirs)
	a.signal(syscall.SIGINT)
	b.signal(syscall.SIGTERM)
	s.everywhere("echo", merge(only(ours, d), only(theirs, c)), ours, theirs)
	c.Kill()
	d.Kill()
	s.everywhere("echo", nil, ours, theirs)
}

func sixtySeconds(s *stage) {
	theirs := s.theirs(2, theirID)
	ours := s.ours(1, theirs)
	a := s.theirElement(4, "-echo", "echo", []*registrar{ours}, "-rereginterval=5000")
	b := s.ourElement(5, "echo", []*registrar{theirs})
	want := merge(only(ours, a), only(theirs, b))
	s.everywhere("echo", want, ours, theirs)
	time.Sleep(3 * time.Second)
	ours.from()
	theirs.from()
	s.holdsFor(time.Minute, func() error {
		time.Sleep(2 * time.Second)
		if err := ours.has("echo", want); err != nil {
			return err
		}
		return theirs.has("echo", want)
	})
	if n := theirs.count(`synchronization with peer .* is necessary|dead peer`); n > 0 {
		s.failed("their registrar asked for our table again, or thought ours dead, %d times", n)
	}
	if n := ours.count(`does not answer|handle table received|differs`); n > 0 {
		s.failed("our registrar asked for their table again, or thought theirs dead, %d times", n)
	}
}

// takesOver fails their registrar, which owns an element of each kind that a user
// talks to all the while.
func (s *stage) takesOver(fail func(theirs *registrar)) (ours, theirs *registrar, a, b *element) {
	s.Helper()
	theirs = s.theirs(1, theirID)
	ours = s.ours(2, theirs)
	ours.saw(`msg="registrar serves"`)
	a, b = s.both(theirs, ours)
	s.everywhere("echo", only(theirs, a, b), ours, theirs)
	u := s.ourUser(6, "echo", []*registrar{ours})
	u.asks(a, b)
	began := time.Now()
	fail(theirs)
	s.eventually(patience, func() error {
		u.asks(a, b)
		if err := ours.has("echo", map[uint32]*registrar{a.id: nil, b.id: nil}); err != nil {
			s.failed("a PE was missing: %v", err)
		}
		return ours.has("echo", only(ours, a, b))
	})
	s.note("after %.1f s", time.Since(began).Seconds())
	s.holdsFor(16*time.Second, func() error { return ours.has("echo", only(ours, a, b)) })
	return ours, theirs, a, b
}

func oursTakesOverKilled(s *stage) {
	s.takesOver(func(theirs *registrar) { theirs.Kill() })
}

func oursTakesOverHung(s *stage) {
	ours, theirs, a, b := s.takesOver(func(theirs *registrar) { theirs.signal(syscall.SIGSTOP) })
	theirs.signal(syscall.SIGCONT)
	s.eventually(patience, func() error {
		if err := ours.has("echo", map[uint32]*registrar{a.id: nil, b.id: nil}); err != nil {
			return err
		}
		return theirs.has("echo", map[uint32]*registrar{a.id: nil, b.id: nil})
	})
	s.holdsFor(16*time.Second, func() error {
		return ours.has("echo", map[uint32]*registrar{a.id: nil, b.id: nil})
	})
}

func oursTakesOverSilent(s *stage) {
	s.takesOver(func(theirs *registrar) {
		if err := theirs.host.silence(); err != nil {
			s.failed("%v", err)
		}
	})
}

func theirsRestarts(s *stage) {
	ours, _, a, b := s.takesOver(func(theirs *registrar) { theirs.Kill() })
	again := s.theirs(1, theirID, ours)
	s.everywhere("echo", only(ours, a, b), ours, again)
}

func theirsTakesOverKilled(s *stage) {
	ours := s.ours(1)
	theirs := s.theirs(2, theirID, ours)
	a, b := s.both(ours, theirs)
	s.everywhere("echo", only(ours, a, b), ours, theirs)
	began := time.Now()
	ours.Kill()
	s.passesTo(began, a, b, theirs)
}

// passesTo waits until the elements have one of the registrars as home, and all
// of these list them.
func (s *stage) passesTo(began time.Time, a, b *element, registrars ...*registrar) {
	s.Helper()
	homes := map[string]bool{}
	for _, r := range registrars {
		homes[text(r.id)] = true
	}
	s.eventually(90*time.Second, func() error {
		for _, r := range registrars {
			if err := r.has("echo", map[uint32]*registrar{a.id: nil, b.id: nil}); err != nil {
				return err
			}
			found, err := r.pool("echo")
			if err != nil {
				return err
			}
			for _, e := range found {
				if !homes[e.Registrar] {
					return &notMoved{r, e}
				}
			}
		}
		return nil
	})
	s.note("after %.1f s", time.Since(began).Seconds())
}

type notMoved struct {
	r *registrar
	e listed
}

func (n *notMoved) Error() string {
	return n.r.String() + " says that the home of element " + n.e.ID + " is " + n.e.Registrar + ", which is gone"
}

func oursLeaves(s *stage) {
	ours := s.ours(1)
	theirs := s.theirs(2, theirID, ours)
	a, b := s.both(ours, theirs)
	s.everywhere("echo", only(ours, a, b), ours, theirs)
	began := time.Now()
	if err := ours.Stop(patience); err != nil {
		s.failed("our registrar ended with: %v", err)
	}
	s.passesTo(began, a, b, theirs)
}

func twoOfTheirs(s *stage) {
	ours := s.ours(1)
	one := s.theirs(2, theirID, ours)
	two := s.theirs(3, theirID+1, ours, one)
	a, b := s.both(ours, one, two)
	s.everywhere("echo", only(ours, a, b), ours, one, two)
	began := time.Now()
	ours.Kill()
	s.passesTo(began, a, b, one, two)
}

func twoOfOurs(s *stage) {
	theirs := s.theirs(1, theirID)
	one := s.ours(2, theirs)
	two := s.ours(3, theirs, one)
	a, b := s.both(theirs, one, two)
	s.everywhere("echo", only(theirs, a, b), theirs, one, two)
	began := time.Now()
	theirs.signal(syscall.SIGSTOP)
	s.passesTo(began, a, b, one, two)
}

func oursIsHigher(s *stage) { arbitrate(s, 1) }

func oursIsLower(s *stage) { arbitrate(s, 0xfffffff0) }

// arbitrate lets their registrar 0x1000 die; another one of theirs and ours are
// left to take over its elements.
func arbitrate(s *stage, survivor uint32) {
	dying := s.theirs(1, theirID)
	ours := s.ours(2, dying)
	theirs := s.theirs(3, survivor, dying, ours)
	a, b := s.both(dying, ours, theirs)
	s.everywhere("echo", only(dying, a, b), dying, ours, theirs)
	began := time.Now()
	dying.signal(syscall.SIGSTOP)
	s.passesTo(began, a, b, ours, theirs)
}
