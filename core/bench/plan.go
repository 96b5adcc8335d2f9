package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport/kernel"
	"github.com/librserpool/librserpool/tests/go/rounds"
)

//go:embed usrsctp/peer.c
var usrsctpPeer []byte

// bench is one run. What is compared is measured in rounds in which every
// stack has its turn, so that what else the machine does meanwhile meets all
// of them; the report has medians over the rounds.
type bench struct {
	dir     string // of what is built for the run
	self    string
	usrsctp string // program; empty = there is none
	missing string // why not
	stacks  []string
	quick   bool
	results rounds.Results
	machine *machine // what was measured in a virtual machine; nil = nothing
}

func key(what string, n int) string { return fmt.Sprint(what, " ", n) }

func newBench(quick bool, only string) (*bench, error) {
	b := &bench{quick: quick, results: rounds.Results{}}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "bench-sctp"); err != nil {
		return nil, err
	}
	for _, name := range stackNames() {
		if only != "" && !slices.Contains(strings.Split(only, ","), name) {
			continue
		}
		if name == "usrsctp" {
			b.buildUsrsctp()
		}
		if name == "usrsctp" && b.usrsctp == "" || name == "kernel" && !kernel.Available() {
			continue
		}
		b.stacks = append(b.stacks, name)
	}
	return b, nil
}

func (b *bench) cleanUp() { os.RemoveAll(b.dir) }

// buildUsrsctp builds the peer of our own for usrsctp, if that is here.
func (b *bench) buildUsrsctp() {
	source, program := filepath.Join(b.dir, "peer.c"), filepath.Join(b.dir, "usrsctp-peer")
	if err := os.WriteFile(source, usrsctpPeer, 0o644); err != nil {
		b.missing = err.Error()
		return
	}
	if out, err := exec.Command("cc", "-O2", "-o", program, source, "-lusrsctp", "-lpthread").CombinedOutput(); err != nil {
		b.missing = "it could not be built (Debian: apt-get install libusrsctp-dev gcc libc6-dev)"
		fmt.Fprintf(os.Stderr, "usrsctp is left out, %s: %v\n%s", b.missing, err, firstLine(out))
		return
	}
	b.usrsctp = program
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line + "\n"
}

// pair is the server and the client of a stack, and what is between them.
type pair struct {
	server, client, relay *process
	base, setUp           float64 // bytes of the server before there were connections; seconds
}

func (p *pair) end() {
	p.client.end()
	p.relay.end()
	p.server.end()
}

// open starts a pair with n connections; a loss of zero or more thousandths
// puts a relay between them.
func (b *bench) open(stack string, n, loss int) (p *pair, err error) {
	program, name := b.self, []any{stack}
	if stack == "usrsctp" {
		program, name = b.usrsctp, nil
	}
	p = &pair{}
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	var ports []int64
	if p.server, ports, err = start(program, append([]any{"server"}, name...)...); err != nil {
		return nil, err
	}
	if loss >= 0 {
		var front []int64
		if p.relay, front, err = start(b.self, "relay", ports[0], loss, 1); err != nil {
			return nil, err
		}
		ports[0] = front[0]
	}
	if p.base, err = p.server.memory(); err != nil {
		return nil, err
	}
	if p.client, _, err = start(program, append(append([]any{"client"}, name...), ports[0], ports[1])...); err != nil {
		return nil, err
	}
	begin := time.Now()
	_, err = p.client.do("connect", n)
	p.setUp = time.Since(begin).Seconds()
	return p, err
}

// direct means that there is no relay.
const direct = -1

// each opens a pair of every stack and calls visit for each in each round, in
// an order that moves on with the rounds.
func (b *bench) each(names []string, rounds, n, loss int, visit func(stack string, p *pair) error) {
	pairs := map[string]*pair{}
	for _, s := range names {
		p, err := b.open(s, n, loss)
		if err != nil {
			b.complain(s, n, err)
			continue
		}
		pairs[s] = p
		defer p.end()
	}
	for round := range rounds {
		for i := range names {
			s := names[(i+round)%len(names)]
			p := pairs[s]
			if p == nil {
				continue
			}
			if err := visit(s, p); err != nil {
				b.complain(s, n, err)
				delete(pairs, s)
			}
		}
	}
}

func (b *bench) complain(stack string, n int, err error) {
	fmt.Fprintf(os.Stderr, "%s with %d: %v\n", stack, n, err)
}

// pick returns the longer of two numbers unless the run is quick.
func pick[T any](b *bench, quick, full T) T {
	if b.quick {
		return quick
	}
	return full
}

// step is one part of a run.
type step struct {
	what string
	run  func()
}

// basics are the steps that a slow machine can do too.
func (b *bench) basics() []step {
	return []step{{"round trips", b.roundTrips}, {"one way", b.oneWay}, {"echo", b.echoes}}
}

func (b *bench) all() []step {
	return append(b.basics(), step{"many associations", b.crowds}, step{"loss", b.lossy})
}

func (b *bench) run(steps []step) {
	for _, step := range steps {
		begin := time.Now()
		step.run()
		fmt.Fprintf(os.Stderr, "%-20s %5.1f s\n", step.what, time.Since(begin).Seconds())
	}
}

func (b *bench) roundTrips() {
	for _, size := range []int{64, 1024} {
		b.each(b.stacks, pick(b, 3, 9), 1, direct, func(s string, p *pair) error {
			n, err := p.client.do("pingpong", size, pick(b, 150, 300))
			if err != nil || n[2] == 0 {
				return fmt.Errorf("round trips: %v %w", n, err)
			}
			b.results.Add(s, key("rtt p50", size), float64(n[0])/1e3)
			b.results.Add(s, key("rtt p99", size), float64(n[1])/1e3)
			return nil
		})
	}
}

