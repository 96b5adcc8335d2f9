package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/librserpool/librserpool/tests/go/proc"
)

// patience guards against waiting for ever; nothing is measured with it.
const patience = 10 * time.Second

// demo is the stage: the processes on it and what has been counted so far.
type demo struct {
	bin   string
	start time.Time
	out   io.Writer

	registrar *proc.Proc
	addr      string // where the registrar listens
	elements  []*element
	user      *proc.Proc

	started   int          // elements ever
	all       []*proc.Proc // every process ever started, for the end
	asked     int
	times     []time.Duration // of the answers
	failovers []time.Duration // of the answers that another element gave
	serving   string          // PE that serves the session
}

// element is one pool element on the stage.
type element struct {
	*proc.Proc
	pe   string
	addr string
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "%6.2f s  %s\n", time.Since(d.start).Seconds(), fmt.Sprintf(format, args...))
}

func (d *demo) launch(name string, env []string, program string, args ...string) (*proc.Proc, error) {
	p, err := proc.Start(name, env, d.path(program), args...)
	if err != nil {
		return nil, fmt.Errorf("%w; build first: make", err)
	}
	d.all = append(d.all, p)
	return p, nil
}

// startRegistrar starts the registrar, the first time on a free port, later
// where it was before.
func (d *demo) startRegistrar() error {
	at := d.addr
	if at == "" {
		at = "127.0.0.1:0"
	}
	p, err := d.launch("registrar", nil, "rserpool", "registrar", "--asap", at, "--enrp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, m, err := p.Expect(0, readyLine, patience)
	if err != nil {
		return err
	}
	d.registrar, d.addr = p, m[2]
	d.say("registrar %s listens on %s (pid %d)", m[1], m[2], p.Pid())
	return nil
}

func (d *demo) env() []string {
	return []string{"RSERPOOL_REGISTRARS=" + d.addr, "RSERPOOL_LOG=info", "ECHO_PORT=0"}
}

// startElement starts one echo_pe and waits until it is registered.
func (d *demo) startElement() error {
	d.started++
	p, err := d.launch(fmt.Sprintf("echo_pe %d", d.started), d.env(), "echo_pe")
	if err != nil {
		return err
	}
	e := &element{Proc: p}
	if err := d.registered(e, 0); err != nil {
		return err
	}
	d.elements = append(d.elements, e)
	d.say("%s: PE %s serves pool \"echo\" at %s (pid %d)", p.Name, e.pe, e.addr, p.Pid())
	return nil
}

func (d *demo) registered(e *element, mark int) error {
	_, m, err := e.Expect(mark, registeredLine, patience)
	if err == nil {
		e.pe, e.addr = m[1], m[2]
	}
	return err
}

func (d *demo) startUser() error {
	p, err := d.launch("echo_pu", d.env(), "echo_pu")
	if err != nil {
		return err
	}
	d.user = p
	_, m, err := p.Expect(0, servedLine, patience)
	if err != nil {
		return err
	}
	d.serving = m[1]
	d.say("echo_pu: its session is served by PE %s (pid %d)", d.serving, p.Pid())
	return nil
}

// ask sends one line and waits for its answer. It returns whether another
// element than before gave it.
func (d *demo) ask() (moved bool, err error) {
	d.asked++
	line := fmt.Sprintf("line %d", d.asked)
	mark, sent := d.user.Mark(), time.Now()
	if err := d.user.Write(line + "\n"); err != nil {
		return false, fmt.Errorf("write to echo_pu: %w", err)
	}
	answer, _, err := d.user.Expect(mark, regexp.MustCompile("^"+line+"$"), patience)
	if err != nil {
		return false, fmt.Errorf("%q was not answered: %w", line, err)
	}
	took := answer.At.Sub(sent)
	d.times = append(d.times, took)
	for _, l := range d.user.Lines(mark) {
		if m := servedLine.FindStringSubmatch(l.Text); m != nil && m[1] != d.serving {
			d.serving, moved = m[1], true
		}
	}
	if moved {
		d.failovers = append(d.failovers, took)
	}
	return moved, nil
}

// askSome asks n lines and expects them to stay with the same element.
func (d *demo) askSome(n int) error {
	before := len(d.times)
	for range n {
		if _, err := d.ask(); err != nil {
			return err
		}
	}
	d.say("%d lines answered by PE %s, median %s", n, d.serving, ms(median(d.times[before:])))
	return nil
}

// killServing ends the element that serves the session with SIGKILL.
func (d *demo) killServing() error {
	i := slices.IndexFunc(d.elements, func(e *element) bool { return e.pe == d.serving })
	if i < 0 {
		return fmt.Errorf("PE %s serves the session, but is none of ours", d.serving)
	}
	e := d.elements[i]
	d.elements = slices.Delete(d.elements, i, i+1)
	d.say("kill -9 %d: PE %s, which serves the session", e.Pid(), e.pe)
	mark := d.user.Mark()
	e.Kill()
	moved, err := d.ask()
	if err != nil {
		return err
	}
	if !moved { // it moved before the line was sent, or the log is read behind the answer
		_, m, err := d.user.Expect(mark, servedLine, patience)
		if err != nil {
			return fmt.Errorf("the line after the kill was answered, but no other element is known to serve the session: %w", err)
		}
		d.serving = m[1]
		d.failovers = append(d.failovers, d.times[len(d.times)-1])
	}
	d.say("the next line was answered by PE %s after %s", d.serving, ms(d.times[len(d.times)-1]))
	return nil
}

// finish closes the user's input and checks that each line was answered once.
func (d *demo) finish() error {
	if err := d.user.CloseStdin(); err != nil {
		return err
	}
	if err := d.user.Wait(patience); err != nil {
		return fmt.Errorf("echo_pu: %w", err)
	}
	count := map[string]int{}
	for _, l := range d.user.Lines(0) {
		if !l.Stderr {
			count[l.Text]++
		}
	}
	for i := 1; i <= d.asked; i++ {
		if line := fmt.Sprintf("line %d", i); count[line] != 1 {
			return fmt.Errorf("%q was answered %d times", line, count[line])
		}
	}
	if len(count) != d.asked {
		return fmt.Errorf("%d different answers to %d lines", len(count), d.asked)
	}
	return nil
}

// stopAll ends what still runs.
func (d *demo) stopAll() {
	for _, p := range d.all {
		p.Kill()
	}
}

// dump prints what the processes said.
func (d *demo) dump(w io.Writer) {
	for _, p := range d.all {
		fmt.Fprintf(w, "--- %s (pid %d)\n", p.Name, p.Pid())
		for _, l := range p.Lines(0) {
			fmt.Fprintf(w, "    %s\n", l.Text)
		}
	}
}

func ms(d time.Duration) string {
	return strings.TrimSpace(fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000))
}

func median(d []time.Duration) time.Duration {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}
