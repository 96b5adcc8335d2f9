package kernel

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Options, flags and control messages of linux/sctp.h that package sctp does
// not have, or has with numbers of other systems.
const (
	optRecvRcvInfo        = 32
	optFragmentInterleave = 18
	optMaxBurst           = 20
	optAssocIDList        = 29
	optAssocStats         = 112
	optPeelOffFlags       = 122
	optExposeFailing      = 131 // SCTP_EXPOSE_POTENTIALLY_FAILED_STATE
	optUDPEncapsPort      = 132

	flagUnordered = 1 << 0
	flagAbort     = 1 << 2
	flagSackNow   = 1 << 3
	flagEOF       = 0x200

	cmsgPrInfo = 5
	prTTL      = 0x10

	storageSize = 128 // struct sockaddr_storage
)

var native = binary.NativeEndian

// setOption sets an option whose value is laid out in b.
func setOption(fd uintptr, name int, b []byte) error {
	_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, fd, sctp.SOL_SCTP, uintptr(name), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// getOption reads an option into b, which may hold what selects it.
func getOption(fd uintptr, name int, b []byte) (n int, err error) {
	return getLevelOption(fd, sctp.SOL_SCTP, name, b)
}

func getLevelOption(fd uintptr, level, name int, b []byte) (n int, err error) {
	size := uint32(len(b))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(size), nil
}

// words lays out 32-bit numbers.
func words(values ...uint32) (b []byte) {
	for _, v := range values {
		b = native.AppendUint32(b, v)
	}
	return b
}

// connectx starts an association with all addresses of a peer. The kernel
// gives its ID also with EINPROGRESS.
func connectx(fd uintptr, peer []netip.AddrPort) (assoc.ID, error) {
	addrs := sctpAddr(peer).ToRawSockAddrBuf()
	param := struct {
		id    int32
		bytes int32
		addrs unsafe.Pointer
	}{bytes: int32(len(addrs)), addrs: unsafe.Pointer(&addrs[0])}
	size := uint32(unsafe.Sizeof(param))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, sctp.SOL_SCTP, sctp.SCTP_SOCKOPT_CONNECTX3,
		uintptr(unsafe.Pointer(&param)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 && errno != unix.EINPROGRESS {
		return 0, errno
	}
	return assoc.ID(param.id), nil
}

// assocIDs lists the associations of the socket.
func assocIDs(fd uintptr) []assoc.ID {
	for size := 1 << 12; ; size *= 4 {
		b := make([]byte, size)
		n, err := getOption(fd, optAssocIDList, b)
		if err == unix.EINVAL && size < 1<<24 {
			continue // too small
		}
		if err != nil || n < 4 {
			return nil
		}
		ids := make([]assoc.ID, native.Uint32(b))
		for i := range ids {
			ids[i] = assoc.ID(native.Uint32(b[4+4*i:]))
		}
		return ids
	}
}
