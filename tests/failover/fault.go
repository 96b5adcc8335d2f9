package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// fault is one kind of failure.
type fault struct {
	name   string
	target time.Duration
	needs  func() error // why it cannot be run
	apart  bool         // each element has a network of its own
	strike func(*element) error
}

var faults = []fault{
	{name: "process killed (SIGKILL)", target: 5 * time.Millisecond, strike: func(e *element) error { e.Kill(); return nil }},
	{name: "process hangs (SIGSTOP)", target: 3 * time.Second, strike: func(e *element) error { return e.Signal(syscall.SIGSTOP) }},
	{name: "host silently gone (packets dropped)", target: time.Second, needs: mayMakeNetworks, apart: true, strike: func(e *element) error { return e.net.silence() }},
}

// patience guards against waiting for ever.
const patience = 30 * time.Second

// run lets the element that serves a session fail again and again.
func (f fault) run(bin string, runs int) (result, error) {
	s := &site{bin: bin, apart: f.apart, elements: map[rserpool.PEID]*element{}}
	defer s.close()
	if err := s.open(); err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(runs+1)*patience)
	defer cancel()
	opts := &rserpool.Options{Registrars: []string{s.registrar}}
	opts.Session.Notifications = rserpool.NotifyFailover
	c, err := rserpool.Dial(ctx, "echo", opts)
	if err != nil {
		return result{}, err
	}
	defer c.Close()
	r := result{fault: f}
	for i := range runs {
		if err := warmUp(ctx, c); err != nil {
			return r, err
		}
		victim := s.elements[c.Peer().PE]
		if victim == nil {
			return r, fmt.Errorf("run %d: the session is served by %v, which this program did not start", i, c.Peer())
		}
		if err := f.strike(victim); err != nil {
			return r, err
		}
		start := time.Now()
		if err := ask(ctx, c, fmt.Sprintf("run %d", i)); err != nil {
			return r, fmt.Errorf("run %d: %w", i, err)
		}
		r.times = append(r.times, time.Since(start))
		s.remove(victim)
		if err := s.start(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// warmUp talks for a while, as a session does that has stood for some time.
func warmUp(ctx context.Context, c *rserpool.Conn) error {
	for end := time.Now().Add(400*time.Millisecond + rand.N(400*time.Millisecond)); time.Now().Before(end); {
		if err := ask(ctx, c, "warm up"); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// ask sends a line, and sends it again when an element that had received it is
// lost; an echo may be asked twice.
func ask(ctx context.Context, c *rserpool.Conn, line string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.Send(ctx, []byte(line)); err != nil {
		return err
	}
	for {
		b, info, err := c.RecvMessage(ctx)
		switch n := info.Notification; {
		case err != nil:
			return err
		case n == nil && string(b) != line:
			return fmt.Errorf("the answer to %q is %q", line, b)
		case n == nil:
			return nil
		case n.Type == rserpool.FailoverCompleted && n.InDoubt > 0:
			if err := c.Send(ctx, []byte(line)); err != nil {
				return err
			}
		}
	}
}
