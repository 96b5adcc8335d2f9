package transporttest

import (
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// Leader leads an endpoint now and then, for some messages at a time, until it is closed.
type Leader struct {
	endpoint      transport.Led
	stop, stopper *os.File // the one is readable when the other is closed
	left          chan struct{}
	stepping      atomic.Bool
}

// NewLeader makes a leader, who has to be dismissed.
func NewLeader(t *testing.T, e transport.Led) *Leader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := &Leader{endpoint: e, stop: r, stopper: w, left: make(chan struct{})}
	go l.run()
	return l
}

// Dismiss has the leader leave, when the endpoint is closed: as long as one waits for a
// socket the system does not let go of it.
func (l *Leader) Dismiss() {
	l.stopper.Close()
	if !l.stepping.Load() { // or else it may be a hook that closes
		<-l.left
	}
}

func (l *Leader) run() {
	defer close(l.left)
	defer l.stop.Close()
	for {
		fds, ok := l.endpoint.Lead()
		if !ok {
			break
		}
		for range 3 {
			if ready := l.wait(fds); ready != 0 {
				l.stepping.Store(true)
				l.endpoint.Step(ready)
				l.stepping.Store(false)
			}
		}
		if l.endpoint.Yield() && rand.IntN(2) == 0 { // or else it is led again at once
			l.endpoint.Recall(false)
		}
	}
	l.endpoint.Recall(false)
}

// wait says which of the sockets have something to read.
func (l *Leader) wait(fds []int) (ready uint) {
	polled := []unix.PollFd{{Fd: int32(l.stop.Fd())}}
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
