package main

// #include "abi.h"
import "C"

import "github.com/librserpool/librserpool/core/socket"

//export rspgo_close_session
func rspgo_close_session(ino C.uint64_t, session C.uint32_t, abort C.int, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_close_session", func(d *descriptor) (int64, error) {
		id, err := d.named(socket.SessionID(session))
		switch {
		case err != nil:
			return 0, err
		case abort != 0:
			return 0, d.sock.AbortSession(id)
		}
		return 0, d.sock.EndSession(id)
	}))
}
