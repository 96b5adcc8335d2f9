package rserpool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// MaxCookie is the largest state that a cookie carries, in bytes.
const MaxCookie = 60000

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
	return s.sendCookie(ss, state)
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
	return c.s.sendCookie(c.ss, state)
}

func (s *Socket) sendCookie(ss *session, state []byte) error {
	switch {
	case ss.own:
		return fmt.Errorf("%w: session %d is that of a pool user; its element leaves the cookies", ErrInvalid, ss.id)
	case s.dataOnly:
		return fmt.Errorf("%w: the element was registered DataOnly: there is no way for cookies", ErrInvalid)
	case len(state) > MaxCookie:
		return fmt.Errorf("%w: a state of %d bytes; a cookie carries %d", ErrMessageSize, len(state), MaxCookie)
	case ss.state != established:
		return fmt.Errorf("%w: the pool user is ending session %d", ErrNotConnected, ss.id)
	case s.port.Waiting(ss.assoc):
		s.refuse(ss)
		return ErrWouldBlock
	}
	ss.touch()
	ss.last = &envelope{covered: ss.taken, state: bytes.Clone(state)}
	if len(s.cfg.PoolKey) == 0 && !ss.opts.Replay && !strings.HasPrefix(string(state), envelopeMagic) {
		s.postCookie(ss, ss.last.state)
		return nil
	}
	s.postEnvelope(ss, *ss.last)
	return nil
}

// postEnvelope sends a cookie that says more than its state.
func (s *Socket) postEnvelope(ss *session, e envelope) {
	e.made = time.Now()
	e.expires = e.made.Add(s.cfg.CookieLife)
	s.postCookie(ss, e.seal(s.cfg.PoolKey, s.pool))
}

func (s *Socket) postCookie(ss *session, b []byte) {
	s.machine.Post(endpoint.SendCookie{Assoc: ss.assoc, Data: b})
}

// signal tells the pool user something with a copy of the last cookie, which
// it keeps instead.
func (s *Socket) signal(ss *session, flag uint8) {
	if s.dataOnly || ss.state != established {
		return
	}
	e := envelope{flags: envelopeEmpty}
	if ss.last != nil {
		e = *ss.last
	}
	e.flags |= flag
	s.postEnvelope(ss, e)
}

// cookieReceived notes what the head of a cookie says to the pool user.
func (s *Socket) cookieReceived(f endpoint.CookieReceived) {
	ss := s.sessions[SessionID(f.Session)]
	if ss == nil || ss.state == ended {
		return
	}
	e, ok := readEnvelope(f.Data)
	if !ok {
		return
	}
	if e.flags&envelopeEmpty == 0 {
		ss.counted = e.covered
		s.cover(ss, e.covered)
	}
	if e.flags&(envelopeLeft|envelopeMove) != 0 {
		s.machine.Post(endpoint.PELeft{Session: f.Session})
	}
	if e.flags&envelopeMove != 0 && ss.state == established {
		s.moveOn(ss, f.Data)
	}
}

// cookieEchoed: a pool user brings the state of its session, with which that
// begins here; or it confirms that it moves on.
func (s *Socket) cookieEchoed(f endpoint.CookieEchoReceived) {
	a := s.assocs[f.Assoc]
	if a == nil || a.over || !s.serving || s.dataOnly {
		return
	}
	if ss := a.session; ss != nil {
		if ss.asked && !ss.own {
			ss.stopped = true
			s.changed.fire()
		}
		return // a session begins once
	}
	e, err := openCookie(f.Data, s.cfg.PoolKey, s.pool, time.Now())
	a.session = s.acceptSession(f.Assoc)
	if err != nil {
		s.log.Warn("a cookie is rejected", "session", a.session.id, "err", err)
		s.notify(a.session, Notification{Type: CookieRejected, Err: err})
		s.updateReadiness()
		return
	}
	a.session.taken, a.session.base = e.covered, e.covered
	e.flags &= envelopeEmpty
	a.session.last = &e
	if e.flags&envelopeEmpty == 0 {
		s.deliver(a.session, incoming{data: e.state, echo: true})
	}
	s.updateReadiness()
}
