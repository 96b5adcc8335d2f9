package userland

import "time"

const (
	// maxLed is how many sockets of one endpoint can be led: a bit for each, and a place
	// in what the leader waits for.
	maxLed = 8
	// brisk is how soon something has come when more may follow as soon: only then is it
	// worth to leave the sockets lent.
	brisk = time.Millisecond
)

// lending is who reads the sockets of an endpoint in place of its goroutines.
type lending struct {
	fds   []int // of the sockets; nil until somebody has led
	led   bool  // somebody leads, since then
	since time.Time
	lent  bool // the poll groups do not look at the sockets
	used  bool // somebody has led since Recall looked for that
}

// Lead implements transport.Led. Only sockets of poll groups can be led: the runtime's
// poller looks at the others come what may.
func (e *Endpoint) Lead() (fds []int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.led || e.closed || !e.mayBeLed() {
		return nil, false
	}
	e.led, e.since = true, clock()
	e.lend(true)
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

// lend has the poll groups not look at the sockets, or look again: then they are told of
// what is there already.
func (e *Endpoint) lend(on bool) {
	if e.lent == on || e.dead {
		return
	}
	e.lent = on
	for _, s := range e.sockets {
		s.group.watchSocket(s, !on)
	}
}

// Step implements transport.Led.
func (e *Endpoint) Step(ready uint) {
	in := inboxes.Get().(*inbox)
	for i, s := range e.sockets {
		for more := ready&(1<<i) != 0; more; {
			more = s.lead.readNext(in, false)
		}
	}
	inboxes.Put(in)
}

// Yield implements transport.Led.
func (e *Endpoint) Yield() (lent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.led, e.used = false, true
	if e.closed || clock().Sub(e.since) > brisk {
		e.lend(false)
	}
	return e.lent
}

// ReadLent implements transport.Led.
func (e *Endpoint) ReadLent() bool {
	e.mu.Lock()
	free := e.lent && !e.led
	e.led = e.led || free
	e.mu.Unlock()
	if free {
		e.Step(1<<len(e.sockets) - 1)
		e.mu.Lock()
		e.led = false
		e.mu.Unlock()
	}
	return free
}

// Recall implements transport.Led.
func (e *Endpoint) Recall(idle bool) (lent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.led && !(idle && e.used) {
		e.lend(false)
	}
	e.used = e.used && !idle
	return e.lent && !e.led
}
