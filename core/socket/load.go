package socket

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// reporting is what SetLoad remembers.
type reporting struct {
	as     Registration // as Register or SetLoad said last
	timer  *time.Timer  // not nil: the newest values are still to be told
	latest time.Time    // when values were told last
}

// defaultLoadInterval is Config.LoadInterval where it is 0.
const defaultLoadInterval = time.Second

// loadLimit bounds the wait for a registrar's answer to new values.
const loadLimit = 30 * time.Second

// SetLoad changes the values of the policy of a registered pool element, such
// as its load (a re-registration, RFC 5352 section 2.2.1). It does not wait and
// may be called as often as the program likes: the registrar is told the newest
// values, at most once per Config.LoadInterval and the first change at once. When
// it refuses, Status has the reason and the old values stay. SetLoad returns
// ErrNotRegistered, or ErrInvalid when p is of another policy than the one the
// element is registered with.
func (s *Socket) SetLoad(p Policy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Type = cmp.Or(p.Type, RoundRobin)
	switch was := s.report.as.Policy.Type; {
	case s.closing:
		return ErrClosed
	case s.name.Pool == "":
		return ErrNotRegistered
	case was != p.Type:
		return fmt.Errorf("%w: the element is registered with policy %v, not %v; only its values can change", ErrInvalid, was, p.Type)
	}
	s.report.as.Policy = p
	if s.report.timer == nil {
		wait := time.Until(s.report.latest.Add(s.cfg.LoadInterval))
		s.report.timer = time.AfterFunc(max(wait, 0), s.reportDue)
	}
	return nil
}

// SetLoadInterval changes Config.LoadInterval of the socket; 0 is the default. A
// report that waits already keeps its time.
func (s *Socket) SetLoadInterval(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%w: LoadInterval %v is negative", ErrInvalid, d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d = cmp.Or(d, defaultLoadInterval)
	s.cfg.LoadInterval = d
	return nil
}

// LoadInterval returns what is in force.
func (s *Socket) LoadInterval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.LoadInterval
}

// SetLoad is Socket.SetLoad.
func (l *Listener) SetLoad(p Policy) error { return l.s.SetLoad(p) }

// reportDue tells the registrar the newest values.
func (s *Socket) reportDue() {
	ctx, cancel := context.WithTimeout(context.Background(), loadLimit)
	defer cancel()
	if s.turn(ctx) != nil {
		return // the call that has its turn tells them, or fails
	}
	defer s.endTurn()
	s.mu.Lock()
	s.report.timer, s.report.latest = nil, time.Now()
	pool, as, gone := s.name.Pool, s.report.as, s.closing || s.name.Pool == ""
	s.mu.Unlock()
	if gone {
		return
	}
	element, err := s.element(pool, as)
	if err == nil {
		err = s.postRegistration(ctx, endpoint.Register{Handle: protocol.PoolHandle(pool), Element: element}, "report the load to pool "+quote(pool))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.closing {
		s.lastErr = err
		s.log.Warn("the load was not reported", "pool", pool, "err", err)
	}
}
