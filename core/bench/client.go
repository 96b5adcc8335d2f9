package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// client is the client process.
type client struct {
	stack    stack
	conns    []conn
	load     atomic.Pointer[load]
	messages atomic.Int64 // received
	bytes    atomic.Int64
}

// load is what the connections are busy with.
type load struct {
	receive func(i int, c conn, b []byte)
	stopped atomic.Bool
	done    sync.WaitGroup
}

// runClient is the client process: client STACK PORT SCTP_PORT. It says
// "ready", then obeys:
//
//	connect N               opens connections; ok
//	pingpong SIZE MS        one message at a time on the first one; ok P50_NS P99_NS ROUNDS
//	paced SIZE EVERY_US MS  messages at a steady pace, echoed; ok P50_NS P99_NS SENT RECEIVED
//	echo SIZE               one message under way on each connection, until stop
//	bulk SIZE               as much as the first one takes, until stop
//	stop
func runClient(args []string) error {
	if len(args) != 3 {
		return errors.New("client: want the name of a stack, a port and an SCTP port")
	}
	s, err := newStack(args[0])
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	sctpPort, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	c := &client{stack: s}
	fmt.Println("ready")
	return obey(func() (int64, int64) { return c.messages.Load(), c.bytes.Load() }, func(command string, a []int) (string, error) {
		switch {
		case command == "connect" && len(a) == 1:
			c.conns, err = s.dial(port, sctpPort, a[0], c.handler)
			return "", err
		case command == "pingpong" && len(a) == 2:
			return c.pingPong(a[0], time.Duration(a[1])*time.Millisecond), nil
		case command == "paced" && len(a) == 3:
			return c.paced(a[0], time.Duration(a[1])*time.Microsecond, time.Duration(a[2])*time.Millisecond), nil
		case command == "echo" && len(a) == 1:
			c.echo(a[0])
			return "", nil
		case command == "bulk" && len(a) == 1:
			c.bulk(a[0])
			return "", nil
		case command == "stop":
			c.stop()
			return "", nil
		}
		return "", fmt.Errorf("unknown command %q with %d numbers", command, len(a))
	})
}

func (c *client) handler(i int) handler {
	return func(from conn, b []byte) {
		c.messages.Add(1)
		c.bytes.Add(int64(len(b)))
		if l := c.load.Load(); l != nil {
			l.receive(i, from, b)
		}
	}
}

func (c *client) stop() {
	if l := c.load.Load(); l != nil {
		l.stopped.Store(true)
		l.done.Wait()
	}
	time.Sleep(20 * time.Millisecond) // what is under way arrives
	c.load.Store(nil)
}

// patience is how long a lone message may be under way before it counts as
// lost. Only plain UDP loses any.
const patience = 3 * time.Second

// pingPong sends the next message where the answer to the last one arrives.
func (c *client) pingPong(size int, d time.Duration) string {
	message := make([]byte, size)
	times := make([]time.Duration, 0, 1<<20)
	over := make(chan struct{})
	begin := time.Now()
	sent := begin
	l := &load{}
	l.receive = func(_ int, from conn, _ []byte) {
		now := time.Now()
		times = append(times, now.Sub(sent))
		if now.Sub(begin) >= d {
			close(over)
			return
		}
		sent = now
		_ = from.send(message)
	}
	c.load.Store(l)
	defer c.load.Store(nil)
	_ = c.conns[0].send(message)
	select {
	case <-over:
		return quantiles(times) + fmt.Sprint(" ", len(times))
	case <-time.After(d + patience):
		return "0 0 0"
	}
}

// paced is a program that asks again before the last answer is there. The time
// counts from when a message should have been sent, so waiting for room is
// part of it.
func (c *client) paced(size int, every, d time.Duration) string {
	total := int(d / every)
	var mu sync.Mutex
	times := make([]time.Duration, 0, total)
	begin := time.Now()
	l := &load{receive: func(_ int, _ conn, b []byte) {
		due := time.Duration(binary.BigEndian.Uint64(b))
		mu.Lock()
		times = append(times, time.Since(begin)-due)
		mu.Unlock()
	}}
	c.load.Store(l)
	message := make([]byte, size)
	for i := range total {
		due := time.Duration(i) * every
		pause(due - time.Since(begin))
		binary.BigEndian.PutUint64(message, uint64(due))
		_ = c.conns[0].send(message)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		all := len(times) == total
		mu.Unlock()
		if all {
			break
		}
	}
	c.load.Store(nil)
	mu.Lock()
	defer mu.Unlock()
	return quantiles(times) + fmt.Sprint(" ", total, " ", len(times))
}

// echo keeps one message under way on every connection. Where the network
// loses it (plain UDP), it is sent again after a while.
func (c *client) echo(size int) {
	message := make([]byte, size)
	rounds := make([]atomic.Int32, len(c.conns))
	l := &load{}
	l.receive = func(i int, from conn, b []byte) {
		rounds[i].Add(1)
		if !l.stopped.Load() {
			_ = from.send(b)
		}
	}
	c.load.Store(l)
	l.done.Go(func() {
		for _, conn := range c.conns {
			_ = conn.send(message)
		}
		if _, lossy := c.stack.(udpStack); !lossy {
			return
		}
		seen := make([]int32, len(c.conns))
		for !l.stopped.Load() {
			time.Sleep(100 * time.Millisecond)
			for i := range c.conns {
				if now := rounds[i].Load(); now != seen[i] {
					seen[i] = now
				} else if !l.stopped.Load() {
					_ = c.conns[i].send(message)
				}
			}
		}
	})
}

func (c *client) bulk(size int) {
	message := make([]byte, size)
	l := &load{receive: func(int, conn, []byte) {}}
	c.load.Store(l)
	l.done.Go(func() {
		for !l.stopped.Load() {
			if c.conns[0].send(message) != nil {
				return
			}
		}
	})
}

// quantiles returns the median and the 99th percentile.
func quantiles(times []time.Duration) string {
	if len(times) == 0 {
		return "0 0"
	}
	slices.Sort(times)
	return fmt.Sprint(times[len(times)/2].Nanoseconds(), " ", times[len(times)*99/100].Nanoseconds())
}
