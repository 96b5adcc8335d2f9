package main

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// TestFindAfterRemoval: a call that had begun when another thread closed the socket,
// however far that has come, hears of a closed socket and not of a foreign one.
func TestFindAfterRemoval(t *testing.T) {
	var sockets table
	d := newTestDescriptor(t)
	_, err := sockets.find(d.sig.ino)
	wantErrno(t, err, unix.ENOTSOCK)
	if err := sockets.add(d); err != nil {
		t.Fatal(err)
	}
	if found, err := sockets.find(d.sig.ino); found != d || err != nil {
		t.Fatalf("found %p, %v; want %p", found, err, d)
	}
	sockets.shut(d)
	_, err = sockets.find(d.sig.ino)
	wantErrno(t, err, unix.EBADF)
	sockets.remove(d)
	_, err = sockets.find(d.sig.ino)
	wantErrno(t, err, unix.EBADF)
	other := newTestDescriptor(t)
	for range sockets.removed {
		sockets.remove(other)
	}
	_, err = sockets.find(d.sig.ino)
	wantErrno(t, err, unix.ENOTSOCK)
}

// TestQuit: the end of the program closes all sockets, and is told when that has
// happened: at once where there are none.
func TestQuit(t *testing.T) {
	var sockets table
	quit := func() {
		done := make(chan struct{})
		sockets.quit(func() { close(done) })
		<-done
	}
	quit()
	all := []*descriptor{newTestDescriptor(t), newTestDescriptor(t)}
	for _, d := range all {
		if err := sockets.add(d); err != nil {
			t.Fatal(err)
		}
	}
	quit()
	for _, d := range all {
		if !d.closed.Load() || d.ctx.Err() == nil || len(sockets.byInode) > 0 || sockets.shut(d) {
			t.Errorf("left open: %v, of %d sockets", d, len(sockets.byInode))
		}
		_, err := sockets.find(d.sig.ino)
		wantErrno(t, err, unix.EBADF)
	}
}

// TestLostDescriptor: a socket whose descriptor the program closed with close(2) is closed.
// One that it closes properly is not closed by that as well.
func TestLostDescriptor(t *testing.T) {
	var sockets table
	lost, fd, err := newDescriptor(unix.AF_INET, false)
	if err != nil {
		t.Fatal(err)
	}
	kept := newTestDescriptor(t)
	for _, d := range []*descriptor{kept, lost} {
		if err := sockets.add(d); err != nil {
			t.Fatal(err)
		}
	}
	sockets.unwatch(kept)
	kept.sig.close()
	unix.Close(fd)
	<-lost.ctx.Done()
	for end := time.Now().Add(20 * time.Second); holds(&sockets, lost) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if err := lost.sock.Close(); holds(&sockets, lost) || !errors.Is(err, socket.ErrClosed) {
		t.Errorf("what stands behind the descriptor goes on: %v", err)
	}
	if kept.closed.Load() {
		t.Error("what is not watched any more is closed")
	}
}

func holds(t *table, d *descriptor) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byInode[d.sig.ino] == d
}
