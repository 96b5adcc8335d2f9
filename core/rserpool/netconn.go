package rserpool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// writePart is the largest message that Write of a NetConn makes, if Options.MaxMessage
// allows that.
const writePart = 64 << 10

// NetConn returns the session as a stream of bytes. What is written arrives in order, and
// message boundaries mean nothing: a large Write is split into several messages. A stream
// cannot go on in the middle with another element, so the session ends with the one that
// serves it (SessionOptions.NoFailover), and Read returns why: io.EOF when the element ended
// it in order. There is no half-close, and a pool user writes first. The methods of Conn
// that receive are not to be used beside it; Close is that of Conn.
func (c *Conn) NetConn() net.Conn {
	local, peer := c.Addrs()
	n := &netConn{c: c, reading: newDeadline(), writing: newDeadline(), local: firstAddr(local), peer: firstAddr(peer)}
	o := c.Options()
	o.NoFailover, o.Notifications = true, 0
	if err := c.SetOptions(o); err != nil {
		n.failed = fmt.Errorf("the session cannot be a stream: %w", err)
	}
	return n
}

// netConn is what NetConn returns.
type netConn struct {
	c           *Conn
	failed      error // it cannot be used
	local, peer net.Addr

	mu               sync.Mutex // of Read
	rest             []byte     // of a message that Read returned in part
	order            sync.Mutex // of Write: what one writes stays together
	reading, writing *deadline
}

func (n *netConn) Read(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failed != nil || len(b) == 0 {
		return 0, n.failed
	}
	for len(n.rest) == 0 {
		err := n.reading.try(func(ctx context.Context) (err error) {
			n.rest, err = n.c.Recv(ctx)
			return err
		})
		switch {
		case errors.Is(err, session.ErrTookLeave):
			return 0, io.EOF
		case err != nil:
			return 0, n.opError("read", err)
		}
	}
	k := copy(b, n.rest)
	n.rest = n.rest[k:]
	return k, nil
}

func (n *netConn) Write(b []byte) (written int, err error) {
	n.order.Lock()
	defer n.order.Unlock()
	for n.failed == nil && len(b) > 0 {
		part := b[:min(len(b), writePart, n.c.c.MaxMessage())]
		if err := n.writing.try(func(ctx context.Context) error { return n.c.Send(ctx, part) }); err != nil {
			return written, n.opError("write", err)
		}
		written += len(part)
		b = b[len(part):]
	}
	return written, n.failed
}

// opError is the error of a net.Conn: io.EOF and those of a deadline stay what they are.
func (n *netConn) opError(op string, err error) error {
	if err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "sctp", Source: n.LocalAddr(), Addr: n.RemoteAddr(), Err: err}
}

func (n *netConn) Close() error {
	n.reading.set(time.Time{})
	n.writing.set(time.Time{})
	return n.c.Close()
}

// LocalAddr returns what it was when the stream began; so does RemoteAddr.
func (n *netConn) LocalAddr() net.Addr { return n.local }

func (n *netConn) RemoteAddr() net.Addr { return n.peer }

func (n *netConn) SetDeadline(t time.Time) error {
	n.reading.set(t)
	n.writing.set(t)
	return nil
}

func (n *netConn) SetReadDeadline(t time.Time) error {
	n.reading.set(t)
	return nil
}

func (n *netConn) SetWriteDeadline(t time.Time) error {
	n.writing.set(t)
	return nil
}

// sctpAddr is an SCTP address as a net.Addr.
type sctpAddr struct{ netip.AddrPort }

// Network returns sctp.
func (sctpAddr) Network() string { return "sctp" }

func firstAddr(addrs []netip.AddrPort) net.Addr {
	if len(addrs) == 0 {
		return sctpAddr{} // it has ended
	}
	return sctpAddr{addrs[0]}
}

// deadline is the deadline of one direction. Setting it also concerns what waits already.
type deadline struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc
	moved  chan struct{} // closed when ctx is not in force any more
}

func newDeadline() *deadline {
	d := &deadline{}
	d.set(time.Time{})
	return d
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, moved := d.cancel, d.moved
	d.moved = make(chan struct{})
	if t.IsZero() {
		d.ctx, d.cancel = context.WithCancel(context.Background())
	} else {
		d.ctx, d.cancel = context.WithDeadline(context.Background(), t)
	}
	if before != nil {
		close(moved)
		before()
	}
}

func (d *deadline) inForce() (ctx context.Context, moved <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ctx, d.moved
}

// try does something that waits, under the deadline that is in force, and again under the
// next one where that is moved meanwhile.
func (d *deadline) try(do func(context.Context) error) error {
	for {
		ctx, moved := d.inForce()
		err := ctx.Err()
		if err == nil {
			err = do(ctx)
		}
		if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			return err
		}
		select {
		case <-moved:
		default:
			return os.ErrDeadlineExceeded
		}
	}
}
