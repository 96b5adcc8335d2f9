package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// process is one side of a measurement, as its director sees it.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// commandLimit ends a process that does not answer.
const commandLimit = 60 * time.Second

// start runs a program and returns the numbers that it says it is ready with.
func start(program string, args ...any) (*process, []int64, error) {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = fmt.Sprint(a)
	}
	p := &process{cmd: exec.Command(program, words...)}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, nil, err
	}
	numbers, err := p.answer("ready")
	if err != nil {
		p.end()
		return nil, nil, fmt.Errorf("%s %s: %w", program, strings.Join(words, " "), err)
	}
	return p, numbers, nil
}

// do gives a command and returns the numbers of its answer.
func (p *process) do(command ...any) ([]int64, error) {
	if _, err := fmt.Fprintln(p.in, command...); err != nil {
		return nil, err
	}
	numbers, err := p.answer("ok")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.TrimSpace(fmt.Sprintln(command...)), err)
	}
	return numbers, nil
}

func (p *process) answer(want string) (numbers []int64, err error) {
	limit := time.AfterFunc(commandLimit, func() { _ = p.cmd.Process.Kill() })
	defer limit.Stop()
	line, err := p.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != want {
		return nil, fmt.Errorf("%s", strings.TrimSpace(line))
	}
	for _, w := range words[1:] {
		n, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// end lets the process end, or ends it.
func (p *process) end() {
	if p == nil {
		return
	}
	_ = p.in.Close()
	limit := time.AfterFunc(time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait()
	limit.Stop()
}

// sample is what one side has done so far.
type sample struct {
	at, cpu         time.Duration
	messages, bytes int64
}

func (p *process) sample() (sample, error) {
	n, err := p.do("stats")
	if err != nil || len(n) != 4 {
		return sample{}, fmt.Errorf("stats: %v %w", n, err)
	}
	return sample{time.Duration(n[0]), time.Duration(n[1]), n[2], n[3]}, nil
}

// minus is what a side did in between.
func (s sample) minus(t sample) sample {
	return sample{s.at - t.at, s.cpu - t.cpu, s.messages - t.messages, s.bytes - t.bytes}
}

// memory is what the process holds of the machine's, in bytes.
func (p *process) memory() (float64, error) {
	n, err := p.do("memory")
	if err != nil || len(n) != 1 {
		return 0, fmt.Errorf("memory: %v %w", n, err)
	}
	return float64(n[0]), nil
}
