package main

// #include "../abi.h"
// #include "../../include/rserpool.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/rserpool"
)

// option is one of the integers of a session's options.
type option struct {
	get func(*rserpool.SessionOptions) int
	set func(*rserpool.SessionOptions, int) error
}

// milliseconds is a time of which 0 is the default.
func milliseconds(field func(*rserpool.SessionOptions) *time.Duration) option {
	return option{
		func(o *rserpool.SessionOptions) int {
			if d := *field(o); d >= 0 {
				return int(min(d.Milliseconds(), math.MaxInt32))
			}
			return -1
		},
		func(o *rserpool.SessionOptions, v int) error {
			*field(o) = time.Duration(v) * time.Millisecond
			return nil
		},
	}
}

func number(field func(*rserpool.SessionOptions) *int) option {
	return option{
		func(o *rserpool.SessionOptions) int { return *field(o) },
		func(o *rserpool.SessionOptions, v int) error { *field(o) = v; return nil },
	}
}

// options are those of sessions, by the names of rserpool.h.
var options = map[int]option{
	C.RSP_NOTIFICATIONS: {
		func(o *rserpool.SessionOptions) int { return int(o.Notifications) },
		func(o *rserpool.SessionOptions, v int) error {
			if v&^int(rserpool.NotifyAll) != 0 {
				return failf(unix.EINVAL, "notifications %#x are unknown; all that there are is RSP_NOTIFY_ALL", uint32(v))
			}
			o.Notifications = rserpool.Notifications(v)
			return nil
		},
	},
	C.RSP_REPLAY: {
		func(o *rserpool.SessionOptions) int { return int(flag(o.Replay)) },
		func(o *rserpool.SessionOptions, v int) (err error) { o.Replay, err = boolean(v); return err },
	},
	C.RSP_NO_FAILOVER: {
		func(o *rserpool.SessionOptions) int { return int(flag(o.NoFailover)) },
		func(o *rserpool.SessionOptions, v int) (err error) { o.NoFailover, err = boolean(v); return err },
	},
	C.RSP_FAILOVER_HOLD: {
		func(o *rserpool.SessionOptions) int { return int(flag(o.HoldFailover)) },
		func(o *rserpool.SessionOptions, v int) (err error) { o.HoldFailover, err = boolean(v); return err },
	},
	C.RSP_FAIL_BACK: {
		func(o *rserpool.SessionOptions) int { return int(flag(o.FailBack)) },
		func(o *rserpool.SessionOptions, v int) (err error) { o.FailBack, err = boolean(v); return err },
	},
	C.RSP_NODELAY: {
		func(*rserpool.SessionOptions) int { return 1 },
		func(_ *rserpool.SessionOptions, v int) error {
			if v != 1 {
				return failf(unix.EINVAL, "small messages are never delayed; 1 is the only value")
			}
			return nil
		},
	},
	C.RSP_FAILOVER_LIMIT:    milliseconds(func(o *rserpool.SessionOptions) *time.Duration { return &o.FailoverLimit }),
	C.RSP_RTO_INITIAL:       milliseconds(func(o *rserpool.SessionOptions) *time.Duration { return &o.RTOInitial }),
	C.RSP_RTO_MIN:           milliseconds(func(o *rserpool.SessionOptions) *time.Duration { return &o.RTOMin }),
	C.RSP_RTO_MAX:           milliseconds(func(o *rserpool.SessionOptions) *time.Duration { return &o.RTOMax }),
	C.RSP_HEARTBEAT:         milliseconds(func(o *rserpool.SessionOptions) *time.Duration { return &o.Heartbeat }),
	C.RSP_SNDBUF:            number(func(o *rserpool.SessionOptions) *int { return &o.SendBuffer }),
	C.RSP_RCVBUF:            number(func(o *rserpool.SessionOptions) *int { return &o.ReceiveBuffer }),
	C.RSP_PATH_RETRANSMITS:  number(func(o *rserpool.SessionOptions) *int { return &o.PathRetransmits }),
	C.RSP_ASSOC_RETRANSMITS: number(func(o *rserpool.SessionOptions) *int { return &o.AssocRetransmits }),
}

func boolean(v int) (bool, error) {
	if v != 0 && v != 1 {
		return false, failf(unix.EINVAL, "the value is %d; it is 0 or 1", v)
	}
	return v == 1, nil
}

