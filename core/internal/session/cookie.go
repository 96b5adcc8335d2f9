package session

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// MaxCookie is the largest state that a cookie carries, in bytes.
const MaxCookie = 60000

// SendCookie leaves the state of a session of a pool element with its pool
// user (RFC 5352 section 3.8). It stands for all messages of the session that were
// received so far. ErrWouldBlock means that there is no room.
func (t *Table) SendCookie(now time.Time, ss *Session, state []byte) error {
	t.now = now
	switch {
	case ss.own:
		return fmt.Errorf("%w: session %d is that of a pool user; its element leaves the cookies", ErrInvalid, ss.id)
	case t.service.DataOnly:
		return fmt.Errorf("%w: the element was registered DataOnly: there is no way for cookies", ErrInvalid)
	case len(state) > MaxCookie:
		return fmt.Errorf("%w: a state of %d bytes; a cookie carries %d", ErrMessageSize, len(state), MaxCookie)
	case ss.phase != established:
		return fmt.Errorf("%w: the pool user is ending session %d", ErrNotConnected, ss.id)
	case t.port.Waiting(ss.assoc):
		t.refuse(ss)
		return ErrWouldBlock
	}
	ss.last = &cookieFrame{covered: ss.taken, state: bytes.Clone(state)}
	t.touch(ss)
	if len(t.service.PoolKey) == 0 && !ss.opts.Replay && !strings.HasPrefix(string(state), frameMagic) {
		t.postCookie(ss, ss.last.state)
		return nil
	}
	t.postFrame(ss, *ss.last)
	return nil
}

// postFrame sends a cookie that says more than its state.
func (t *Table) postFrame(ss *Session, e cookieFrame) {
	e.made = t.now
	e.expires = e.made.Add(t.cfg.CookieLife)
	t.postCookie(ss, e.seal(t.service.PoolKey, t.service.Pool, t.cfg.Random))
}

func (t *Table) postCookie(ss *Session, b []byte) {
	t.cfg.Post(endpoint.SendCookie{Assoc: ss.assoc, Data: b})
}

// signal tells the pool user something with a copy of the last cookie, which
// it keeps instead.
func (t *Table) signal(ss *Session, flag uint8) {
	if t.service.DataOnly || ss.phase != established {
		return
	}
	e := cookieFrame{flags: frameEmpty}
	if ss.last != nil {
		e = *ss.last
	}
	e.flags |= flag
	t.postFrame(ss, e)
}

// cookieReceived notes what the head of a cookie says to the pool user.
func (t *Table) cookieReceived(f endpoint.CookieReceived) {
	ss := t.sessions[f.Session]
	if ss == nil || ss.phase == ended {
		return
	}
	e, ok := readCookieFrame(f.Data)
	if !ok {
		return
	}
	if e.flags&frameEmpty == 0 {
		ss.counted = e.covered
		t.cover(ss, e.covered)
	}
	if e.flags&(frameLeft|frameMove) != 0 {
		t.cfg.Post(endpoint.PELeft{Session: f.Session})
	}
	if e.flags&frameMove != 0 && ss.phase == established {
		t.moveOn(ss, f.Data)
	}
}

// cookieEchoed: a pool user brings the state of its session, with which that
// begins here; or it confirms that it moves on.
func (t *Table) cookieEchoed(f endpoint.CookieEchoReceived) {
	a := t.assocs[f.Assoc]
	if a == nil || a.over || !t.service.Serving || t.service.DataOnly {
		return
	}
	if ss := a.session; ss != nil {
		if ss.asked && !ss.own {
			ss.stopped = true
			t.lookParting(ss)
		}
		return // a session begins once
	}
	if a.session = t.acceptSession(f.Assoc); a.session != nil {
		t.restore(a.session, f.Data)
	}
}

// restore gives a session that has just begun the state that its pool user brings.
func (t *Table) restore(ss *Session, cookie []byte) {
	e, err := openCookie(cookie, t.service.PoolKey, t.service.Pool, t.now)
	if err != nil {
		t.log(endpoint.Warn, "a cookie is rejected", "session", ss.id, "err", err)
		t.notify(ss, Notification{Type: CookieRejected, Err: err})
		return
	}
	ss.taken, ss.base = e.covered, e.covered
	e.flags &= frameEmpty
	ss.last = &e
	if e.flags&frameEmpty == 0 {
		t.deliver(ss, incoming{data: e.state, echo: true})
	}
}
