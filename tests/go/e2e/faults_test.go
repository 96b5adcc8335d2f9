package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Elements die by SIGKILL at random moments while users keep asking; nothing
// is lost, doubled or out of order.
func TestElementsAreKilledUnderManyUsers(t *testing.T) {
	w, _ := newWorld(t)
	elements := []*element{w.element(), w.element(), w.element()}
	const users, lines = 4, 60
	var asking sync.WaitGroup
	for range users {
		u := w.user()
		asking.Go(func() {
			for range lines {
				u.ask()
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
			u.finish()
		})
	}
	done := make(chan struct{})
	go func() { asking.Wait(); close(done) }()
	kills := 0
	for {
		select {
		case <-done:
			if kills < 2 {
				t.Fatalf("only %d elements were killed", kills)
			}
			return
		case <-time.After(time.Duration(50+rand.IntN(200)) * time.Millisecond):
			i := rand.IntN(len(elements))
			elements[i].Kill()
			elements[i] = w.element()
			kills++
		}
	}
}

// A registrar that is killed and started again learns from its elements; the
// sessions do not notice, and new ones can be made.
func TestRegistrarIsKilledAgainAndAgain(t *testing.T) {
	w, r := newWorld(t)
	elements := []*element{w.element(), w.element()}
	u := w.user()
	for range 3 {
		r.Kill()
		u.ask()
		marks := []int{elements[0].Mark(), elements[1].Mark()}
		r = w.registrar()
		for i, e := range elements {
			expect(t, e.Proc, marks[i], registeredLine)
		}
		newcomer := w.user()
		newcomer.ask()
		newcomer.finish()
		u.ask()
	}
	u.finish()
}

// An element that hangs (SIGSTOP) loses its sessions to another one.
func TestElementHangs(t *testing.T) {
	w, _ := newWorld(t)
	elements := map[string]*element{}
	for range 2 {
		e := w.element()
		elements[e.pe] = e
	}
	u := w.user()
	u.ask()
	before := u.serving()
	if err := elements[before].Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped(t, elements[before].Pid()) // what it still receives it could answer no more
	mark := u.Mark()
	u.ask()
	expect(t, u.Proc, mark, servedLine)
	if u.serving() == before {
		t.Fatal("the session is still served by the element that hangs")
	}
	u.finish()
}

// stopped waits until all threads of a process have stopped.
func stopped(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		running := 0
		for _, name := range threads {
			b, _ := os.ReadFile(name) // a thread that has ended runs no more
			if _, state, ok := strings.Cut(string(b), ") "); ok && state[0] != 'T' {
				running++
			}
		}
		if running == 0 {
			return
		}
	}
	t.Fatalf("process %d does not stop", pid)
}

// An element that is asked to end leaves its pool at once.
func TestElementEnds(t *testing.T) {
	w, _ := newWorld(t)
	a, b := w.element(), w.element()
	if err := a.Stop(patience); err != nil {
		t.Fatal(err)
	}
	p := start(t, "rserpool", nil, program(t, "rserpool"), "resolve", "echo", "--registrar", w.addr)
	if err := p.Wait(patience); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, l := range p.Lines(0) {
		for _, id := range regexp.MustCompile(`0x[0-9a-f]{8}`).FindAllString(l.Text, -1) {
			seen[id] = true
		}
	}
	if seen[a.pe] || !seen[b.pe] {
		t.Fatalf("resolve shows %v; %s has left, %s has not", seen, a.pe, b.pe)
	}
}

// Whatever arrives on the ports, the processes live on, serve, and stay small.
func TestGarbageOnThePorts(t *testing.T) {
	w, r := newWorld(t)
	e := w.element()
	u := w.user()
	u.ask()
	rng := rand.New(rand.NewPCG(1, 1))
	before := residentKB(t, r.Pid()) + residentKB(t, e.Pid())
	for _, at := range []string{w.addr, w.enrp, e.at} {
		c, err := net.Dial("udp", at)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20000 {
			b := make([]byte, rng.IntN(1500))
			for j := range b {
				b[j] = byte(rng.Uint32())
			}
			_, _ = c.Write(b) // an ICMP error of one before is no matter
			if i%1000 == 0 {
				u.ask()
			}
		}
		c.Close()
	}
	u.ask()
	u.finish()
	after := residentKB(t, r.Pid()) + residentKB(t, e.Pid())
	if after > before+32<<10 {
		t.Fatalf("resident memory of registrar and element grew from %d to %d KiB", before, after)
	}
}

// With no registrar at all an element starts one in its own process; when that
// process dies, another element's takes its place.
func TestEmbeddedRegistrarIsHandedOn(t *testing.T) {
	w := &world{t: t, env: []string{"RSERPOOL_PORT=" + freePort(t), "RSERPOOL_LOG=info", "ECHO_PORT=0"}}
	first := w.element()
	expect(t, first.Proc, 0, regexp.MustCompile(`started one inside this process`))
	second, third := w.element(), w.element()
	u := w.user()
	u.ask()
	marks := []int{second.Mark(), third.Mark()}
	first.Kill()
	u.ask()
	expect(t, second.Proc, marks[0], registeredLine)
	expect(t, third.Proc, marks[1], registeredLine)
	newcomer := w.user()
	newcomer.ask()
	newcomer.finish()
	u.ask()
	u.finish()
}

// The first element is killed, and the registrar in its process with it. Who comes
// at that moment is served by the second one, well before its patience is at an end;
// who had a session with that one notices nothing.
func TestNewcomerWhenTheFirstElementIsKilled(t *testing.T) {
	w := &world{t: t, env: []string{"RSERPOOL_PORT=" + freePort(t), "RSERPOOL_LOG=info", "ECHO_PORT=0", "RSERPOOL_WAIT=4s"}}
	elements := []*element{w.element()}
	for range 3 {
		elements = append(elements, w.element())
		u := w.user()
		u.ask()
		elements[0].Kill()
		newcomer := w.user()
		newcomer.ask()
		newcomer.finish()
		u.ask()
		u.finish()
		elements = elements[1:]
	}
}

// A registrar that is asked to end does so cleanly, by SIGTERM and by SIGINT.
func TestRegistrarEnds(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		_, r := newWorld(t)
		if err := r.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := r.Wait(patience); err != nil {
			t.Fatalf("after %v: %v", sig, err)
		}
	}
}
