package rserpool

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// stay is what a pool element knows of a session that stays with it.
type stay struct {
	taken uint64    // messages that the program received, and those that the echo covers
	base  uint64    // those that the echo covers
	last  *envelope // the state that was left or brought last

	asked   bool // the pool user was asked to move on
	askedAt time.Time
	stopped bool      // it said that it sends nothing more
	touched time.Time // asked: when the program last did something
}

// touch notes that the program did something with the session.
func (ss *session) touch() {
	if ss.asked {
		ss.touched = time.Now()
	}
}

// Draining ends a session when the pool user has stopped, or is no user of this
// library and seems not to listen (moveAfter), when everything was read and
// when the program has done nothing for a while: for drainPause if it looks
// done, with an answer per message and the last cookie covering all of them, and
// otherwise for drainPatience.
const (
	moveAfter     = 500 * time.Millisecond
	drainPause    = 50 * time.Millisecond
	drainPatience = time.Second
	drainLook     = 10 * time.Millisecond
)

// Drain takes the element out of its pool like Deregister and moves its
// sessions to other elements, without loss. Each pool user is asked to stop;
// what it has sent is still received, and can be answered. The program may leave
// a last cookie and end the session itself (the notification Shutdown tells that
// it is time); otherwise the library ends it, about 50 ms after the program has
// answered everything and sent its last cookie, one second after it has done
// anything else. Pool users do not report the element as unreachable.
//
// Drain returns when all sessions have moved; or when ctx ends: then it ends
// those that are left gracefully and returns the context's error.
func (s *Socket) Drain(ctx context.Context) error {
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	if _, err := s.LocalName(); err != nil {
		return err
	}
	s.signalAll(envelopeMove)
	err := s.postRegistration(ctx, endpoint.Deregister{}, "deregister")
	if waitErr := s.awaitDrained(ctx); waitErr != nil {
		return waitErr
	}
	return err
}

// Drain is Socket.Drain. Accept goes on to return sessions that come meanwhile.
func (l *Listener) Drain(ctx context.Context) error { return l.s.Drain(ctx) }

// signalAll tells the pool users of all sessions something.
func (s *Socket) signalAll(flag uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ss := range s.staying() {
		s.signal(ss, flag)
		if flag == envelopeMove {
			s.askToMove(ss)
		}
	}
}

// staying returns the sessions of the element, in the order of their beginning.
func (s *Socket) staying() []*session {
	var out []*session
	for _, ss := range s.sessions {
		if !ss.own && ss.state != ended && !ss.ending {
			out = append(out, ss)
		}
	}
	slices.SortFunc(out, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (s *Socket) askToMove(ss *session) {
	ss.asked, ss.askedAt = true, time.Now()
	ss.touched = ss.askedAt
	s.notify(ss, Notification{Type: Shutdown})
	s.updateReadiness()
}

// awaitDrained waits until the sessions have moved.
func (s *Socket) awaitDrained(ctx context.Context) error {
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for {
		s.mu.Lock()
		left := s.drainStep(time.Now(), ctx.Err() != nil)
		closing := s.closing
		s.mu.Unlock()
		switch {
		case closing:
			return ErrClosed
		case left == 0, ctx.Err() != nil:
			return ctx.Err()
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

// drainStep ends the sessions that are done, or all of them, and returns how
// many are left.
func (s *Socket) drainStep(now time.Time, all bool) (left int) {
	for _, ss := range s.staying() {
		if !ss.asked { // it came meanwhile
			s.signal(ss, envelopeMove)
			s.askToMove(ss)
		}
		if all || ss.drained(now) {
			s.finish(ss)
		} else {
			left++
		}
	}
	for _, a := range s.assocs {
		if a.over {
			left++
		}
	}
	s.updateReadiness()
	return left
}

// drained says that nothing more is to be expected of a session.
func (ss *session) drained(now time.Time) bool {
	idle := now.Sub(ss.touched)
	if ss.inbox.len() > 0 || !ss.stopped && now.Sub(ss.askedAt) < moveAfter {
		return false
	}
	done := uint64(ss.handed) >= ss.taken-ss.base && (ss.last == nil || ss.last.covered == ss.taken)
	return idle >= drainPatience || done && idle >= drainPause
}
