package userland

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

// start makes the endpoint live.
func (e *Endpoint) start() {
	e.bell.Value = e
	for _, s := range e.sockets {
		go e.runReader(s)
	}
}

// runReader feeds what arrives at one socket to the engine, until the socket
// is closed.
func (e *Endpoint) runReader(s *socket) {
	var now time.Time
	input := func(p *sctp.Packet) { e.engine.Input(now, *p) }
	for {
		n, troubled, ok := s.rx.read()
		if !ok {
			return
		}
		e.mu.Lock()
		now = time.Now()
		useless := 0
		for i := range n {
			if !s.rx.packets(i, input) {
				useless++
			}
		}
		if troubled {
			e.mu.Unlock()
			e.readErrors(s)
			e.mu.Lock()
		}
		e.engine.Advance(now)
		e.finish(now)
		e.mu.Unlock()
		if useless > 0 {
			e.log.Debug("dropped datagrams that were truncated or had no destination", "count", useless, "socket", s.local)
		}
	}
}

// finish does what is due after the engine took packets or time, on a
// goroutine of the endpoint with the lock held. The hooks come first: what
// they send takes the acknowledgements along, and all of it leaves at once.
func (e *Endpoint) finish(now time.Time) {
	e.runHooks(now)
	e.flush(now)
	e.bury()
	e.setAlarm(false)
}
