package rserpool

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Conn is a session: messages, in order, with their boundaries. That of a pool
// user moves to another element when the one that serves it fails; what that
// one had not received goes to the next. All methods are safe for concurrent
// use.
type Conn struct {
	s       *Socket
	ss      *session
	dialled bool // the socket is for this session alone

	reading sync.Mutex
	rest    []byte // of a message that Read returned in part
}

// Dial makes a session with an element of the pool. It returns what
// Socket.Connect does. The socket behind it is closed with the session.
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
	if s.own == nil {
		return nil, ErrClosed
	}
	return &Conn{s: s, ss: s.own, dialled: true}, nil
}

// Send sends one message; it waits while there is no room for it.
func (c *Conn) Send(ctx context.Context, b []byte) error {
	return c.SendMessage(ctx, b, SendInfo{})
}

// SendMessage sends one message as info says; its Session is ignored.
func (c *Conn) SendMessage(ctx context.Context, b []byte, info SendInfo) error {
	var outcome error
	err := c.s.await(ctx, &c.ss.writable, func() bool {
		if outcome = c.ended(); outcome == nil {
			outcome = c.s.sendOn(c.ss, b, &info)
		}
		return !errors.Is(outcome, ErrWouldBlock)
	})
	if err != nil {
		return err
	}
	if errors.Is(outcome, io.EOF) {
		return ErrNotConnected
	}
	return outcome
}

// Recv returns the next message, which then belongs to the caller. Cookie
// echoes and notifications are passed over. It returns
// io.EOF when the peer has ended the session; that of a pool user ends only by
// Close, or with an error when no element of the pool can take it over.
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
		if c.ss.inbox.len() == 0 {
			c.s.dispatch() // perhaps its hook is on the way
		}
		if c.ss.inbox.len() == 0 {
			outcome = c.ended()
			return outcome != nil
		}
		m := *c.ss.inbox.first()
		b, outcome = m.data, nil
		c.s.take(c.ss, nil, &info, false)
		info.Truncated = false
		c.s.unstall(c.ss)
		return true
	})
	if err != nil {
		return nil, info, err
	}
	return b, info, outcome
}

// ended returns why the session has ended, or nil, with the socket locked.
func (c *Conn) ended() error {
	switch {
	case c.s.closing, c.ss.ending:
		return ErrClosed
	case c.ss.state != ended:
		return nil
	case c.ss.err != nil:
		return c.ss.err
	}
	return io.EOF
}

// Read is Recv for those who want bytes: what does not fit in b is returned by
// the next Read.
func (c *Conn) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.rest) == 0 {
		m, err := c.Recv(context.Background())
		if err != nil {
			return 0, err
		}
		c.rest = m
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write sends b as one message.
func (c *Conn) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := c.Send(context.Background(), b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Peer returns the pool and the element that serves the session at the moment.
// It is what Socket.PeerName returns.
func (c *Conn) Peer() Name {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.ss.peer
}

// Status describes the session.
func (c *Conn) Status() SessionStatus {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.sessionStatus(c.ss)
}

// Close ends the session gracefully: what was sent still arrives. For a
// session from Dial it waits for that, a second at most.
func (c *Conn) Close() error {
	if c.dialled {
		return c.s.Close()
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.ended(); errors.Is(err, ErrClosed) {
		return err
	}
	c.s.finish(c.ss)
	return nil
}
