package main

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/socket"
)

// roomLimit is after how long a caller that waits for room looks for itself.
const roomLimit = 24 * time.Hour

// roomOf names a session of which room is waited for.
type roomOf struct {
	ino     uint64
	session socket.SessionID
}

// awaitRoom waits until the session that the program means has room.
func (d *descriptor) awaitRoom(ctx context.Context, session socket.SessionID) error {
	err := error(nil)
	if d.conn != nil {
		err = d.conn.AwaitRoom(ctx)
	} else {
		err = d.sock.AwaitRoom(ctx, session)
	}
	if ctx.Err() != nil || errors.Is(err, socket.ErrClosed) {
		return nil // the caller tries again, and sees
	}
	return err
}

//export rspgo_room
func rspgo_room(ino C.uint64_t, session C.uint32_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_sendmsg", func(d *descriptor) (int64, error) {
		id := socket.SessionID(session)
		a := ask{function: "wait for room", args: roomOf{uint64(ino), id}}
		return started(start(a, roomLimit, func(ctx context.Context, _ *completion) error { return d.awaitRoom(ctx, id) }))
	}))
}
