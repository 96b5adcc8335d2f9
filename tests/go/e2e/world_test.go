// Package e2e runs the programs as a user would, as real processes on
// loopback, and kills, stops and molests them.
package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/tests/go/proc"
)

// patience guards against waiting for ever; it measures nothing.
const patience = 30 * time.Second

var (
	readyLine      = regexp.MustCompile(`registrar (0x[0-9a-f]+) listening on .*?(127\.0\.0\.1:\d+), ENRP on (127\.0\.0\.1:\d+)`)
	registeredLine = regexp.MustCompile(`msg=registered .*\bpe=(0x[0-9a-f]+) .*\bat="?\[([^ \]]+)`)
	servedLine     = regexp.MustCompile(`msg="session is served" .*\bpe=(0x[0-9a-f]+)`)
)

// program returns the path of a built program. `make go-test` builds them and
// says by RSERPOOL_BIN where they are; only where nobody has said so, as with a
// plain `go test ./...`, the test is skipped when there is none.
func program(t *testing.T, name string) string {
	t.Helper()
	dir, built := os.LookupEnv("RSERPOOL_BIN")
	if !built {
		dir = "../../../build/bin"
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil && built {
		t.Fatal(err)
	} else if err != nil {
		t.Skipf("%s is not built: run make first", name)
	}
	return path
}

// world is what runs in one test.
type world struct {
	t    *testing.T
	addr string // of the registrar
	enrp string
	env  []string
}

func start(t *testing.T, name string, env []string, path string, args ...string) *proc.Proc {
	t.Helper()
	p, err := proc.Start(name, env, path, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			var b strings.Builder
			for _, l := range p.Lines(0) {
				fmt.Fprintf(&b, "    %s\n", l.Text)
			}
			t.Logf("%s (pid %d):\n%.4000s", name, p.Pid(), b.String())
		}
	})
	return p
}

func expect(t *testing.T, p *proc.Proc, mark int, re *regexp.Regexp) []string {
	t.Helper()
	_, m, err := p.Expect(mark, re, patience)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newWorld has a registrar of its own.
func newWorld(t *testing.T) (*world, *proc.Proc) {
	w := &world{t: t}
	r := w.registrar()
	w.env = []string{"RSERPOOL_REGISTRARS=" + w.addr, "RSERPOOL_LOG=info", "ECHO_PORT=0"}
	return w, r
}

// registrar starts one, the first time on a free port, later where it was.
func (w *world) registrar() *proc.Proc {
	w.t.Helper()
	at, enrp := w.addr, w.enrp
	if at == "" {
		at, enrp = "127.0.0.1:0", "127.0.0.1:0"
	}
	p := start(w.t, "registrar", nil, program(w.t, "rserpool"), "registrar", "--asap", at, "--enrp", enrp)
	m := expect(w.t, p, 0, readyLine)
	w.addr, w.enrp = m[2], m[3]
	return p
}

// element is one echo_pe.
type element struct {
	*proc.Proc
	pe, at string
}

func (w *world) element() *element {
	w.t.Helper()
	e := &element{Proc: start(w.t, "echo_pe", w.env, program(w.t, "echo_pe"))}
	m := expect(w.t, e.Proc, 0, registeredLine)
	e.pe, e.at = m[1], m[2]
	return e
}

// user is one echo_pu whose lines are numbered.
type user struct {
	*proc.Proc
	t     *testing.T
	asked int
}

func (w *world) user() *user {
	w.t.Helper()
	u := &user{Proc: start(w.t, "echo_pu", w.env, program(w.t, "echo_pu")), t: w.t}
	expect(w.t, u.Proc, 0, servedLine)
	return u
}

// ask sends the next line and waits for its answer.
func (u *user) ask() {
	u.t.Helper()
	u.asked++
	mark := u.Mark()
	if err := u.Write(fmt.Sprintf("line %d\n", u.asked)); err != nil {
		u.t.Fatal(err)
	}
	expect(u.t, u.Proc, mark, regexp.MustCompile(fmt.Sprintf("^line %d$", u.asked)))
}

// serving returns the element that serves the session.
func (u *user) serving() string {
	pe := ""
	for _, l := range u.Lines(0) {
		if m := servedLine.FindStringSubmatch(l.Text); m != nil {
			pe = m[1]
		}
	}
	return pe
}

// finish ends the user and checks that every line was answered exactly once,
// in order.
func (u *user) finish() {
	u.t.Helper()
	if err := u.CloseStdin(); err != nil {
		u.t.Fatal(err)
	}
	if err := u.Wait(patience); err != nil {
		u.t.Fatalf("echo_pu: %v", err)
	}
	next := 1
	for _, l := range u.Lines(0) {
		if l.Stderr {
			continue
		}
		if l.Text != fmt.Sprintf("line %d", next) {
			u.t.Fatalf("answer %d is %q", next, l.Text)
		}
		next++
	}
	if next != u.asked+1 {
		u.t.Fatalf("%d lines, %d answers", u.asked, next-1)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := proc.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func residentKB(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatal("no VmRSS")
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
