package userland

import "time"

// closeGrace is what the engine gets on top of its guard time to end the last
// associations by itself.
const closeGrace = time.Second

// Close implements transport.Endpoint. It does not wait for associations that
// are shutting down.
func (e *Endpoint) Close() error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	e.closed = true
	guard := e.guard
	if guard < 0 {
		guard = time.Minute
	}
	e.giveUp = now.Add(guard + closeGrace)
	e.engine.Close(now)
	e.leave(now)
	return nil
}

// bury closes the sockets of a closed endpoint as soon as nothing is left to
// do, or when its time is over.
func (e *Endpoint) bury() {
	if !e.closed || e.dead || e.writing || !e.engine.Idle() && time.Now().Before(e.giveUp) {
		return
	}
	e.dead = true
	e.timer.Stop()
	closeSockets(e.sockets)
	if e.lost > 0 {
		e.log.Debug("closed endpoint had packets that the system did not take", "count", e.lost, "local", e.local)
	}
}
