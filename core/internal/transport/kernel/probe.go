package kernel

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNoSCTP says that the running kernel cannot do SCTP.
var ErrNoSCTP = errors.New("this kernel has no SCTP")

// Available says whether the running kernel has SCTP, loading its module if
// the kernel can.
func Available() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_SCTP)
	switch err {
	case unix.EPROTONOSUPPORT, unix.ESOCKTNOSUPPORT:
		return -1, fmt.Errorf("%w (load its module sctp, or use the userland transport): %w", ErrNoSCTP, os.NewSyscallError("socket", err))
	}
	return fd, os.NewSyscallError("socket", err)
}
