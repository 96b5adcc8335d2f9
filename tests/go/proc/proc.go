// Package proc starts real processes for the demo and the end-to-end tests,
// listens to what they print, and leaves none behind.
package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Proc is one child process. Its output is kept, line by line, and may be
// waited for from any goroutine.
type Proc struct {
	Name string

	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu     sync.Mutex
	grown  *sync.Cond
	lines  []Line
	open   int  // output streams not yet at their end
	exited bool // Wait has returned
	err    error
	done   chan struct{}
}

// Line is one line of output.
type Line struct {
	Text   string
	Stderr bool
	At     time.Time
}

// Start runs path with args. The child gets this process's environment
// without any RSERPOOL_ variable, then env. It dies with this process.
func Start(name string, env []string, path string, args ...string) (*Proc, error) {
	p := &Proc{Name: name, cmd: exec.Command(path, args...), open: 2, done: make(chan struct{})}
	p.grown = sync.NewCond(&p.mu)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "RSERPOOL_") {
			p.cmd.Env = append(p.cmd.Env, kv)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err1 := p.cmd.StdinPipe()
	stdout, err2 := p.cmd.StdoutPipe()
	stderr, err3 := p.cmd.StderrPipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.stdin = stdin
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (%s): %w", name, path, err)
	}
	go p.runReader(stdout, false)
	go p.runReader(stderr, true)
	go p.runWaiter()
	return p, nil
}

func (p *Proc) runReader(r io.Reader, stderr bool) {
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		p.mu.Lock()
		if text != "" {
			p.lines = append(p.lines, Line{Text: strings.TrimSuffix(text, "\n"), Stderr: stderr, At: time.Now()})
		}
		if err != nil {
			p.open--
		}
		p.grown.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// runWaiter reaps the child once its output has been read: exec.Cmd.Wait
// closes the pipes and would cut off what is still in them.
func (p *Proc) runWaiter() {
	p.mu.Lock()
	for p.open > 0 {
		p.grown.Wait()
	}
	p.mu.Unlock()
	err := p.cmd.Wait()
	p.mu.Lock()
	p.exited, p.err = true, err
	p.grown.Broadcast()
	p.mu.Unlock()
	close(p.done)
}

// Pid returns the process id.
func (p *Proc) Pid() int { return p.cmd.Process.Pid }

// Write sends text to the standard input of the child.
func (p *Proc) Write(text string) error {
	_, err := io.WriteString(p.stdin, text)
	return err
}

// CloseStdin ends the standard input of the child.
func (p *Proc) CloseStdin() error { return p.stdin.Close() }

// Signal sends a signal to the child.
func (p *Proc) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Mark returns a position in the output for Expect: what is printed from now
// on.
func (p *Proc) Mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// Lines returns the output since mark.
func (p *Proc) Lines(mark int) []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Line(nil), p.lines[mark:]...)
}

// Expect waits until a line since mark matches, and returns it with its
// submatches. The limit is a guard against waiting for ever, not a
// measurement.
func (p *Proc) Expect(mark int, re *regexp.Regexp, limit time.Duration) (Line, []string, error) {
	deadline := time.Now().Add(limit)
	wake := time.AfterFunc(limit, func() { p.mu.Lock(); p.grown.Broadcast(); p.mu.Unlock() })
	defer wake.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := mark; ; {
		for ; i < len(p.lines); i++ {
			if m := re.FindStringSubmatch(p.lines[i].Text); m != nil {
				return p.lines[i], m, nil
			}
		}
		switch {
		case p.exited:
			return Line{}, nil, fmt.Errorf("%s ended (%v) without printing %q; it printed:\n%s", p.Name, p.err, re, p.text(mark))
		case !time.Now().Before(deadline):
			return Line{}, nil, fmt.Errorf("%s did not print %q within %v; it printed:\n%s", p.Name, re, limit, p.text(mark))
		}
		p.grown.Wait()
	}
}

func (p *Proc) text(mark int) string {
	var b strings.Builder
	for _, l := range p.lines[mark:] {
		fmt.Fprintf(&b, "    %s\n", l.Text)
	}
	return b.String()
}

// Kill ends the child with SIGKILL and waits for it.
func (p *Proc) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop sends SIGTERM and waits; after limit it kills, and says so.
func (p *Proc) Stop(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	return p.Wait(limit)
}

// Wait waits for the end of the child and returns its error; after limit it
// kills, and says so.
func (p *Proc) Wait(limit time.Duration) error {
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("%s did not end within %v", p.Name, limit)
	}
}