func integer(value []byte) (int, error) {
	if len(value) != 4 {
		return 0, failf(unix.EINVAL, "the value has %d bytes; it is an int, of 4", len(value))
	}
	return int(int32(binary.NativeEndian.Uint32(value))), nil
}

var errNoOption = failf(unix.ENOPROTOOPT, "there is no such option, or not for a session; see rsp_setsockopt(3)")

// setOption is rsp_setsockopt.
func (d *descriptor) setOption(session rserpool.SessionID, name int, value []byte) error {
	session, err := d.named(session)
	if err != nil {
		return err
	}
	if session == 0 && name == C.RSP_POOL_KEY {
		return d.sock.SetPoolKey(value)
	}
	if session == 0 && name == C.RSP_LOAD_INTERVAL {
		return d.setLoadInterval(value)
	}
	o, known := options[name]
	if !known && name != C.RSP_RESUME && !(session == 0 && name == C.RSP_DATA_ONLY) {
		return errNoOption
	}
	v, err := integer(value)
	if err != nil {
		return err
	}
	if name == C.RSP_RESUME {
		return d.resume(session, v)
	}
	if !known {
		on, err := boolean(v)
		if err == nil {
			d.dataOnly.Store(on)
		}
		return err
	}
	if err := d.setSessionOption(session, o, v); err != nil && !(session == 0 && errors.Is(err, rserpool.ErrNotConnected)) {
		return err
	}
	if session != 0 {
		return nil
	}
	all := d.sock.Options()
	if err := o.set(&all, v); err != nil {
		return err
	}
	return d.sock.SetOptions(all)
}

// resume is setting RSP_RESUME.
func (d *descriptor) resume(session rserpool.SessionID, v int) error {
	if v != 1 {
		return failf(unix.EINVAL, "the value is %d; 1 lets the session go on", v)
	}
	return d.sock.Resume(session)
}

func (d *descriptor) setLoadInterval(value []byte) error {
	v, err := integer(value)
	if err != nil {
		return err
	}
	return d.sock.SetLoadInterval(time.Duration(v) * time.Millisecond)
}

func (d *descriptor) setSessionOption(session rserpool.SessionID, o option, v int) error {
	all, err := d.sock.SessionOptions(session)
	if err != nil {
		return err
	}
	if err := o.set(&all, v); err != nil {
		return err
	}
	return d.sock.SetSessionOptions(session, all)
}

// getOption is rsp_getsockopt.
func (d *descriptor) getOption(session rserpool.SessionID, name int) (int, error) {
	session, err := d.named(session)
	if err != nil {
		return 0, err
	}
	switch {
	case session == 0 && name == C.RSP_POOL_KEY:
		return 0, failf(unix.EACCES, "the pool key cannot be read")
	case name == C.RSP_RESUME:
		return 0, failf(unix.EACCES, "RSP_RESUME does something and cannot be read")
	case session == 0 && name == C.RSP_DATA_ONLY:
		return int(flag(d.dataOnly.Load())), nil
	case session == 0 && name == C.RSP_LOAD_INTERVAL:
		return int(min(d.sock.LoadInterval().Milliseconds(), math.MaxInt32)), nil
	}
	o, known := options[name]
	if !known {
		return 0, errNoOption
	}
	all, err := d.sock.SessionOptions(session)
	if session == 0 && errors.Is(err, rserpool.ErrNotConnected) {
		all, err = d.sock.Options(), nil
	}
	if err != nil {
		return 0, err
	}
	return o.get(&all), nil
}

//export rspgo_setopt
func rspgo_setopt(ino C.uint64_t, session C.uint32_t, name C.int, value unsafe.Pointer, n C.size_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_setsockopt", func(d *descriptor) (int64, error) {
		return 0, d.setOption(rserpool.SessionID(session), int(name), unsafe.Slice((*byte)(value), int(n)))
	}))
}

//export rspgo_getopt
func rspgo_getopt(ino C.uint64_t, session C.uint32_t, name C.int, value unsafe.Pointer, n *C.size_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_getsockopt", func(d *descriptor) (int64, error) {
		v, err := d.getOption(rserpool.SessionID(session), int(name))
		if err != nil {
			return 0, err
		}
		room := unsafe.Slice((*byte)(value), int(min(*n, maxBuffer)))
		if len(room) < 4 {
			return 0, failf(unix.EINVAL, "there is room for %d bytes; the value is an int, of 4", len(room))
		}
		binary.NativeEndian.PutUint32(room, uint32(int32(v)))
		*n = 4
		return 0, nil
	}))
}
