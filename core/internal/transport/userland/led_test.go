package userland_test

import (
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// Somebody leads each endpoint, now and then.
func TestSuiteLed(t *testing.T) {
	runSuite(t, func(t *testing.T, cfg transport.Config) transport.Endpoint {
		t.Helper()
		cfg.Led = true
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		e := &ledEndpoint{Endpoint: open(t, cfg).(*userland.Endpoint), stop: r, stopper: w, left: make(chan struct{})}
		go e.runLeader()
		return e
	})
}

// ledEndpoint is an endpoint with a leader, who leaves when it is closed: as long as one
// waits for a socket the system does not let go of it.
type ledEndpoint struct {
	*userland.Endpoint
	stop, stopper *os.File // the one is readable when the other is closed
	left          chan struct{}
	stepping      atomic.Bool
}

func (e *ledEndpoint) Close() error {
	err := e.Endpoint.Close()
	e.dismiss()
	return err
}

func (e *ledEndpoint) Kill() {
	e.Endpoint.Kill()
	e.dismiss()
}

func (e *ledEndpoint) dismiss() {
	e.stopper.Close()
	if !e.stepping.Load() { // or else it may be a hook that closes
		<-e.left
	}
}

// runLeader leads until the endpoint is closed, for some messages at a time.
func (e *ledEndpoint) runLeader() {
	defer close(e.left)
	defer e.stop.Close()
	for {
		fds, ok := e.Lead()
		if !ok {
			break
		}
		for range 3 {
			if ready := e.wait(fds); ready != 0 {
				e.stepping.Store(true)
				e.Step(ready)
				e.stepping.Store(false)
			}
		}
		if e.Yield() && rand.IntN(2) == 0 { // or else it is led again at once
			e.Recall(false)
		}
	}
	e.Recall(false)
}

// wait says which of the sockets have something to read.
func (e *ledEndpoint) wait(fds []int) (ready uint) {
	polled := []unix.PollFd{{Fd: int32(e.stop.Fd())}}
	for _, fd := range fds {
		polled = append(polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	unix.Poll(polled, 5)
	for i := range fds {
		if polled[1+i].Revents != 0 {
			ready |= 1 << i
		}
	}
	return ready
}
