package userland

// Kill ends an endpoint as the death of its process would: its sockets close
// and nobody is told.
func (e *Endpoint) Kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.die()
}

// Counters are the engine's.
func (e *Endpoint) Counters() any {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.engine.Counters()
}
