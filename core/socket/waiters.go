package socket

import (
	"cmp"
	"context"
	"io"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/session"
)

// guard is the lock of a socket. Before it is let go those who wait are told what has
// changed, whoever held it and whatever it was for.
type guard struct {
	sync.Mutex
	s *Socket
}

func (g *guard) Unlock() {
	g.s.settle()
	events := g.s.observed()
	g.Mutex.Unlock()
	for len(events) > 0 {
		events = g.s.tellObserver(events)
	}
}

// attended is a session that somebody waits for, or whose readiness somebody follows.
type attended struct {
	*session.Session
	readable, writable signal
	ready              readiness
	end                context.CancelCauseFunc // of Conn.Context; nil without one
}

// tellEnd ends the context of a session that is over.
func (a *attended) tellEnd() {
	if a.end != nil && a.Over() {
		a.end(cmp.Or(a.Err(), io.EOF))
	}
}

// attend returns the session with its waiters.
func (s *Socket) attend(ss *session.Session) *attended {
	a := s.attended[ss.ID()]
	if a == nil {
		a = &attended{Session: ss}
		s.attended[ss.ID()] = a
	}
	return a
}

// settle takes what can be taken from the transport, tells those who wait what has
// changed, and sets the next deadline.
func (s *Socket) settle() {
	if s.table.Hungry() {
		s.dispatch()
	}
	s.table.Changed(s.tellWaiters)
	s.writeLogs()
	s.observeSessions()
	if s.table.Moved() {
		s.changed.fire()
	}
	s.updateReadiness()
	if s.closed {
		s.deadline.Stop()
	} else {
		s.deadline.Set(s.table.Next())
	}
}

func (s *Socket) changedSession(c session.Change) {
	ss := s.attended[c.Session.ID()]
	if ss == nil {
		return
	}
	if c.Read {
		ss.readable.fire()
	}
	if c.Write {
		ss.writable.fire()
	}
	ss.show()
	ss.tellEnd()
	if s.table.Find(ss.ID()) == nil {
		delete(s.attended, ss.ID())
	}
}

func (s *Socket) writeLogs() {
	if err := s.table.Failure(); err != nil {
		s.lastErr = err
	}
	for _, l := range s.table.Logs() {
		if l.Rare {
			s.garbage.Log(l.Text, l.Args...)
		} else {
			s.log.Log(context.Background(), levels[l.Level], l.Text, l.Args...)
		}
	}
}

// deadlineDue runs on the timer's goroutine.
func (s *Socket) deadlineDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.deadline.Fired()
		s.table.Advance(time.Now())
	}
}

// post passes an event to the machine, if there is one.
func (s *Socket) post(e endpoint.Event) {
	if s.machine != nil {
		s.machine.Post(e)
	}
}
