package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/rserpool"
)

func TestErrnoOf(t *testing.T) {
	wrap := func(errs ...error) error { return fmt.Errorf("why: %w", errors.Join(errs...)) }
	tests := []struct {
		err  error
		want unix.Errno
	}{
		{rserpool.ErrWouldBlock, unix.EAGAIN},
		{wrap(rserpool.ErrUnknownPool), unix.ENOENT},
		{rserpool.ErrClosed, unix.EBADF},
		{wrap(rserpool.ErrConnected), unix.EISCONN},
		{wrap(rserpool.ErrNotConnected), unix.ENOTCONN},
		{wrap(rserpool.ErrMessageSize), unix.EMSGSIZE},
		{wrap(rserpool.ErrBound), unix.EINVAL},
		{&rserpool.NoRegistrarError{Err: unix.ECONNREFUSED}, unix.EHOSTUNREACH},
		{&rserpool.NoRegistrarError{Err: context.DeadlineExceeded}, unix.ETIMEDOUT},
		{wrap(rserpool.ErrNoElement, unix.ECONNREFUSED), unix.EHOSTUNREACH},
		{&rserpool.RejectedError{}, unix.ECONNREFUSED},
		{&rserpool.RejectedError{Causes: []rserpool.CauseCode{0, 5}}, unix.EINVAL},
		{wrap(&rserpool.RejectedError{Causes: []rserpool.CauseCode{4}}), unix.EADDRINUSE},
		{&os.SyscallError{Syscall: "bind", Err: unix.EACCES}, unix.EACCES},
		{wrap(rserpool.ErrInvalid, unix.EMFILE), unix.EMFILE},
		{failf(unix.ENOTSOCK, "x"), unix.ENOTSOCK},
		{errors.New("something else"), unix.EIO},
	}
	for _, tt := range tests {
		if got := errnoOf(tt.err); got != tt.want {
			t.Errorf("errnoOf(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestExplain(t *testing.T) {
	if got, want := explain("rsp_bind", rserpool.ErrBound), "rsp_bind: already bound"; got != want {
		t.Errorf("explain = %q, want %q", got, want)
	}
	if got := explain("rsp_socket", unix.EMFILE); !strings.Contains(got, "ulimit") {
		t.Errorf("explain = %q, want advice", got)
	}
}

// A panic at the border to C becomes an error.
func TestGuarded(t *testing.T) {
	stderr := os.Stderr
	os.Stderr, _ = os.Open(os.DevNull)
	defer func() { os.Stderr = stderr }()
	err := guarded("rsp_test", func() error { panic("ouch") })
	if errnoOf(err) != unix.EIO || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("guarded = %v", err)
	}
	if err := guarded("rsp_test", func() error { return nil }); err != nil {
		t.Errorf("guarded = %v", err)
	}
}

// TestWords: nobody is told of connections whose language is Go's.
func TestWords(t *testing.T) {
	err := fmt.Errorf("send: %w", &net.OpError{Op: "write", Net: "udp", Err: net.ErrClosed})
	if got := explain("f", err); strings.Contains(got, "network connection") || !strings.Contains(got, "closed") {
		t.Errorf("got %q", got)
	}
	if !errors.Is(rserpool.ErrClosed, net.ErrClosed) || errnoOf(rserpool.ErrClosed) != unix.EBADF {
		t.Error("ErrClosed is not what it was")
	}
}
