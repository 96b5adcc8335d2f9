package userland

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// hooks are what the layer above wants to be called, and when.
type hooks struct {
	readable func()
	writable func(assoc.ID)

	starved bool       // Recv returned ErrWouldBlock since readable was called
	relaxed []assoc.ID // associations that writable is to be called for
	hooking bool       // a goroutine is calling hooks, since hookStart

	hookStart time.Time
}

// Notify implements transport.Endpoint. No two hooks run at the same time, and
// none starts after Close.
func (e *Endpoint) Notify(readable func(), writable func(assoc.ID)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readable, e.writable = readable, writable
	if !e.closed {
		e.schedule(e.hooksDue())
	}
}

// hooksDue says whether runHooks would call one.
func (e *Endpoint) hooksDue() bool {
	for id, ok := e.engine.Writable(); ok; id, ok = e.engine.Writable() {
		if e.writable != nil {
			e.relaxed = append(e.relaxed, id)
		}
	}
	return !e.closed && !e.hooking && (len(e.relaxed) > 0 || e.readable != nil && e.starved && e.engine.Readable())
}

// runHooks calls the hooks that are due. It is called and returns with the
// lock held on a goroutine of the endpoint; the hooks run without it. If
// another goroutine is at it already, that one sees to the rest.
func (e *Endpoint) runHooks(now time.Time) {
	for first := true; e.hooksDue(); first = false {
		if !first {
			now = clock()
		}
		e.hooking, e.hookStart = true, now
		if len(e.relaxed) > 0 {
			id := e.relaxed[0]
			e.relaxed = append(e.relaxed[:0], e.relaxed[1:]...)
			e.mu.Unlock()
			e.writable(id)
		} else {
			e.starved = false
			e.mu.Unlock()
			e.readable()
		}
		e.mu.Lock()
		e.hooking = false
	}
}
