package main

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// newStreamDescriptor is one of type SOCK_STREAM.
func newStreamDescriptor(t *testing.T) *descriptor {
	t.Helper()
	d, fd, err := newDescriptor(unix.AF_INET, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.sock.Close()
		d.sig.close()
		unix.Close(fd)
	})
	return d
}

// TestListening: a SOCK_STREAM socket listens, and then connects no more; others do not
// listen, and what does not listen accepts nothing.
func TestListening(t *testing.T) {
	d, other := newStreamDescriptor(t), newTestDescriptor(t)
	wantErrno(t, other.listen(5), unix.EOPNOTSUPP)
	_, _, err := other.accept()
	wantErrno(t, err, unix.EOPNOTSUPP)
	_, _, err = d.accept()
	wantErrno(t, err, unix.EINVAL)
	if err := d.mayConnect(); err != nil {
		t.Errorf("before it listens: %v", err)
	}
	for _, backlog := range []int{-1, 0, 5} {
		if err := d.listen(backlog); err != nil {
			t.Fatalf("listen(%d): %v", backlog, err)
		}
	}
	wantErrno(t, d.mayConnect(), unix.EISCONN)
	if err := d.mayRegister(); err != nil {
		t.Error(err)
	}
	if _, _, err = d.accept(); !errors.Is(err, socket.ErrWouldBlock) {
		t.Errorf("nobody is there: %v", err)
	}
	registered := newStreamDescriptor(t)
	if err := registered.mayRegister(); err != nil || registered.listener == nil {
		t.Errorf("sessions of an element wait for rsp_accept from the beginning: %v", err)
	}
	wantErrno(t, registered.mayConnect(), unix.EISCONN)
	_, _, err = registered.accept()
	wantErrno(t, err, unix.EINVAL) // rsp_listen was not called
	if err := other.mayRegister(); err != nil || other.listener != nil {
		t.Errorf("a socket that has all its sessions itself: %v", err)
	}
}

// TestAcceptedDescriptor: what rsp_accept returned is its session and no other one, and
// does nothing that its listener is there for.
func TestAcceptedDescriptor(t *testing.T) {
	d := newStreamDescriptor(t)
	d.conn, d.id = &socket.Conn{}, 7
	defer func() { d.conn = nil }()
	for what, err := range map[string]error{"connect": d.mayConnect(), "register": d.mayRegister(), "listen": d.listen(1)} {
		if errnoOf(err) != unix.EISCONN {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantErrno(t, d.bind(noAddress(unix.AF_INET)), unix.EINVAL)
	for _, v := range []verb{verbDeregister, verbDrain} {
		_, _, err := d.prepare(v, "", nil)
		wantErrno(t, err, unix.ENOTCONN)
	}
	for asked, want := range map[socket.SessionID]socket.SessionID{0: 7, 7: 7} {
		if got, err := d.named(asked); got != want || err != nil {
			t.Errorf("session %d is %d, %v", asked, got, err)
		}
	}
	_, err := d.named(8)
	wantErrno(t, err, unix.ENOTCONN)
	wantErrno(t, d.send(nil, &socket.SendInfo{Session: 8}), unix.ENOTCONN)
	wantErrno(t, d.sendCookie(8, nil), unix.ENOTCONN)
	_, err = d.sendBatch([]socket.Message{{SendInfo: socket.SendInfo{Session: 8}}})
	wantErrno(t, err, unix.ENOTCONN)
	_, err = d.localAddrs(8)
	wantErrno(t, err, unix.ENOTCONN)
	_, err = d.peerAddrs(8)
	wantErrno(t, err, unix.ENOTCONN)
}

// TestWithoutSession: a descriptor that has none says so, and one that has all names them.
func TestWithoutSession(t *testing.T) {
	for _, one := range []bool{true, false} {
		d := newTestDescriptor(t)
		if one {
			d = newStreamDescriptor(t)
		}
		_, err := d.receive(nil, &socket.RecvInfo{}, 0)
		if one {
			wantErrno(t, err, unix.ENOTCONN)
		} else if !errors.Is(err, socket.ErrWouldBlock) {
			t.Errorf("nothing has come: %v", err)
		}
		wantErrno(t, d.send([]byte("x"), &socket.SendInfo{}), unix.ENOTCONN)
		wantErrno(t, d.sendCookie(0, nil), unix.ENOTCONN)
		if id, err := d.named(9); id != 9 || err != nil {
			t.Errorf("session 9 is %d, %v", id, err)
		}
		_, err = d.peerName()
		wantErrno(t, err, unix.ENOTCONN)
		_, err = d.peerAddrs(0)
		wantErrno(t, err, unix.ENOTCONN)
		if local, err := d.localAddrs(0); err != nil || len(local) != 1 || local[0] != noAddress(unix.AF_INET) {
			t.Errorf("not bound: %v, %v", local, err)
		}
		if err := d.bind(noAddress(unix.AF_INET)); err != nil {
			t.Fatal(err)
		}
		if local, err := d.localAddrs(0); err != nil || len(local) != 1 || local[0].Port() == 0 {
			t.Errorf("bound: %v, %v", local, err)
		}
		_, err = d.localAddrs(9)
		wantErrno(t, err, unix.ENOTCONN)
	}
	if err := ended(socket.ErrClosed); errnoOf(err) != unix.ENOTCONN {
		t.Errorf("a session that somebody else ended: %v", err)
	}
	if err := ended(socket.ErrWouldBlock); err != socket.ErrWouldBlock {
		t.Errorf("another error becomes %v", err)
	}
}
