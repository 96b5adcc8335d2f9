package main

// #include "abi.h"
// #include "rserpool.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// option is one of the integers of a session's options.
type option struct {
	name string
	get  func(*socket.SessionOptions) int
	set  func(*socket.SessionOptions, int) error
}

// milliseconds is a time of which 0 is the default.
func milliseconds(name string, field func(*socket.SessionOptions) *time.Duration) option {
	return option{
		name,
		func(o *socket.SessionOptions) int {
			if d := *field(o); d >= 0 {
				return int(min(d.Milliseconds(), math.MaxInt32))
			}
			return -1
		},
		func(o *socket.SessionOptions, v int) error {
			if v < -1 {
				return failf(unix.EINVAL, "a time of %d ms; -1 is the only negative one", v)
			}
			*field(o) = time.Duration(v) * time.Millisecond
			return nil
		},
	}
}

func number(name string, field func(*socket.SessionOptions) *int) option {
	return option{
		name,
		func(o *socket.SessionOptions) int { return *field(o) },
		func(o *socket.SessionOptions, v int) error { *field(o) = v; return nil },
	}
}

// options are those of sessions, by the names of rserpool.h.
var options = map[int]option{
	C.RSP_NOTIFICATIONS: {
		"RSP_NOTIFICATIONS",
		func(o *socket.SessionOptions) int { return int(o.Notifications) },
		func(o *socket.SessionOptions, v int) error {
			if v&^int(socket.NotifyAll) != 0 {
				return failf(unix.EINVAL, "notifications %#x are unknown; all that there are is RSP_NOTIFY_ALL", uint32(v))
			}
			o.Notifications = socket.Notifications(v)
			return nil
		},
	},
	C.RSP_REPLAY: {
		"RSP_REPLAY",
		func(o *socket.SessionOptions) int { return int(flag(o.Replay)) },
		func(o *socket.SessionOptions, v int) (err error) { o.Replay, err = boolean(v); return err },
	},
	C.RSP_NO_FAILOVER: {
		"RSP_NO_FAILOVER",
		func(o *socket.SessionOptions) int { return int(flag(o.NoFailover)) },
		func(o *socket.SessionOptions, v int) (err error) { o.NoFailover, err = boolean(v); return err },
	},
	C.RSP_FAILOVER_HOLD: {
		"RSP_FAILOVER_HOLD",
		func(o *socket.SessionOptions) int { return int(flag(o.HoldFailover)) },
		func(o *socket.SessionOptions, v int) (err error) { o.HoldFailover, err = boolean(v); return err },
	},
	C.RSP_FAIL_BACK: {
		"RSP_FAIL_BACK",
		func(o *socket.SessionOptions) int { return int(flag(o.FailBack)) },
		func(o *socket.SessionOptions, v int) (err error) { o.FailBack, err = boolean(v); return err },
	},
	C.RSP_NODELAY: {
		"RSP_NODELAY",
		func(*socket.SessionOptions) int { return 1 },
		func(_ *socket.SessionOptions, v int) error {
			if v != 1 {
				return failf(unix.EINVAL, "small messages are never delayed; 1 is the only value")
			}
			return nil
		},
	},
	C.RSP_FAILOVER_LIMIT:    milliseconds("RSP_FAILOVER_LIMIT", func(o *socket.SessionOptions) *time.Duration { return &o.FailoverLimit }),
	C.RSP_SEND_LIMIT:        milliseconds("RSP_SEND_LIMIT", func(o *socket.SessionOptions) *time.Duration { return &o.SendLimit }),
	C.RSP_RTO_INITIAL:       milliseconds("RSP_RTO_INITIAL", func(o *socket.SessionOptions) *time.Duration { return &o.RTOInitial }),
	C.RSP_RTO_MIN:           milliseconds("RSP_RTO_MIN", func(o *socket.SessionOptions) *time.Duration { return &o.RTOMin }),
	C.RSP_RTO_MAX:           milliseconds("RSP_RTO_MAX", func(o *socket.SessionOptions) *time.Duration { return &o.RTOMax }),
	C.RSP_HEARTBEAT:         milliseconds("RSP_HEARTBEAT", func(o *socket.SessionOptions) *time.Duration { return &o.Heartbeat }),
	C.RSP_SNDBUF:            number("RSP_SNDBUF", func(o *socket.SessionOptions) *int { return &o.SendBuffer }),
	C.RSP_RCVBUF:            number("RSP_RCVBUF", func(o *socket.SessionOptions) *int { return &o.ReceiveBuffer }),
	C.RSP_PATH_RETRANSMITS:  number("RSP_PATH_RETRANSMITS", func(o *socket.SessionOptions) *int { return &o.PathRetransmits }),
	C.RSP_DSCP:              number("RSP_DSCP", func(o *socket.SessionOptions) *int { return &o.DSCP }),
	C.RSP_ASSOC_RETRANSMITS: number("RSP_ASSOC_RETRANSMITS", func(o *socket.SessionOptions) *int { return &o.AssocRetransmits }),
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

// setOption is rsp_setsockopt.
func (d *descriptor) setOption(session socket.SessionID, name int, value []byte) error {
	session, err := d.named(session)
	if err != nil {
		return err
	}
	// Options are set all at once: those of two callers must not undo each other.
	d.setting.Lock()
	defer d.setting.Unlock()
	o, known := options[name]
	switch {
	case name == C.RSP_RESUME:
		return d.resume(session, value)
	case name == C.RSP_STATUS:
		return failf(unix.EACCES, "RSP_STATUS can only be read")
	case !known:
		return d.setSocketOption(session, name, value)
	}
	v, err := integer(value)
	if err == nil {
		err = d.setAll(session, o, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	return nil
}

// setAll sets an option of a session; 0 is that of rsp_connect and all to come.
func (d *descriptor) setAll(session socket.SessionID, o option, v int) error {
	if err := d.setSessionOption(session, o, v); err != nil && !(session == 0 && errors.Is(err, socket.ErrNotConnected)) {
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
func (d *descriptor) resume(session socket.SessionID, value []byte) error {
	v, err := integer(value)
	if err != nil {
		return err
	}
	if v != 1 {
		return failf(unix.EINVAL, "RSP_RESUME: the value is %d; 1 lets the session go on", v)
	}
	return d.sock.Resume(session)
}

func (d *descriptor) setSessionOption(session socket.SessionID, o option, v int) error {
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
func (d *descriptor) getOption(session socket.SessionID, name int) (int, error) {
	session, err := d.named(session)
	if err != nil {
		return 0, err
	}
	if name == C.RSP_RESUME {
		return 0, failf(unix.EACCES, "RSP_RESUME does something and cannot be read")
	}
	o, known := options[name]
	if !known {
		return d.socketOption(session, name)
	}
	all, err := d.sock.SessionOptions(session)
	if session == 0 && errors.Is(err, socket.ErrNotConnected) {
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
		return 0, d.setOption(socket.SessionID(session), int(name), unsafe.Slice((*byte)(value), int(n)))
	}))
}

//export rspgo_getopt
func rspgo_getopt(ino C.uint64_t, session C.uint32_t, name C.int, value unsafe.Pointer, n *C.size_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_getsockopt", func(d *descriptor) (int64, error) {
		room := unsafe.Slice((*byte)(value), int(min(*n, maxBuffer)))
		if name == C.RSP_STATUS {
			size, err := d.status(socket.SessionID(session), room)
			if err == nil {
				*n = C.size_t(size)
			}
			return 0, err
		}
		v, err := d.getOption(socket.SessionID(session), int(name))
		if err != nil {
			return 0, err
		}
		if len(room) < 4 {
			return 0, failf(unix.EINVAL, "there is room for %d bytes; the value is an int, of 4", len(room))
		}
		binary.NativeEndian.PutUint32(room, uint32(int32(v)))
		*n = 4
		return 0, nil
	}))
}
