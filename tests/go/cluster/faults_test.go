package cluster

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// calm is how long after the last fault everything has to be in order.
const calm = 10 * time.Second

// TestRegistrarsDieHangAndLeave: in groups of three and five, registrars are
// killed, stopped and asked to end at random, and come back; always the greater
// part is well.
func TestRegistrarsDieHangAndLeave(t *testing.T) {
	for _, c := range []struct{ registrars, pes, users int }{{3, 60, 4}, {5, 40, 4}} {
		t.Run(fmt.Sprint(c.registrars), func(t *testing.T) {
			t.Parallel()
			duration, pes := 4*time.Second, c.pes
			if *soak > 0 {
				duration, pes = *soak, 200
			}
			g := newGroup(t, c.registrars)
			elements := g.elements(pes)
			g.agree(elements, calm)
			u := newUsers(t, c.users, pes/10, g.asaps())
			g.molest(duration, (c.registrars-1)/2)
			g.agree(elements, calm)
			u.end()
		})
	}
}

// molest breaks registrars, no more than atOnce at a time, and waits until they
// are back.
func (g *group) molest(d time.Duration, atOnce int) {
	seed := uint64(time.Now().UnixNano())
	g.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	until := time.Now().Add(d)
	well := slices.Clone(g.registrars)
	back := make(chan *registrar, len(g.registrars))
	kinds := map[string]int{}
	for time.Now().Before(until) && !g.Failed() {
		if len(g.registrars)-len(well) >= atOnce {
			well = append(well, <-back)
			continue
		}
		i := rnd.IntN(len(well))
		victim := well[i]
		well = slices.Delete(well, i, i+1)
		kind := []string{"kill", "hang", "term"}[rnd.IntN(3)]
		kinds[kind]++
		pause := time.Duration(rnd.Int64N(int64(5 * time.Second)))
		if *soak == 0 {
			pause /= 2
		}
		go func() {
			victim.suffer(kind, pause)
			back <- victim
		}()
		time.Sleep(time.Duration(rnd.Int64N(int64(time.Second))))
	}
	for len(well) < len(g.registrars) {
		well = append(well, <-back)
	}
	g.Logf("faults: %v", kinds)
}

// suffer is one fault and its end: the registrar is well when it knows all that
// another one knows.
func (r *registrar) suffer(kind string, pause time.Duration) {
	switch kind {
	case "hang":
		r.signal(syscall.SIGSTOP)
		time.Sleep(pause)
		r.signal(syscall.SIGCONT)
	case "kill":
		r.p.Kill()
		time.Sleep(pause)
		r.start()
	case "term":
		if err := r.p.Stop(patience); err != nil {
			r.g.Errorf("registrar %d does not end well: %v", r.number, err)
		}
		time.Sleep(pause)
		r.start()
	}
	time.Sleep(2 * time.Second) // it joins, or finds out what it missed
}

// agree waits until all registrars know all elements, and nothing else, and
// name the same homes. It is an error if that is not so after the limit.
func (g *group) agree(elements []*element, limit time.Duration) {
	g.Helper()
	want := map[string]bool{}
	for _, e := range elements {
		want[e.key()] = true
	}
	deadline := time.Now().Add(limit)
	began := time.Now()
	for {
		text := g.differences(want)
		if text == "" {
			g.Logf("all agree after %v", time.Since(began).Round(10*time.Millisecond))
			return
		}
		if time.Now().After(deadline) {
			g.Errorf("after %v:\n%s", limit, text)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// differences says in what the registrars differ from each other and from
// what is there; empty if in nothing.
func (g *group) differences(want map[string]bool) string {
	ctx, cancel := context.WithTimeout(g.Context(), patience)
	defer cancel()
	tables := make([]map[string]string, len(g.registrars))
	errs := make([]error, len(g.registrars))
	var asking sync.WaitGroup
	for i, r := range g.registrars {
		asking.Go(func() { tables[i], errs[i] = known(ctx, r) })
	}
	asking.Wait()
	text := ""
	for i, table := range tables {
		have := map[string]bool{}
		for key := range maps.Keys(table) {
			have[key] = true
		}
		if errs[i] != nil {
			text += fmt.Sprintf("registrar %d: %v\n", i, errs[i])
		}
		if diff := cmp.Diff(want, have); diff != "" {
			text += fmt.Sprintf("registrar %d (-elements +known):\n%s\n", i, diff)
		}
		if diff := cmp.Diff(tables[0], table); diff != "" {
			text += fmt.Sprintf("registrars 0 and %d:\n%s\n", i, diff)
		}
	}
	return text
}
