package rsplib

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/tests/go/proc"
)

// patience guards against waiting for ever; it measures nothing.
const patience = 60 * time.Second

// stage is the processes of one scenario and what became of it.
type stage struct {
	*testing.T
	all   []*process
	why   string // it failed, or is not possible
	notes []string

	plain bool // our programs do not know of RSPLIB

	stalls *stallWatch
	last   bool // of the attempts
	again  bool // it failed while the machine stood still
}

// process is one of them, on a host.
type process struct {
	*proc.Proc
	s    *stage
	host *host
	mark int // of the output, for saw
}

// start starts a program on a host. Programs of this library find nothing in
// their environment but what env says, and that they use the kernel's SCTP.
func (s *stage) start(number int, env []string, program string, args ...string) *process {
	s.Helper()
	h := hosts[number-1]
	env = append([]string{"RSERPOOL_TRANSPORT=kernel", "RSERPOOL_EMBEDDED=off"}, env...)
	if !s.plain {
		env = append(env, "RSERPOOL_COMPAT=rsplib")
	}
	name := fmt.Sprintf("%d-%s", len(s.all), filepath.Base(program))
	p, err := proc.Start(name, env, "ip", append([]string{"netns", "exec", h.name, program}, args...)...)
	if err != nil {
		s.failed("%v", err)
	}
	out := &process{Proc: p, s: s, host: h}
	s.all = append(s.all, out)
	return out
}

// failed ends the scenario, and says in the table why.
func (s *stage) failed(format string, args ...any) {
	s.Helper()
	if stood := s.stood(); stood > 0 {
		if !s.last {
			s.again = true
			s.Skipf("once more, for the machine stood still for %v: "+format, append([]any{stood}, args...)...)
		}
		s.why = fmt.Sprintf("in all of %d attempts on a machine that stood still for %.1f s: ", attempts, stood.Seconds())
	}
	what, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	s.why += what
	s.Fatalf(format, args...)
}

// impossible ends the scenario with what RSPLIB does that nobody can help.
func (s *stage) impossible(format string, args ...any) {
	s.why = fmt.Sprintf(format, args...)
	s.Skip("not possible: " + s.why)
}

// note goes into the table beside the result.
func (s *stage) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (s *stage) close() {
	close(s.stalls.end)
	for _, p := range s.all {
		p.Kill()
	}
	for _, h := range hosts {
		if err := h.renew(); err != nil {
			s.Error(err)
		}
	}
	if !s.Failed() || *logs == "" {
		return
	}
	dir := filepath.Join(*logs, strings.ReplaceAll(strings.ReplaceAll(s.Name(), "/", "-"), ",", ""))
	_ = os.MkdirAll(dir, 0o755)
	for _, p := range s.all {
		var b strings.Builder
		for _, l := range p.Lines(0) {
			fmt.Fprintf(&b, "%s %s\n", l.At.Format("15:04:05.000"), l.Text)
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), []byte(b.String()), 0o644); err != nil {
			s.Log(err)
		}
	}
}

// from makes the next saw look only at what is printed from now on.
func (p *process) from() *process {
	p.mark = p.Mark()
	return p
}

// saw waits for a line that matches, and returns what its group caught.
func (p *process) saw(pattern string) string {
	p.s.Helper()
	_, m, err := p.Expect(p.mark, regexp.MustCompile(pattern), patience)
	if err != nil {
		p.s.failed("%v", err)
	}
	return m[len(m)-1]
}

// count is how many lines have matched since the last from.
func (p *process) count(pattern string) (n int) {
	re := regexp.MustCompile(pattern)
	for _, l := range p.Lines(p.mark) {
		if re.MatchString(l.Text) {
			n++
		}
	}
	return n
}

// eventually asks again and again until something holds. It is not worth while
// to wait for long when the machine stood still.
func (s *stage) eventually(limit time.Duration, holds func() error) {
	s.Helper()
	began := time.Now()
	for {
		err := holds()
		if err == nil {
			return
		}
		if took := time.Since(began); took > limit || took > limit/3 && s.stood() > 0 && !s.last {
			s.failed("after %v: %v", took, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// holdsFor asks again and again whether something holds all the time.
func (s *stage) holdsFor(d time.Duration, holds func() error) {
	s.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err := holds(); err != nil {
			s.failed("%v", err)
		}
	}
}
