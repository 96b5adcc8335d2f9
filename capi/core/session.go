package main

// #include "abi.h"
import "C"

import (
	"errors"

	"github.com/librserpool/librserpool/core/socket"
)

//export rspgo_close_session
func rspgo_close_session(ino C.uint64_t, session C.uint32_t, abort C.int, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_close_session", func(d *descriptor) (int64, error) {
		begun := session == 0 && d.forgetConnect()
		err := d.closeSession(socket.SessionID(session), abort != 0)
		if begun && errors.Is(err, socket.ErrNotConnected) {
			err = nil // there was only the attempt
		}
		return 0, err
	}))
}

func (d *descriptor) closeSession(session socket.SessionID, abort bool) error {
	id, err := d.named(session)
	switch {
	case err != nil:
		return err
	case abort:
		return d.sock.AbortSession(id)
	}
	return d.sock.EndSession(id)
}
