package main

import (
	"testing"

	"golang.org/x/sys/unix"
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
