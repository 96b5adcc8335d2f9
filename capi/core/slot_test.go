package main

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// newTestDescriptor is one whose socket does nothing by itself.
func newTestDescriptor(t *testing.T) *descriptor {
	t.Helper()
	d, fd, err := newDescriptor(unix.AF_INET, false)
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

// blockable is something that ends when the test says so.
type blockable struct{ end chan error }

func newBlockable() blockable { return blockable{make(chan error, 1)} }

func (b blockable) run(context.Context) error { return <-b.end }

// failed is the error with which it ended.
func failed(event int) error {
	_, err := finish(event)
	return err
}

func waitEvent(t *testing.T, fd int, events int16) {
	t.Helper()
	p := []unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := unix.Poll(p, 10000)
	for err == unix.EINTR { // the runtime has signals of its own
		n, err = unix.Poll(p, 10000)
	}
	if n != 1 || err != nil {
		t.Fatalf("poll = %d, %v", n, err)
	}
}

func wantErrno(t *testing.T, err error, want unix.Errno) {
	t.Helper()
	if err == nil || errnoOf(err) != want {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func TestVerbInForeground(t *testing.T) {
	d, op := newTestDescriptor(t), newBlockable()
	event, err := d.start(verbRegister, "pool", false, op.run)
	if err != nil {
		t.Fatal(err)
	}
	if events(t, d.sig.app)&unix.POLLOUT == 0 {
		t.Error("not writable, but somebody waits for the end")
	}
	joined, err := d.start(verbRegister, "pool", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.start(verbRegister, "another pool", false, nil)
	wantErrno(t, err, unix.EALREADY)
	_, err = d.start(verbRegister, "pool", true, nil)
	wantErrno(t, err, unix.EALREADY)
	op.end <- socket.ErrNoRegistrar
	for _, e := range []int{event, joined} {
		waitEvent(t, e, unix.POLLIN)
		wantErrno(t, failed(e), unix.EHOSTUNREACH)
	}
	wantErrno(t, failed(event), unix.EBADF)
	if d.lastError() == "" {
		t.Error("the error is not kept for rsp_errmsg")
	}
	// The outcome was fetched: the same call begins anew.
	op.end <- nil
	if event, err = d.start(verbRegister, "pool", false, op.run); err != nil {
		t.Fatal(err)
	}
	waitEvent(t, event, unix.POLLIN)
	if err := failed(event); err != nil {
		t.Error(err)
	}
}

func TestVerbInBackground(t *testing.T) {
	d, op := newTestDescriptor(t), newBlockable()
	_, err := d.start(verbConnect, "pool", true, op.run)
	wantErrno(t, err, unix.EINPROGRESS)
	if events(t, d.sig.app)&unix.POLLOUT != 0 {
		t.Error("writable before the end")
	}
	_, err = d.start(verbConnect, "pool", true, op.run)
	wantErrno(t, err, unix.EALREADY)
	op.end <- socket.ErrUnknownPool
	waitEvent(t, d.sig.app, unix.POLLOUT)
	_, err = d.start(verbConnect, "pool", true, op.run)
	wantErrno(t, err, unix.ENOENT)
	// That was the outcome, once.
	op.end <- nil
	_, err = d.start(verbConnect, "pool", true, op.run)
	wantErrno(t, err, unix.EINPROGRESS)
	waitEvent(t, d.sig.app, unix.POLLOUT)
	// That it succeeded is no answer any more, for its session is over.
	op.end <- socket.ErrTimeout
	event, err := d.start(verbConnect, "pool", false, op.run)
	if err != nil {
		t.Fatal(err)
	}
	waitEvent(t, event, unix.POLLIN)
	wantErrno(t, failed(event), unix.ETIMEDOUT)
}

// The outcome of one request is not that of another.
func TestOutcomeOfAnotherRequest(t *testing.T) {
	d, op := newTestDescriptor(t), newBlockable()
	op.end <- nil
	_, err := d.start(verbRegister, 1, true, op.run)
	wantErrno(t, err, unix.EINPROGRESS)
	waitEvent(t, d.sig.app, unix.POLLOUT)
	_, err = d.start(verbRegister, 2, true, op.run)
	wantErrno(t, err, unix.EINPROGRESS)
	op.end <- nil
	waitEvent(t, d.sig.app, unix.POLLOUT)
	if _, err = d.start(verbRegister, 2, true, op.run); err != errEnded {
		t.Errorf("outcome is %v", err)
	}
}

// TestForgottenConnect: when the session is ended while it is set up, the attempt is over for
// who waits for it, and what comes next is another one, which the old one's end does not
// concern.
func TestForgottenConnect(t *testing.T) {
	d := newTestDescriptor(t)
	if d.forgetConnect() {
		t.Error("an attempt is under way")
	}
	old := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	event, err := d.start(verbConnect, "pool", false, old)
	if err != nil {
		t.Fatal(err)
	}
	if !d.forgetConnect() {
		t.Error("no attempt is under way")
	}
	op := newBlockable()
	_, err = d.start(verbConnect, "another pool", true, op.run)
	wantErrno(t, err, unix.EINPROGRESS)
	waitEvent(t, event, unix.POLLIN)
	wantErrno(t, failed(event), unix.ENOTCONN)
	if events(t, d.sig.app)&unix.POLLOUT != 0 {
		t.Error("writable before the end of the second one")
	}
	op.end <- socket.ErrUnknownPool
	waitEvent(t, d.sig.app, unix.POLLOUT)
	if d.forgetConnect() {
		t.Error("it has ended")
	}
	_, err = d.start(verbConnect, "pool", true, op.run)
	wantErrno(t, err, unix.EINPROGRESS)
	op.end <- nil
}

// A caller that a signal took away finds the outcome when it comes back.
func TestAbandonedVerb(t *testing.T) {
	d, op := newTestDescriptor(t), newBlockable()
	event, err := d.start(verbDeregister, nil, false, op.run)
	if err != nil {
		t.Fatal(err)
	}
	abandon(event)
	abandon(event) // once is enough
	if events(t, d.sig.app)&unix.POLLOUT != 0 {
		t.Error("writable, but it goes on in the background")
	}
	op.end <- socket.ErrTimeout
	waitEvent(t, d.sig.app, unix.POLLOUT)
	_, err = d.start(verbDeregister, nil, false, op.run)
	wantErrno(t, err, unix.ETIMEDOUT)

	// Too late to abandon: it has ended already.
	if event, err = d.start(verbDeregister, nil, false, op.run); err != nil {
		t.Fatal(err)
	}
	op.end <- socket.ErrTimeout
	waitEvent(t, event, unix.POLLIN)
	abandon(event)
	_, err = d.start(verbDeregister, nil, false, op.run)
	wantErrno(t, err, unix.ETIMEDOUT)
}

func TestVerbThatPanics(t *testing.T) {
	d := newTestDescriptor(t)
	event, err := d.start(verbRegister, nil, false, func(context.Context) error { panic(errors.New("ouch")) })
	if err != nil {
		t.Fatal(err)
	}
	waitEvent(t, event, unix.POLLIN)
	wantErrno(t, failed(event), unix.EIO)
}

// TestCloseEndsVerbs that would go on for long, such as looking up a name.
func TestCloseEndsVerbs(t *testing.T) {
	d := newTestDescriptor(t)
	event, err := d.start(verbConnect, "pool", false, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	sockets.shut(d)
	waitEvent(t, event, unix.POLLIN)
	wantErrno(t, failed(event), unix.EBADF)
}
