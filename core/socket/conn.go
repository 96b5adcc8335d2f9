package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/session"
)

// Conn is a session: messages, in order, with their boundaries. That of a pool
// user moves to another element when the one that serves it fails; what that
// one had not received goes to the next. All methods are safe for concurrent
// use.
type Conn struct {
	s       *Socket
	ss      *attended
	dialled bool            // the socket is for this session alone
	ctx     context.Context // ends with the session
	closed  bool
}

// Dial makes a session with an element of the pool. It returns what
// Socket.Connect does. The socket behind it is closed with the session. The element
// accepts the session when its first message comes: a pool user speaks first.
func Dial(ctx context.Context, pool string, opts *Options) (*Conn, error) {
	s, err := opts.newSocket()
	if err != nil {
		return nil, err
	}
	if err := s.Connect(ctx, pool); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.table.Own()
	if own == nil {
		return nil, ErrClosed
	}
	return s.newConn(ctx, own, true), nil
}

// newConn makes the Conn of a session, with the socket locked.
func (s *Socket) newConn(ctx context.Context, ss *session.Session, dialled bool) *Conn {
	c := &Conn{s: s, ss: s.attend(ss), dialled: dialled}
	c.ctx, c.ss.end = context.WithCancelCause(context.WithoutCancel(ctx))
	c.ss.tellEnd()
	return c
}

// Context returns a context that ends with the session, with the reason as its cause. It
// has the values of the context that Dial or Accept was given.
func (c *Conn) Context() context.Context { return c.ctx }

// Send sends one message; it waits while there is no room for it.
func (c *Conn) Send(ctx context.Context, b []byte) error {
	return c.SendMessage(ctx, b, SendInfo{})
}

// SendMessage sends one message as info says; its Session is ignored.
func (c *Conn) SendMessage(ctx context.Context, b []byte, info SendInfo) error {
	var outcome error
	err := c.s.await(ctx, &c.ss.writable, func() bool {
		outcome = c.send(b, &info)
		return !errors.Is(outcome, ErrWouldBlock)
	})
	if err != nil {
		return err
	}
	return outcome
}

// TrySend is SendMessage without waiting: ErrWouldBlock means that there is no
// room. A nil info means the zero SendInfo.
func (c *Conn) TrySend(b []byte, info *SendInfo) error {
	if info == nil {
		info = &SendInfo{}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.send(b, info)
}

// send is TrySend with the socket locked.
func (c *Conn) send(b []byte, info *SendInfo) error {
	if err := c.canSend(); err != nil {
		return err
	}
	return c.s.table.Send(time.Now(), c.ss.Session, b, info)
}

// canSend returns why nothing can be sent any more, or nil.
func (c *Conn) canSend() error {
	switch err := c.ended(); {
	case err == io.EOF:
		return fmt.Errorf("%w: the session has ended", ErrNotConnected)
	case err == nil, c.ss.Own(), errors.Is(err, ErrClosed):
		return err
	default:
		return fmt.Errorf("%w: the session has ended: %w", ErrNotConnected, err)
	}
}

// Recv returns the next message, which then belongs to the caller. Cookie
// echoes and notifications are passed over. It returns io.EOF when the peer has
// ended the session or Drain has moved it, and another error when the pool user was
// lost; that of a pool user ends only by Close, or with an error when no element of
// the pool can take it over.
func (c *Conn) Recv(ctx context.Context) ([]byte, error) {
	for {
		b, info, err := c.RecvMessage(ctx)
		if err != nil || !info.CookieEcho && info.Notification == nil {
			return b, err
		}
	}
}

// RecvMessage is Recv with what is known about the message. It also returns
// cookie echoes and the notifications that the session's options ask for.
func (c *Conn) RecvMessage(ctx context.Context) (b []byte, info RecvInfo, err error) {
	var outcome error
	err = c.s.await(ctx, &c.ss.readable, func() bool {
		outcome = c.receive(func() (err error) {
			b, err = c.s.table.Take(time.Now(), c.ss.Session, &info)
			return err
		})
		return !errors.Is(outcome, ErrWouldBlock)
	})
	if err != nil {
		return nil, info, err
	}
	return b, info, outcome
}

// TryRecv is Socket.TryRecv for this session, with the errors of Recv.
func (c *Conn) TryRecv(b []byte, info *RecvInfo, flags RecvFlags) (n int, err error) {
	if info == nil {
		flags |= RecvMessages
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	err = c.receive(func() (err error) {
		n, err = c.s.table.ReceiveFrom(time.Now(), c.ss.Session, b, info, flags)
		return err
	})
	return n, err
}

// receive takes something that was received, or says why there is nothing, with the
// socket locked.
func (c *Conn) receive(take func() error) error {
	if c.closed {
		return ErrClosed
	}
	err := take()
	if errors.Is(err, ErrWouldBlock) {
		c.s.dispatch() // perhaps its hook is on the way
		err = take()
	}
	if errors.Is(err, ErrWouldBlock) && c.ended() != nil {
		err = c.ended()
	}
	return err
}

// ended returns why the session has ended, or nil, with the socket locked.
func (c *Conn) ended() error {
	switch {
	case c.s.closing, c.closed:
		return ErrClosed
	case !c.ss.Over():
		return nil
	case c.ss.Err() != nil:
		return c.ss.Err()
	}
	return io.EOF
}

// MaxMessage returns the largest message, in bytes.
func (c *Conn) MaxMessage() int { return c.s.cfg.MaxMessage }

// Peer returns the pool and the element that serves the session at the moment.
// It is what Socket.PeerName returns.
func (c *Conn) Peer() Name {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.ss.Peer()
}

// Status describes the session.
func (c *Conn) Status() SessionStatus {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.table.Status(c.ss.Session)
}

// Close ends the session gracefully: what was sent still arrives. For a
// session from Dial, and for the last one of a Listener that was detached, it
// waits for that, a second at most.
func (c *Conn) Close() error {
	if c.dialled {
		return c.s.Close()
	}
	if _, err := c.finish(); err != nil {
		return err
	}
	return lingering(c.s.closeUnused)
}

// CloseContext is Close, but waits for any session until what was sent has
// arrived. It returns the context's error when that ends first; the session is
// closed all the same.
func (c *Conn) CloseContext(ctx context.Context) error {
	if c.dialled {
		return c.s.CloseContext(ctx)
	}
	id, err := c.finish()
	if err != nil {
		return err
	}
	err = c.s.await(ctx, &c.s.changed, func() bool { return c.s.closed || !c.s.table.Standing(id) })
	return errors.Join(err, c.s.closeUnused(ctx))
}

// finish ends the session of an accepted Conn; its association follows.
func (c *Conn) finish() (assoc.ID, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.closing || c.closed {
		return 0, ErrClosed
	}
	c.closed = true
	c.s.taken--
	id := c.ss.Assoc()
	c.s.table.Finish(time.Now(), c.ss.Session)
	return id, nil
}
