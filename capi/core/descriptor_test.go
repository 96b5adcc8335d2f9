package main

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// TestNewDescriptor: the number that the program gets is that of its end, which shows
// from the beginning that there is nothing to read and that it may write; what the
// socket says counts, and what goes on in the background besides.
func TestNewDescriptor(t *testing.T) {
	d, fd, err := newDescriptor(unix.AF_INET6, true)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	defer d.sig.close()
	defer d.sock.Close()
	if ino, err := inode(fd); err != nil || ino != d.sig.ino || !d.oneToOne || d.domain != unix.AF_INET6 {
		t.Errorf("descriptor %d is inode %d, want %d (%v)", fd, ino, d.sig.ino, err)
	}
	shows := func(what string, want int16) {
		t.Helper()
		if got := events(t, fd); got != want {
			t.Errorf("%s: it shows %#x, want %#x", what, got, want)
		}
	}
	shows("new", unix.POLLOUT)
	d.addBackground(2)
	shows("two things go on", 0)
	d.addBackground(-1)
	shows("one thing goes on", 0)
	d.setSendable(false)
	d.addBackground(-1)
	shows("there is no room", 0)
	d.setSendable(true)
	shows("there is room", unix.POLLOUT)
	d.sig.setReadable(true)
	shows("something has come", unix.POLLIN|unix.POLLOUT)
	if d.lastError() != "" {
		t.Errorf("nothing has failed: %q", d.lastError())
	}
	d.note("rsp_first", socket.ErrUnknownPool)
	d.note("rsp_second", socket.ErrWouldBlock)
	d.note("rsp_third", nil)
	if want := "rsp_first: unknown pool"; d.lastError() != want {
		t.Errorf("the last failure is %q, want %q", d.lastError(), want)
	}
	d.note("rsp_fourth", socket.ErrBound)
	if want := "rsp_fourth: already bound"; d.lastError() != want {
		t.Errorf("the last failure is %q, want %q", d.lastError(), want)
	}
	d.cancel()
	if d.ctx.Err() == nil {
		t.Error("what goes on does not end")
	}
}
