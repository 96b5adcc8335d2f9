package main

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"io"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// stream is what a descriptor of type SOCK_STREAM has more: it listens for
// sessions, or it is one of them, of which sock is then that of the listener; or it
// connects, and then it is like the others.
type stream struct {
	oneToOne bool
	conn     *socket.Conn // what rsp_accept returned
	id       socket.SessionID

	listening sync.Mutex // guards the rest
	accepts   bool       // rsp_listen was called
	listener  *socket.Listener
}

var (
	errAccepted  = failf(unix.ENOTCONN, "the socket is a session that rsp_accept returned; its listening socket is what is registered")
	errNoAccept  = failf(unix.EOPNOTSUPP, "the type of the socket is not SOCK_STREAM; it has all its sessions itself")
	errListening = failf(unix.EISCONN, "the socket is for rsp_accept; connect with another one")
	errNoSession = failf(unix.ENOTCONN, "the socket has no session; connect it first, or use what rsp_accept returns")
)

// mayConnect says why rsp_connect cannot be, or nil.
func (d *descriptor) mayConnect() error {
	d.listening.Lock()
	defer d.listening.Unlock()
	switch {
	case d.conn != nil:
		return failf(unix.EISCONN, "the socket is a session that rsp_accept returned")
	case d.listener != nil:
		return errListening
	}
	return nil
}

// mayRegister says why rsp_register cannot be, or nil. Sessions of a SOCK_STREAM
// socket wait for rsp_accept from the beginning.
func (d *descriptor) mayRegister() error {
	if d.conn != nil {
		return failf(unix.EISCONN, "the socket is a session that rsp_accept returned; register a new one")
	}
	d.listening.Lock()
	defer d.listening.Unlock()
	if !d.oneToOne || d.listener != nil {
		return nil
	}
	l, err := d.sock.Listen(0)
	d.listener = l
	return err
}

// listen is rsp_listen.
func (d *descriptor) listen(backlog int) error {
	if !d.oneToOne {
		return errNoAccept
	}
	if d.conn != nil {
		return failf(unix.EISCONN, "the socket is a session that rsp_accept returned")
	}
	d.listening.Lock()
	defer d.listening.Unlock()
	l, err := d.sock.Listen(max(backlog, 1))
	if err != nil {
		return err
	}
	d.listener, d.accepts = l, true
	return nil
}

// accept is rsp_accept without the waiting. It returns the new descriptor.
func (d *descriptor) accept() (*descriptor, int, error) {
	d.listening.Lock()
	l, accepts := d.listener, d.accepts
	d.listening.Unlock()
	switch {
	case !d.oneToOne:
		return nil, 0, errNoAccept
	case !accepts:
		return nil, 0, failf(unix.EINVAL, "the socket does not listen; call rsp_listen first")
	case !l.Pending():
		return nil, 0, socket.ErrWouldBlock
	}
	// The descriptor comes first: a session that was taken cannot be put back.
	sig, err := newSignal()
	if err != nil {
		return nil, 0, err
	}
	fd := sig.app
	in := describe(d.sock, sig, d.domain)
	in.oneToOne = true
	in.closed.Store(true) // nobody is to meet it yet
	if err = sockets.add(in); err == nil {
		if in.conn, err = l.TryAccept(); err == nil {
			in.id = in.conn.Status().ID
			in.conn.Hooks(sig.setReadable, in.setSendable)
			in.closed.Store(false)
			return in, fd, nil
		}
		sockets.unwatch(in)
		sockets.remove(in)
	}
	sig.close()
	unix.Close(fd)
	return nil, 0, err
}

// named returns the session that the program means: 0 is the one of the descriptor,
// if it is that of one.
func (d *descriptor) named(session socket.SessionID) (socket.SessionID, error) {
	if d.conn == nil {
		return session, nil
	}
	if session != 0 && session != d.id {
		return 0, failf(unix.ENOTCONN, "session %d is not that of this socket, which is %d", session, d.id)
	}
	return d.id, nil
}

func (d *descriptor) send(b []byte, info *socket.SendInfo) error {
	if d.conn == nil {
		return d.sock.TrySend(b, info)
	}
	if _, err := d.named(info.Session); err != nil {
		return err
	}
	return ended(d.conn.TrySend(b, info))
}

func (d *descriptor) sendCookie(session socket.SessionID, state []byte) error {
	if d.conn == nil {
		return d.sock.SendCookie(session, state)
	}
	if _, err := d.named(session); err != nil {
		return err
	}
	return ended(d.conn.TrySendCookie(state))
}

// ended is for a session that somebody else has ended: the socket itself is open.
func ended(err error) error {
	if errors.Is(err, socket.ErrClosed) {
		return failf(unix.ENOTCONN, "the session has ended")
	}
	return err
}

// receive takes what is next. The end of an accepted session is an empty message,
// as it is with recv(2).
func (d *descriptor) receive(b []byte, info *socket.RecvInfo, flags socket.RecvFlags) (int, error) {
	if d.conn == nil {
		n, err := d.sock.TryRecv(b, info, flags)
		if d.oneToOne && err == socket.ErrWouldBlock && !d.connected() {
			err = errNoSession
		}
		return n, err
	}
	n, err := d.conn.TryRecv(b, info, flags)
	switch {
	case err == nil, err == socket.ErrWouldBlock:
		return n, err
	case err == io.EOF, errors.Is(err, socket.ErrClosed):
		*info = socket.RecvInfo{Session: d.id}
		return 0, nil
	}
	return 0, failf(unix.ECONNRESET, "the pool user was lost: %v", err)
}

func (d *descriptor) peerName() (socket.Name, error) {
	if d.conn != nil {
		return d.conn.Peer(), nil
	}
	return d.sock.PeerName(0)
}

// closeContext ends what the descriptor stands for: the sessions that rsp_accept
// returned outlive their listener.
func (d *descriptor) closeContext(ctx context.Context) error {
	if d.conn != nil {
		return d.conn.CloseContext(ctx)
	}
	d.listening.Lock()
	l := d.listener
	d.listening.Unlock()
	if l != nil {
		return l.Detach(ctx)
	}
	return d.sock.CloseContext(ctx)
}

//export rspgo_listen
func rspgo_listen(ino C.uint64_t, backlog C.int, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_listen", func(d *descriptor) (int64, error) {
		return 0, d.listen(int(backlog))
	}))
}

//export rspgo_accept
func rspgo_accept(fd C.int, ino C.uint64_t, addr unsafe.Pointer, n *C.size_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_accept", func(d *descriptor) (int64, error) {
		d.sig.knownAs(int(fd))
		in, accepted, err := d.accept()
		if err != nil {
			return 0, err
		}
		if n != nil {
			b := in.peerAddress()
			copy(unsafe.Slice((*byte)(addr), int(min(*n, maxBuffer))), b)
			*n = C.size_t(len(b))
		}
		return int64(accepted), nil
	}))
}

// peerAddress is one address of the pool user, as a struct sockaddr; of one that
// has gone already it is the wildcard address.
func (d *descriptor) peerAddress() []byte {
	if addrs := d.conn.Status().Addrs; len(addrs) > 0 {
		return formatAddress(addrs[0], d.domain)
	}
	return formatAddress(noAddress(d.domain), d.domain)
}
