package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

// Lead implements transport.Led. Associations with sockets of their own have a reader of
// their own.
func (e *Endpoint) Lead() (fds []int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || !e.lead.Take(time.Now()) {
		return nil, false
	}
	return e.fds, true
}

// watchArrival has the endpoint's own reader look at the common socket, or not.
func (e *Endpoint) watchArrival(on bool) {
	if on {
		e.arrival.watch(unix.EPOLLIN)
	} else {
		e.arrival.watch(0)
	}
}

// Step implements transport.Led: the readable hook reads.
func (e *Endpoint) Step(ready uint) {
	if ready&1 != 0 {
		e.hook(e.readable)
	}
}

// Yield implements transport.Led.
func (e *Endpoint) Yield() (lent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lead.Yield(time.Now())
}

// ReadLent implements transport.Led.
func (e *Endpoint) ReadLent() bool {
	e.mu.Lock()
	borrowed := e.lead.Borrow()
	e.mu.Unlock()
	if borrowed {
		e.Step(1)
		e.mu.Lock()
		e.lead.Restore()
		e.mu.Unlock()
	}
	return borrowed
}

// Recall implements transport.Led.
func (e *Endpoint) Recall(idle bool) (lent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lead.Recall(idle)
}
