package userland

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

// start makes the endpoint live.
func (e *Endpoint) start() error {
	e.entry.Value, e.lead.Watch = e.wake, e.watch
	for _, s := range e.sockets {
		s.rx.take = e.taker(&s.rx)
		if s.alone {
			go e.runReader(s)
		} else if err := joinPollGroup(s); err != nil {
			return err
		}
	}
	return nil
}

// taker returns what feeds what a receiver reads to the engine.
func (e *Endpoint) taker(r *receiver) func(n int, troubled bool) (alive bool) {
	var now time.Time
	input := func(p *sctp.Packet) { e.engine.Input(now, *p) }
	return func(n int, troubled bool) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		now = clock()
		useless := 0
		for i := range n {
			if !r.packets(i, input) {
				useless++
			}
		}
		if troubled {
			e.mu.Unlock()
			e.readErrors(r.s)
			e.mu.Lock()
		}
		e.engine.Advance(now)
		e.finish(now)
		if useless > 0 {
			e.log.Debug("dropped datagrams that were truncated or had no destination", "count", useless, "socket", r.s.local)
		}
		return !e.dead
	}
}

// runReader reads from a socket that is in no poll group until the endpoint is dead.
func (e *Endpoint) runReader(s *socket) {
	for !e.isDead() {
		if err := s.rx.run(); err != nil {
			// The runtime does not wait at a socket that has nothing but an error
			// to report, for instance because its buffer for sending is full.
			time.Sleep(errorPause)
			e.readErrors(s)
		}
	}
}

// errorPause is how long a reader waits that could not.
const errorPause = 5 * time.Millisecond

func (e *Endpoint) isDead() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dead
}

// finish does what is due after the engine took packets or time, on a
// goroutine of the endpoint with the lock held. The hooks come first: what
// they send takes the acknowledgements along, and all of it leaves at once.
func (e *Endpoint) finish(now time.Time) {
	e.runHooks(now)
	e.flush(now)
	e.bury()
	e.schedule(false)
}
