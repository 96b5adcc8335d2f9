package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
)

// stack is one that is measured: the library, or what it is compared with.
type stack struct {
	name, title string
	suffix      string       // of its programs
	alternates  bool         // it has no more than one message under way
	needs       func() error // why it cannot be measured
}

const (
	library = "library"
	udp     = "udp"
	zeromq  = "zmq"
)

var stacks = []stack{
	{name: library, title: "librserpool"},
	{name: udp, title: "UDP", suffix: "_udp"},
	{name: "sctp", title: "kernel SCTP", suffix: "_sctp", needs: kernelHasSCTP},
	{name: zeromq, title: "ZeroMQ", suffix: "_zmq", alternates: true},
	{name: "nng", title: "nng", suffix: "_nng", alternates: true},
}

func kernelHasSCTP() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_SEQPACKET, syscall.IPPROTO_SCTP)
	if err != nil {
		return fmt.Errorf("this kernel has no SCTP (%w); try modprobe sctp", err)
	}
	return syscall.Close(fd)
}

// packages have what a program is built with, where that is not always there.
var packages = map[string]string{zeromq: "libzmq3-dev", "nng": "libnng-dev"}

// missing says why a stack cannot be measured.
func (b *bench) missing(s stack) error {
	if s.needs != nil {
		return s.needs()
	}
	if _, err := os.Stat(b.program("bench_pu" + s.suffix)); err != nil {
		if p := packages[s.name]; p != "" {
			return fmt.Errorf("it was not there when the programs were built; apt-get install %s, then make", p)
		}
		return fmt.Errorf("%w; build first: make", err)
	}
	return nil
}

// choose leaves out what cannot be measured, and says so.
func (b *bench) choose() error {
	for _, s := range stacks {
		err := b.missing(s)
		switch {
		case err == nil:
			b.stacks = append(b.stacks, s)
		case s.name == library || s.name == udp: // all is compared with them
			return err
		default:
			b.note(fmt.Sprintf("%s was not measured: %v.", s.title, err))
		}
	}
	return nil
}

// surroundings are how a program is started.
type surroundings struct {
	name   string
	env    []string
	prefix []string // of the command
}

var (
	usual       = surroundings{}
	oneGoThread = surroundings{name: "GOMAXPROCS=1", env: []string{"GOMAXPROCS=1"}}
	oneCPU      = surroundings{name: "one CPU", prefix: []string{"taskset", "-c", firstCPU()}}
)

// firstCPU is one that this process may use.
func firstCPU() string {
	status, _ := os.ReadFile("/proc/self/status") // elsewhere there is no taskset either
	if m := regexp.MustCompile(`Cpus_allowed_list:\s*(\d+)`).FindSubmatch(status); m != nil {
		return string(m[1])
	}
	return "0"
}

// installed says why a program cannot be used.
func installed(program, what string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s: %s is not installed", what, program)
	}
	return nil
}
