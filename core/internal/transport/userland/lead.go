package userland

import "github.com/librserpool/librserpool/core/internal/transport/lead"

// maxLed is how many sockets of one endpoint can be led: a bit for each, and a place in
// what the leader waits for.
const maxLed = 8

// leading is who reads the sockets of an endpoint.
type leading struct {
	lead lead.Lead
	fds  []int // of the sockets; nil until somebody has led
}

// Lead implements transport.Led. Only sockets of poll groups can be led: the runtime's
// poller looks at the others come what may.
func (e *Endpoint) Lead() (fds []int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || !e.mayBeLed() || !e.lead.Take(clock()) {
		return nil, false
	}
	return e.fds, true
}

// mayBeLed says that all is there that it takes.
func (e *Endpoint) mayBeLed() bool {
	if e.fds != nil || len(e.sockets) > maxLed {
		return e.fds != nil
	}
	for _, s := range e.sockets {
		if s.group == nil {
			e.fds = nil
			return false
		}
		s.lead = new(receiver)
		s.lead.init(s)
		s.lead.take = e.taker(s.lead)
		e.fds = append(e.fds, s.fd)
	}
	return true
}

// watch has the poll groups look at the sockets, or not.
func (e *Endpoint) watch(on bool) {
	if e.dead {
		return
	}
	for _, s := range e.sockets {
		s.group.watchSocket(s, on)
	}
}

// Step implements transport.Led. It reads one batch: whoever leads has something else to do
// than what many packets, or somebody who floods the socket, would have it do.
func (e *Endpoint) Step(ready uint) {
	in := inboxes.Get().(*inbox)
	for i, s := range e.sockets {
		if ready&(1<<i) != 0 {
			s.lead.readNext(in, false)
		}
	}
	inboxes.Put(in)
}

// Yield implements transport.Led.
func (e *Endpoint) Yield() (lent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lead.Yield(clock())
}

// ReadLent implements transport.Led.
func (e *Endpoint) ReadLent() bool {
	e.mu.Lock()
	borrowed := e.lead.Borrow()
	e.mu.Unlock()
	if borrowed {
		e.Step(1<<len(e.sockets) - 1)
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
