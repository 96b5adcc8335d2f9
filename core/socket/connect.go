package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// Connect makes a session with an element of the pool and waits until it
// stands. Messages sent meanwhile are kept for it. The session then moves to
// another element whenever the one that serves it fails. For a pool or a
// registrar that is not there yet it waits (Config.WaitForPool). It returns
// ErrUnknownPool, ErrNoRegistrar, ErrNoElement, or ErrConnected; after an error the socket can connect again. Elements that are
// pool users of this socket are passed over, for two endpoints have one association
// at most: use another socket for one of the roles.
func (s *Socket) Connect(ctx context.Context, pool string) error {
	if err := s.cfg.checkPool(pool); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	ss, err := s.openSession(ctx, pool)
	if err != nil {
		return err
	}
	err = s.await(ctx, &s.changed, func() bool { return ss.Stood() || ss.Over() })
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		err = s.waitError("connect to pool "+quote(pool), ss.Waits(), err)
	case s.closing:
		err = ErrClosed
	case ss.Stood():
		return nil
	case ss.Err() != nil:
		err = ss.Err()
	default:
		err = fmt.Errorf("%w: the session was ended while it was being set up", ErrNotConnected)
	}
	s.table.Discard(time.Now(), ss)
	return err
}

func (s *Socket) openSession(ctx context.Context, pool string) (*session.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return nil, ErrClosed
	case ctx.Err() != nil: // given up already: another one may be about to connect
		return nil, s.waitError("connect to pool "+quote(pool), nil, ctx.Err())
	}
	return s.table.Open(time.Now(), pool, *s.cfg.WaitForPool)
}

func (c *Config) checkPool(pool string) error {
	longest, of := MaxPoolHandle, ""
	if c.Compat == CompatRSPLIB {
		longest, of = MaxPoolHandleRSPLIB, " of RSPLIB"
	}
	if pool == "" || len(pool) > longest {
		return fmt.Errorf("%w: a pool handle%s has 1 to %d bytes, this one has %d", ErrInvalid, of, longest, len(pool))
	}
	return nil
}

// prepare opens the endpoint and makes the machine, at the first use.
func (s *Socket) prepare() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ensureOpen(); err != nil || s.machine != nil {
		return err
	}
	return s.startMachine()
}

// waitError is what a call returns whose context ended, with the socket locked.
// waits is why it still waited, if that is known.
func (s *Socket) waitError(what string, waits, cause error) error {
	if s.closing {
		return ErrClosed
	}
	if errors.Is(waits, ErrUnknownPool) {
		return fmt.Errorf("%w; that was so until its time was over: %w", waits, cause)
	}
	if s.home == "" {
		return &NoRegistrarError{Tried: s.tried(), Err: cause}
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %s, by the registrar %s: %w", ErrTimeout, what, s.home, cause)
	}
	return fmt.Errorf("%s: %w", what, cause)
}

func strs(addrs []netip.AddrPort) []string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return out
}

func joinStrs(addrs []netip.AddrPort) string { return strings.Join(strs(addrs), ", ") }
