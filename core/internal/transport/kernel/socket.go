package kernel

import (
	"net"
	"os"
	"syscall"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// socket is one of an endpoint's: the one that all associations begin on, or
// that of a single one which was peeled off.
type socket struct {
	file *os.File
	conn syscall.RawConn
	own  *association // the one that was peeled off
}

// adopt makes a socket of a descriptor. One that does not block lies in the runtime's
// poller from now on.
func adopt(fd int, own *association) (*socket, error) {
	s := &socket{file: os.NewFile(uintptr(fd), "sctp"), own: own}
	var err error
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// control runs a system call on the socket.
func (s *socket) control(call func(fd uintptr) error) error {
	var err error
	if closed := s.conn.Control(func(fd uintptr) { err = call(fd) }); closed != nil {
		return net.ErrClosed
	}
	return err
}

// has says whether an association of the socket has not ended yet.
func (s *socket) has(id assoc.ID) bool {
	return s.control(func(fd uintptr) error {
		_, err := rawStatus(fd, id)
		return err
	}) == nil
}

// associations lists the associations of the socket that have not ended.
func (s *socket) associations() (ids []assoc.ID) {
	_ = s.control(func(fd uintptr) error {
		ids = assocIDs(fd)
		return nil
	})
	return ids
}

// queued returns the memory that data takes which is not acknowledged, with
// the kernel's own bookkeeping.
func queued(fd uintptr) int {
	const writeQueue = 5 // SK_MEMINFO_WMEM_QUEUED
	var info [9 * 4]byte // SK_MEMINFO_VARS
	if n, err := getLevelOption(fd, unix.SOL_SOCKET, unix.SO_MEMINFO, info[:]); err != nil || n < 4*(writeQueue+1) {
		return 0
	}
	return int(native.Uint32(info[4*writeQueue:]))
}

func rawStatus(fd uintptr, id assoc.ID) (b [statusSize]byte, err error) {
	native.PutUint32(b[:], uint32(id))
	_, err = getOption(fd, sctp.SCTP_STATUS, b[:])
	return b, err
}
