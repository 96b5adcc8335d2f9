package rserpool

import (
	"context"
	"net/netip"

	"github.com/librserpool/librserpool/core/socket"
)

// Conn is a session: messages, in order, with their boundaries. That of a pool
// user moves to another element when the one that serves it fails; what that
// one had not received goes to the next. All methods are safe for concurrent
// use.
type Conn struct{ c *socket.Conn }

// Dial makes a session with an element of the pool and waits until it stands. For a
// pool or a registrar that is not there yet it waits (Options.WaitForPool). It returns
// ErrUnknownPool, ErrNoRegistrar, ErrNoElement, or the context's error. The element
// accepts the session when its first message comes: a pool user speaks first. ctx bounds
// this call only, not the session.
func Dial(ctx context.Context, pool string, opts *Options) (*Conn, error) {
	c, err := socket.Dial(ctx, pool, traced(ctx, opts.socket()))
	if err != nil {
		return nil, err
	}
	return &Conn{c}, nil
}

// Context returns a context that ends with the session: when Close was called, or when
// the session has ended by itself, with the reason as its cause (context.Cause): io.EOF
// after Close and after an end in order. It has the values of the context that Dial, or Serve, was given.
func (c *Conn) Context() context.Context { return c.c.Context() }

// Send sends one message; it waits while there is no room for it. The message may be used
// again afterwards. A message that was accepted reaches the element that serves the
// session, or the next one.
func (c *Conn) Send(ctx context.Context, b []byte) error { return c.c.Send(ctx, b) }

// SendMessage sends one message as info says.
func (c *Conn) SendMessage(ctx context.Context, b []byte, info SendInfo) error {
	return c.c.SendMessage(ctx, b, info.socket())
}

// SendBatch sends messages in their order, as SendMessage does each, but what fits
// travels together in one packet. It returns when all were taken, or how many were, and
// why the next one was not.
func (c *Conn) SendBatch(ctx context.Context, ms []Message) (n int, err error) {
	batch := make([]socket.Message, len(ms))
	for i, m := range ms {
		batch[i] = socket.Message{Data: m.Data, SendInfo: m.SendInfo.socket()}
	}
	return c.c.SendBatch(ctx, batch)
}

// Recv returns the next message, which then belongs to the caller. Cookie
// echoes and notifications are passed over. It returns io.EOF when the peer has
// ended the session or Drain has moved it, and another error when the pool user was
// lost; that of a pool user ends only by Close, or with an error when no element of
// the pool can take it over.
func (c *Conn) Recv(ctx context.Context) ([]byte, error) { return c.c.Recv(ctx) }

// RecvMessage is Recv with what is known about the message. It also returns
// cookie echoes and the notifications that the session's options ask for.
func (c *Conn) RecvMessage(ctx context.Context) ([]byte, RecvInfo, error) {
	b, info, err := c.c.RecvMessage(ctx)
	return b, publicInfo(&info), err
}

// SendCookie leaves the state of a session of a pool element with its pool
// user (RFC 5352 section 3.8). The pool user keeps the last one; the element to
// which the session moves receives it before any message of the session, as a
// message with RecvInfo.CookieEcho set. It stands for all messages of the
// session that were received so far: with SessionOptions.Replay the others, and
// only they, come behind it. Where answers are sent too, send those to the
// messages that the cookie covers before it: then an answer may be sent twice
// in a failover, but none is missing. It waits while there is no room.
//
// ErrMessageSize: the state is larger than MaxCookie. ErrInvalid: the session is not one
// of a pool element, or it has no control channel (Options.DataOnly).
func (c *Conn) SendCookie(ctx context.Context, state []byte) error { return c.c.SendCookie(ctx, state) }

// Resume lets a session that SessionOptions.HoldFailover holds back after a failover go
// on. Otherwise it does nothing.
func (c *Conn) Resume() error { return c.c.Resume() }

// Name is what RSerPool knows a peer by.
type Name struct {
	Pool string
	PE   PEID // zero when not known
}

// Peer returns the pool and the element that serves the session at the moment. The peer
// of a session of a pool element is a pool user, and has a name only if it says that it is
// an element of a pool itself (RFC 5352 section 3.9).
func (c *Conn) Peer() Name { return Name(c.c.Peer()) }

// Addrs returns the addresses of both ends: the local ones that the peer knows or sees,
// and the peer's, first the one that data goes to. Both are empty while the session has no
// association, as between two elements.
func (c *Conn) Addrs() (local, peer []netip.AddrPort) { return c.c.Addrs() }

// Options returns the options of the session.
func (c *Conn) Options() SessionOptions { return SessionOptions(c.c.Options()) }

// SetOptions changes them: take what Options returns and change that. It returns
// ErrInvalid when a value makes no sense, or when Replay changes: that is chosen before
// the session begins.
func (c *Conn) SetOptions(o SessionOptions) error { return c.c.SetOptions(socket.SessionOptions(o)) }

// Status describes the session.
func (c *Conn) Status() SessionStatus { return publicStatus(c.c.Status()) }

// Stats describes the session in detail, also when it has ended. It asks the transport,
// which costs some microseconds.
func (c *Conn) Stats() SessionStats { return publicStats(c.c.Stats()) }

// Abort ends the session at once: what was sent and has not arrived is lost, and the peer
// is told that it was aborted (RFC 9260 section 9.1). Where the peer is a pool user, its
// session goes on with another element of the pool. Close the Conn nevertheless.
func (c *Conn) Abort() error { return c.c.Abort() }

// Close ends the session gracefully: what was sent still arrives. For a
// session from Dial, and for the last one of a Listener that was detached, it
// waits for that, a second at most.
func (c *Conn) Close() error { return c.c.Close() }

// CloseContext is Close, but waits for any session until what was sent has
// arrived. It returns the context's error when that ends first; the session is
// closed all the same.
func (c *Conn) CloseContext(ctx context.Context) error { return c.c.CloseContext(ctx) }
