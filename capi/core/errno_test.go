package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

func TestErrnoOf(t *testing.T) {
	wrap := func(errs ...error) error { return fmt.Errorf("why: %w", errors.Join(errs...)) }
	tests := []struct {
		err  error
		want unix.Errno
	}{
		{socket.ErrWouldBlock, unix.EAGAIN},
		{wrap(socket.ErrUnknownPool), unix.ENOENT},
		{socket.ErrClosed, unix.EBADF},
		{wrap(socket.ErrConnected), unix.EISCONN},
		{wrap(socket.ErrNotConnected), unix.ENOTCONN},
		{wrap(socket.ErrMessageSize), unix.EMSGSIZE},
		{wrap(socket.ErrBound), unix.EINVAL},
		{&socket.NoRegistrarError{Err: unix.ECONNREFUSED}, unix.EHOSTUNREACH},
		{&socket.NoRegistrarError{Err: context.DeadlineExceeded}, unix.ETIMEDOUT},
		{wrap(socket.ErrNoElement, unix.ECONNREFUSED), unix.EHOSTUNREACH},
		{&socket.RejectedError{}, unix.ECONNREFUSED},
		{&socket.RejectedError{Causes: []socket.CauseCode{0, socket.CauseInconsistentPolicy}}, unix.EINVAL},
		{wrap(&socket.RejectedError{Causes: []socket.CauseCode{socket.CauseNonUniquePEID}}), unix.EADDRINUSE},
		{&os.SyscallError{Syscall: "bind", Err: unix.EACCES}, unix.EACCES},
		{wrap(socket.ErrInvalid, unix.EMFILE), unix.EMFILE},
		{failf(unix.ENOTSOCK, "x"), unix.ENOTSOCK},
		{errors.New("something else"), unix.EIO},
		{wrap(unix.Errno(0)), unix.EIO},
	}
	for _, tt := range tests {
		if got := errnoOf(tt.err); got != tt.want {
			t.Errorf("errnoOf(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestExplain(t *testing.T) {
	if got, want := explain("rsp_bind", socket.ErrBound), "rsp_bind: already bound"; got != want {
		t.Errorf("explain = %q, want %q", got, want)
	}
	if got := explain("rsp_socket", unix.EMFILE); !strings.Contains(got, "ulimit") {
		t.Errorf("explain = %q, want advice", got)
	}
}

// A panic at the border to C becomes an error.
func TestGuarded(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	stderr := os.Stderr
	os.Stderr = out
	defer func() { os.Stderr = stderr }()
	err = guarded("rsp_test", func() error { panic("ouch") })
	if errnoOf(err) != unix.EIO || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("guarded = %v", err)
	}
	if said, err := os.ReadFile(out.Name()); err != nil || !strings.Contains(string(said), "defect in rsp_test: ouch\n") || !strings.Contains(string(said), "TestGuarded") {
		t.Errorf("it says %q, %v", said, err)
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
	if !errors.Is(socket.ErrClosed, net.ErrClosed) || errnoOf(socket.ErrClosed) != unix.EBADF {
		t.Error("ErrClosed is not what it was")
	}
}
