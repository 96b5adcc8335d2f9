package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/librserpool/librserpool/tests/go/proc"
	"github.com/librserpool/librserpool/tests/go/rounds"
)

// patience guards against waiting for ever. The programs lose theirs before.
const patience = 90 * time.Second

var (
	readyLine     = regexp.MustCompile(`^ready (\S+)$`)
	listeningLine = regexp.MustCompile(`listening on ([^ ,]+)`)
)

// bench is one run. In each round everything that is compared has its turn, so
// that what else the machine does meanwhile meets all of them.
type bench struct {
	build string
	runs  int
	share float64

	stacks    []stack
	registrar string
	all       []*proc.Proc
	elements  map[string]string // their addresses, by stack and surroundings
	results   rounds.Results
	calls     map[string]sides // system calls, by stack
	notes     []string         // what was left out
}

func (b *bench) open() error {
	b.elements, b.results, b.calls = map[string]string{}, rounds.Results{}, map[string]sides{}
	if err := b.choose(); err != nil {
		return err
	}
	p, err := proc.Start("registrar", nil, filepath.Join(b.build, "bin/rserpool"), "registrar", "--asap", "127.0.0.1:0", "--enrp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("%w; build first: make", err)
	}
	b.all = append(b.all, p)
	_, m, err := p.Expect(0, listeningLine, patience)
	if err != nil {
		return err
	}
	b.registrar = m[1]
	return nil
}

func (b *bench) close() {
	for _, p := range b.all {
		p.Kill()
	}
}

func (b *bench) program(name string) string { return filepath.Join(b.build, "tests/bench/c", name) }

// note says what was left out, now and in the report.
func (b *bench) note(what string) {
	fmt.Fprintln(os.Stderr, what)
	b.notes = append(b.notes, what)
}

// count is how many of the messages of a full run are sent.
func (b *bench) count(full int) int { return max(int(float64(full)*b.share), 100) }

// start starts a program of this benchmark.
func (b *bench) start(how surroundings, name string, args ...any) (*proc.Proc, error) {
	command := append([]string{}, how.prefix...)
	command = append(command, b.program(name))
	for _, a := range args {
		command = append(command, fmt.Sprint(a))
	}
	env := append([]string{"RSERPOOL_REGISTRARS=" + b.registrar, "RSERPOOL_CONFIG=/dev/null", "RSERPOOL_LOG=error"}, how.env...)
	return proc.Start(strings.Join(command, " "), env, command[0], command[1:]...)
}

// startElement starts the other side, and returns where it is.
func (b *bench) startElement(s stack, how surroundings) (*proc.Proc, string, error) {
	p, err := b.start(how, "bench_pe"+s.suffix)
	if err != nil {
		return nil, "", err
	}
	_, m, err := p.Expect(0, readyLine, patience)
	if err != nil {
		p.Kill()
		return nil, "", err
	}
	return p, m[1], nil
}

// element returns where the other side is, which stays for the whole run.
func (b *bench) element(s stack, how surroundings) (string, error) {
	key := s.name + " " + how.name
	if b.elements[key] == "" {
		p, address, err := b.startElement(s, how)
		if err != nil {
			return "", err
		}
		b.all = append(b.all, p)
		b.elements[key] = address
	}
	return b.elements[key], nil
}

// values is what a program has told.
type values map[string]float64

// execute runs a program to its end.
func (b *bench) execute(how surroundings, name string, args ...any) (values, error) {
	p, err := b.start(how, name, args...)
	if err != nil {
		return nil, err
	}
	err = p.Wait(patience)
	told := values{}
	var said []string
	for _, line := range p.Lines(0) {
		name, value, _ := strings.Cut(line.Text, " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil && !line.Stderr {
			told[name] = v
			continue
		}
		said = append(said, line.Text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", p.Name, err, strings.Join(said, "; "))
	}
	return told, nil
}

// user lets the measuring side of a stack talk to the other one.
func (b *bench) user(s stack, how surroundings, what string, args ...any) (values, error) {
	address, err := b.element(s, how)
	if err != nil {
		return nil, err
	}
	return b.execute(how, "bench_pu"+s.suffix, append([]any{address, what}, args...)...)
}

// callLibrary measures what only the library has.
func (b *bench) callLibrary(what string, number int) (values, error) {
	pool, err := b.element(stacks[0], usual)
	if err != nil {
		return nil, err
	}
	return b.execute(usual, "bench_calls", pool, what, number)
}