func (b *bench) oneWay() {
	for _, size := range []int{1 << 10, 64 << 10} {
		b.each(b.stacks, pick(b, 3, 7), 1, direct, func(s string, p *pair) error {
			if _, err := p.server.do("sink"); err != nil {
				return err
			}
			server, client, err := p.window(pick(b, 200, 400), "bulk", size)
			if err != nil {
				return err
			}
			b.results.Add(s, key("MB/s", size), float64(server.bytes)/server.at.Seconds()/1e6)
			if mb := float64(server.bytes) / 1e6; mb > 0 {
				b.results.Add(s, key("cpu/MB server", size), server.cpu.Seconds()*1e3/mb)
				b.results.Add(s, key("cpu/MB client", size), client.cpu.Seconds()*1e3/mb)
			}
			return nil
		})
	}
}

// window runs a load and returns what each side did in some milliseconds of it.
func (p *pair) window(ms int, load ...any) (server, client sample, err error) {
	if _, err = p.client.do(load...); err != nil {
		return server, client, err
	}
	time.Sleep(50 * time.Millisecond)
	var before, after [2]sample
	for _, at := range []*[2]sample{&before, &after} {
		for i, side := range []*process{p.server, p.client} {
			if at[i], err = side.sample(); err != nil {
				return server, client, err
			}
		}
		if at == &before {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
	}
	_, err = p.client.do("stop")
	return after[0].minus(before[0]), after[1].minus(before[1]), err
}

// echo measures one message under way on each of n connections. Each answer
// that arrives at the client stands for two messages, each of which was sent
// on one side and received on the other.
func (b *bench) echo(s string, p *pair, n, ms int) error {
	server, client, err := p.window(ms, "echo", 64)
	if err != nil {
		return err
	}
	if client.messages == 0 || server.messages == 0 {
		return fmt.Errorf("echo: nothing came back")
	}
	b.results.Add(s, key("messages/s", n), 2*float64(client.messages)/client.at.Seconds())
	b.results.Add(s, key("cpu server", n), server.cpu.Seconds()*1e6/2/float64(server.messages))
	b.results.Add(s, key("cpu client", n), client.cpu.Seconds()*1e6/2/float64(client.messages))
	b.results.Add(s, key("cpu", n), (server.cpu.Seconds()/float64(server.messages)+client.cpu.Seconds()/float64(client.messages))*1e6/4)
	return nil
}

func (b *bench) echoes() {
	for _, n := range []int{1, 100} {
		b.each(b.stacks, pick(b, 3, 9), n, direct, func(s string, p *pair) error { return b.echo(s, p, n, pick(b, 200, 400)) })
	}
}

// crowds measures the memory of many idle associations and then their echo.
// One pair at a time: idle ones send heartbeats.
func (b *bench) crowds() {
	for _, n := range pick(b, []int{1000}, []int{1000, 10_000}) {
		for _, s := range b.stacks {
			if n > 1000 && s == "pion" {
				continue // its 10,000 need over a gigabyte and most of a minute
			}
			if err := b.crowd(s, n); err != nil {
				b.complain(s, n, err)
			}
		}
	}
}

func (b *bench) crowd(s string, n int) error {
	p, err := b.open(s, n, direct)
	if err != nil {
		return err
	}
	defer p.end()
	b.results.Add(s, key("set-up", n), p.setUp)
	time.Sleep(300 * time.Millisecond)
	total, err := p.server.memory()
	if err != nil {
		return err
	}
	b.results.Add(s, key("resident", n), total/1e6)
	b.results.Add(s, key("each", n), (total-p.base)/float64(n)/1024)
	for range pick(b, 1, 3) {
		if err := b.echo(s, p, n, pick(b, 500, 1000)); err != nil {
			return err
		}
	}
	return nil
}

// lossy leaves out what cannot go through a relay for datagrams (TCP) and what
// does not repair losses (UDP).
func (b *bench) lossy() {
	var names []string
	for _, s := range b.stacks {
		if s != "udp" && s != "tcp" {
			names = append(names, s)
		}
	}
	b.each(names, pick(b, 1, 3), 1, 0, func(s string, p *pair) error {
		n, err := p.client.do("paced", 64, 1000, pick(b, 500, 1500))
		if err != nil {
			return err
		}
		b.results.Add(s, "unharmed p99", float64(n[1])/1e6)
		return nil
	})
	b.each(names, pick(b, 1, 3), 1, 10, func(s string, p *pair) error {
		n, err := p.client.do("paced", 64, 1000, pick(b, 1000, 3000))
		if err != nil {
			return err
		}
		if n[3] < n[2] {
			fmt.Fprintf(os.Stderr, "%s under loss: %d of %d messages came back in time\n", s, n[3], n[2])
		}
		b.results.Add(s, "paced p50", float64(n[0])/1e6)
		b.results.Add(s, "paced p99", float64(n[1])/1e6)
		if n, err = p.client.do("pingpong", 64, pick(b, 1000, 3000)); err != nil {
			return err
		}
		b.results.Add(s, "lone p99", float64(n[1])/1e6)
		b.results.Add(s, "lone rounds/s", float64(n[2])*1000/float64(pick(b, 1000, 3000)))
		return nil
	})
}
