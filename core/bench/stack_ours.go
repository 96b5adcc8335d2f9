package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/kernel"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// oursStack is a transport of this project with its default parameters, used as
// the layer above it does: messages are read where the readable hook is called.
type oursStack struct {
	open func(transport.Config) (transport.Endpoint, error)
}

// openUserland opens an endpoint of the engine over UDP.
func openUserland(c transport.Config) (transport.Endpoint, error) { return userland.Listen(c) }

// openKernel opens an endpoint of the kernel's SCTP.
func openKernel(c transport.Config) (transport.Endpoint, error) { return kernel.Listen(c) }

// oursEnd is one endpoint.
type oursEnd struct {
	transport.Endpoint
	room chan struct{}   // an association has room again
	up   chan assoc.Kind // the outcome of a Connect
}

// oursConn is an association of an endpoint.
type oursConn struct {
	end  *oursEnd
	info assoc.SendInfo
}

func (c *oursConn) send(b []byte) error {
	for {
		err := c.end.Send(b, &c.info)
		if !errors.Is(err, assoc.ErrWouldBlock) {
			return err
		}
		<-c.end.room
	}
}

func (s oursStack) end(h handler, limit int) (*oursEnd, error) {
	e, err := s.open(transport.Config{Local: []netip.AddrPort{loopback(0)}})
	if err != nil {
		return nil, err
	}
	end := &oursEnd{Endpoint: e, room: make(chan struct{}, 1), up: make(chan assoc.Kind, 1)}
	// What is longer than the buffer arrives in pieces, and the bench counts
	// bytes; only bulk messages are that long.
	buf := make([]byte, limit)
	from := &oursConn{end: end}
	var info assoc.RecvInfo
	readable := func() {
		for {
			n, err := e.Recv(buf, &info)
			if err != nil {
				return
			}
			switch info.Kind {
			case assoc.Message:
				from.info.Assoc = info.Assoc
				h(from, buf[:n])
			case assoc.CommUp, assoc.CannotStart:
				select {
				case end.up <- info.Kind:
				default:
				}
			}
		}
	}
	e.Notify(readable, func(assoc.ID) {
		select {
		case end.room <- struct{}{}:
		default:
		}
	})
	return end, nil
}

func (s oursStack) listen(h handler) (port, sctpPort int, err error) {
	e, err := s.end(h, 64<<10)
	if err != nil {
		return 0, 0, err
	}
	p := int(e.LocalAddrs()[0].Port())
	return p, p, nil
}

func (s oursStack) dial(port, sctpPort, n int, h func(i int) handler) ([]conn, error) {
	conns := make([]conn, n)
	for i := range conns {
		e, err := s.end(h(i), 2048)
		if err != nil {
			return nil, err
		}
		c := &oursConn{end: e}
		c.info.Assoc, err = e.Connect([]netip.AddrPort{loopback(sctpPort)}, &assoc.Params{EncapPort: uint16(port)})
		if err != nil {
			return nil, err
		}
		select {
		case kind := <-e.up:
			if kind != assoc.CommUp {
				return nil, fmt.Errorf("association %d was not set up", i)
			}
		case <-time.After(patience):
			return nil, fmt.Errorf("association %d: %w", i, net.ErrClosed)
		}
		conns[i] = c
	}
	return conns, nil
}
