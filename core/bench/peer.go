package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// conn is one association, connection or flow as seen from one side.
type conn interface {
	// send queues or writes one message, waiting for room.
	send(b []byte) error
}

// handler takes a message. Neither c nor b may be kept: the former can stand
// for another peer afterwards.
type handler func(c conn, b []byte)

// stack is something that carries messages.
type stack interface {
	// listen opens the server and returns its UDP or TCP port, and its SCTP
	// port where these differ.
	listen(h handler) (port, sctpPort int, err error)
	// dial opens n connections to a server on this host.
	dial(port, sctpPort, n int, h func(i int) handler) ([]conn, error)
}

var stacks = []struct {
	name, title string
	new         func() stack
}{
	{"udp", "UDP", func() stack { return udpStack{} }},
	{"tcp", "TCP", func() stack { return tcpStack{} }},
	{"ours", "librserpool", func() stack { return oursStack{openUserland} }},
	{"kernel", "kernel SCTP", func() stack { return oursStack{openKernel} }},
	{"usrsctp", "usrsctp", nil}, // usrsctp/peer.c
	{"pion", "pion/sctp", func() stack { return pionStack{} }},
}

func stackNames() (names []string) {
	for _, s := range stacks {
		names = append(names, s.name)
	}
	return names
}

// roles are what this program can be other than the director.
var roles = map[string]func(args []string) error{"server": runServer, "client": runClient, "relay": runRelay}

func newStack(name string) (stack, error) {
	for _, s := range stacks {
		if s.name == name && s.new != nil {
			return s.new(), nil
		}
	}
	return nil, fmt.Errorf("no stack %q in this process", name)
}

// obey reads commands, one per line, and answers each with one line. It ends
// with standard input. Common to both sides and to usrsctp/peer.c:
//
//	stats            ok TIME_NS CPU_NS MESSAGES BYTES
//	memory           ok RESIDENT_BYTES, after giving back what is free
func obey(counted func() (messages, bytes int64), do func(command string, args []int) (string, error)) error {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		args := make([]int, len(words)-1)
		for i, w := range words[1:] {
			var err error
			if args[i], err = strconv.Atoi(w); err != nil {
				return fmt.Errorf("command %q: %w", in.Text(), err)
			}
		}
		var answer string
		var err error
		switch words[0] {
		case "stats":
			messages, bytes := counted()
			answer = fmt.Sprint(time.Since(epoch).Nanoseconds(), cpuTime().Nanoseconds(), messages, bytes)
		case "memory":
			debug.FreeOSMemory()
			answer, err = resident()
		default:
			answer, err = do(words[0], args)
		}
		if err != nil {
			answer = "error " + err.Error()
		} else {
			answer = "ok " + answer
		}
		if _, err := io.WriteString(os.Stdout, strings.TrimSpace(answer)+"\n"); err != nil {
			return err
		}
	}
	return in.Err()
}

var epoch = time.Now()

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns the size of the process in memory.
func resident() (string, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return "", err
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	return strconv.Itoa(pages * os.Getpagesize()), err
}
