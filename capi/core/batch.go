package main

// #include "abi.h"
import "C"

import (
	"sync"
	"unsafe"

	"github.com/librserpool/librserpool/core/socket"
)

// batches are kept, with nothing of the program in them.
var batches = sync.Pool{New: func() any { return new([]socket.Message) }}

// sendBatch is rsp_sendmmsg without the waiting.
func (d *descriptor) sendBatch(ms []socket.Message) (int, error) {
	if d.conn == nil {
		return d.sock.TrySendBatch(ms)
	}
	for i := range ms {
		if _, err := d.named(ms[i].Session); err != nil {
			if i == 0 {
				return 0, err
			}
			ms = ms[:i]
			break
		}
	}
	n, err := d.conn.TrySendBatch(ms)
	return n, ended(err)
}

//export rspgo_send_batch
func rspgo_send_batch(fd C.int, ino C.uint64_t, messages *C.struct_rspgo_sending, count C.size_t, space *C.struct_rspgo_error) C.int64_t {
	return C.int64_t(onSocket(ino, space, "rsp_sendmmsg", func(d *descriptor) (int64, error) {
		d.sig.knownAs(int(fd))
		kept := batches.Get().(*[]socket.Message)
		ms := (*kept)[:0]
		for _, m := range unsafe.Slice(messages, int(count)) {
			ms = append(ms, socket.Message{Data: unsafe.Slice((*byte)(m.buf), int(m.len)), SendInfo: sendInfo(&m.info)})
		}
		n, err := d.sendBatch(ms)
		clear(ms)
		*kept = ms
		batches.Put(kept)
		if n > 0 {
			return int64(n), nil
		}
		return 0, err
	}))
}
