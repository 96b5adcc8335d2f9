package socket

import (
	"context"
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// MaxCookie is the largest state that a cookie carries, in bytes.
const MaxCookie = session.MaxCookie

// SendCookie leaves the state of a session of a pool element with its pool
// user (RFC 5352 section 3.8). The pool user keeps the last one; the element to
// which the session moves receives it before any message of the session, as a
// message with RecvInfo.CookieEcho set. It stands for all messages of the
// session that were received so far: with SessionOptions.Replay the others, and
// only they, come behind it. Where answers are sent too, send those to the
// messages that the cookie covers before it: then an answer may be sent twice
// in a failover, but none is missing.
//
// ErrWouldBlock means that there is no room: the writable hook tells when to
// try again. ErrMessageSize: the state is larger than MaxCookie. ErrInvalid:
// the session is not one of a pool element, or it has no control channel
// (Registration.DataOnly). ErrNotConnected: there is no such session any more.
func (s *Socket) SendCookie(id SessionID, state []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return err
	}
	return s.table.SendCookie(time.Now(), ss, state)
}

// SendCookie is Socket.SendCookie for this session; it waits while there is no
// room.
func (c *Conn) SendCookie(ctx context.Context, state []byte) error {
	var outcome error
	err := c.s.await(ctx, &c.ss.writable, func() bool {
		outcome = c.leaveCookie(state)
		return !errors.Is(outcome, ErrWouldBlock)
	})
	if err != nil {
		return err
	}
	return outcome
}

// TrySendCookie is SendCookie without waiting: ErrWouldBlock means that there is
// no room.
func (c *Conn) TrySendCookie(state []byte) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.leaveCookie(state)
}

// leaveCookie is TrySendCookie with the socket locked.
func (c *Conn) leaveCookie(state []byte) error {
	if err := c.canSend(); err != nil {
		return err
	}
	return c.s.table.SendCookie(time.Now(), c.ss.Session, state)
}
