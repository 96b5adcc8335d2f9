package main

// #include "abi.h"
import "C"

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// tell writes a notification for the front.
func tell(note *C.struct_rspgo_notification, session socket.SessionID, n *socket.Notification) {
	*note = C.struct_rspgo_notification{
		_type:     C.uint32_t(n.Type),
		session:   C.uint32_t(session),
		old_pe_id: C.uint32_t(n.Old),
		new_pe_id: C.uint32_t(n.New),
		in_doubt:  C.uint32_t(n.InDoubt),
		resent:    C.uint32_t(n.Resent),
	}
	if n.Err != nil {
		note.error = C.int32_t(reason(n))
		why := unsafe.Slice((*byte)(unsafe.Pointer(&note.why[0])), len(note.why))
		copy(why[:len(why)-1], n.Err.Error())
	}
}

// reason is a notification's error as errno.
func reason(n *socket.Notification) unix.Errno {
	if n.Type == socket.CookieRejected {
		return unix.EBADMSG
	}
	if errno := errnoOf(n.Err); errno != unix.EIO { // EIO is for defects
		return errno
	}
	return unix.ECONNRESET
}
