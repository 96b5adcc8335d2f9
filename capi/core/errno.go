package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// errnos maps the errors of core/socket to errno; the first that matches
// counts. What the process ran out of comes before them, other system errors
// come after them.
var errnos = []struct {
	err   error
	errno unix.Errno
}{
	{socket.ErrWouldBlock, unix.EAGAIN},
	{unix.EMFILE, unix.EMFILE},
	{unix.ENFILE, unix.ENFILE},
	{unix.ENOMEM, unix.ENOMEM},
	{socket.ErrClosed, unix.EBADF},
	{socket.ErrSendLimit, unix.ETIMEDOUT},
	{socket.ErrUnknownPool, unix.ENOENT},
	{socket.ErrConnected, unix.EISCONN},
	{socket.ErrRegistered, unix.EISCONN},
	{socket.ErrNotConnected, unix.ENOTCONN},
	{socket.ErrNotRegistered, unix.ENOTCONN},
	{socket.ErrMessageSize, unix.EMSGSIZE},
	{socket.ErrTimeout, unix.ETIMEDOUT},
	{context.DeadlineExceeded, unix.ETIMEDOUT},
	{socket.ErrNoRegistrar, unix.EHOSTUNREACH},
	{socket.ErrNoElement, unix.EHOSTUNREACH},
	{socket.ErrBound, unix.EINVAL},
	{socket.ErrInvalid, unix.EINVAL},
	{context.Canceled, unix.ECANCELED},
}

// causes maps a registrar's reasons to refuse (RFC 5354 section 3.12).
var causes = map[socket.CauseCode]unix.Errno{
	socket.CauseInvalidValues:           unix.EINVAL,
	socket.CauseNonUniquePEID:           unix.EADDRINUSE,
	socket.CauseInconsistentPolicy:      unix.EINVAL,
	socket.CauseLackOfResources:         unix.ENOBUFS,
	socket.CauseInconsistentTransport:   unix.EINVAL,
	socket.CauseInconsistentDataControl: unix.EINVAL,
	socket.CauseRejectedForSecurity:     unix.EACCES,
}

// errnoOf is the one place where an error becomes an errno.
func errnoOf(err error) unix.Errno {
	var own failure
	if errors.As(err, &own) {
		return own.errno
	}
	var rejected *socket.RejectedError
	if errors.As(err, &rejected) {
		for _, cause := range rejected.Causes {
			if errno, ok := causes[cause]; ok {
				return errno
			}
		}
		return unix.ECONNREFUSED
	}
	for _, e := range errnos {
		if errors.Is(err, e.err) {
			return e.errno
		}
	}
	var system unix.Errno
	if errors.As(err, &system) && system != 0 {
		return system
	}
	return unix.EIO
}

// transient says that err is no failure: the caller may try again later.
func transient(err error) bool {
	errno := errnoOf(err)
	return errno == unix.EAGAIN || errno == unix.EINPROGRESS || errno == unix.EALREADY
}

// failure is an error that this package itself finds.
type failure struct {
	errno unix.Errno
	text  string
}

func (f failure) Error() string { return f.text }

func failf(errno unix.Errno, format string, args ...any) error {
	return failure{errno, fmt.Sprintf(format, args...)}
}

// explain returns what rsp_errmsg says about the failure of a function.
func explain(function string, err error) string {
	text := strings.ReplaceAll(err.Error(), net.ErrClosed.Error(), socket.ErrClosed.Error())
	if function != "" {
		text = function + ": " + text
	}
	if errors.Is(err, unix.EMFILE) {
		text += "; close descriptors, or raise the limit (ulimit -n)"
	}
	return text
}
