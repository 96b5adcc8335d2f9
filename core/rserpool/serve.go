package rserpool

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Serve accepts sessions and calls handler for each, in a goroutine of its own, until ctx
// ends. Then it drains the element (Drain): its sessions move to other elements of the
// pool, and Serve returns nil when all handlers have returned. If that takes more than 30 s
// it ends the sessions that are left, and returns context.DeadlineExceeded when their handlers
// have returned: Conn.Context tells them that it is time. Otherwise it returns what went
// wrong; after Close or Detach of the listener ErrClosed. Sessions that a handler leaves open
// are closed, and so is the listener. Conn.Context ends with the session, and has the values
// of ctx.
func (l *Listener) Serve(ctx context.Context, handler func(*Conn)) error {
	var handlers sync.WaitGroup
	accepting, stop := context.WithCancel(context.WithoutCancel(ctx))
	drained := make(chan error, 1)
	withdraw := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(accepting, drainLimit)
		defer cancel()
		err := l.Drain(limit)
		if errors.Is(err, ErrNotRegistered) {
			err = nil // it has left before
		}
		drained <- err
		stop()
	})
	var err error
	for err == nil {
		var c *Conn
		if c, err = l.Accept(accepting); err == nil {
			handlers.Go(func() {
				defer c.Close()
				handler(c)
			})
		}
	}
	stop()
	if !withdraw() { // ctx has ended
		if moved := <-drained; !errors.Is(err, ErrClosed) { // by whoever closed it
			err = moved
		}
	}
	var closing error
	if !l.l.Detached() { // otherwise the sessions go on, and the last one closes it
		closing = l.Close() // ends what handlers wait for
	}
	handlers.Wait()
	if errors.Is(err, ErrClosed) || errors.Is(closing, ErrClosed) {
		closing = nil
	}
	return errors.Join(err, closing)
}

// drainLimit is how long the sessions of an element may take to move.
const drainLimit = 30 * time.Second

// NetListener returns the element as a listener of streams, for servers that know nothing
// of pools, such as http.Serve. See Conn.NetConn. Its Close is Listener.Detach, for a
// second at most: as with other listeners the connections that Accept has returned go on,
// and so http.Server.Shutdown waits for the requests that are under way. Close of the
// Listener itself ends those too.
func (l *Listener) NetListener() net.Listener { return netListener{l} }

type netListener struct{ l *Listener }

func (n netListener) Accept() (net.Conn, error) {
	c, err := n.l.Accept(context.Background())
	if err != nil {
		return nil, err
	}
	return c.NetConn(), nil
}

func (n netListener) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), detachLimit)
	defer cancel()
	return n.l.Detach(ctx)
}

// detachLimit is how long Close of a net.Listener tells the registrar.
const detachLimit = time.Second

func (n netListener) Addr() net.Addr { return firstAddr(n.l.Addrs()) }
