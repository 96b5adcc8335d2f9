package userland

import "github.com/librserpool/librserpool/core/internal/transport"

// Kill ends an endpoint as the death of its process would: its sockets close
// and nobody is told.
func (e *Endpoint) Kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.die()
}

// ListenInPollGroup is Listen in a process that has many sockets already.
func ListenInPollGroup(cfg transport.Config) (*Endpoint, error) {
	return listen(cfg, func() bool { return false })
}

// Counters are the engine's.
func (e *Endpoint) Counters() any {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.engine.Counters()
}
