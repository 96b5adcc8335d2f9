package userland

import "time"

const (
	// closeGrace is what the engine gets on top of its guard time to end the
	// last associations by itself.
	closeGrace = time.Second

	// linger is how long an endpoint that has finished its shutdowns still
	// answers: should the last SHUTDOWN COMPLETE be lost, the peer's next
	// SHUTDOWN ACK gets another (RFC 9260 section 8.4, rule 5).
	linger = 300 * time.Millisecond
)

// Close implements transport.Endpoint. It does not wait for associations that
// are shutting down; without any the port is free when it returns.
func (e *Endpoint) Close() error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	e.closed = true
	e.lead.Return()
	guard := e.guard
	if guard < 0 {
		guard = time.Minute
	}
	e.giveUp = now.Add(guard + closeGrace)
	e.engine.Close(now)
	for e.writing { // somebody else, who is done in a moment
		e.written.Wait()
	}
	e.flush(now)
	e.lingers = !e.engine.Idle()
	e.leave(now)
	return nil
}

// bury closes the sockets of a closed endpoint as soon as nothing is left to
// do, or when its time is over.
func (e *Endpoint) bury() {
	if !e.closed || e.dead || e.writing {
		return
	}
	now := clock()
	if e.lingers && e.engine.Idle() {
		e.lingers, e.giveUp = false, now.Add(linger)
		e.lingering = true
	}
	if now.Before(e.giveUp) && (e.lingering || !e.engine.Idle()) {
		return
	}
	e.die()
	if e.lost > 0 {
		e.log.Debug("closed endpoint had packets that the system did not take", "count", e.lost, "local", e.local)
	}
}

// die closes the sockets; peers are not told.
func (e *Endpoint) die() {
	e.closed, e.dead = true, true
	endpointTimer.stop(&e.entry)
	closeSockets(e.sockets)
}
