package main

// #include "rserpool.h"
import "C"

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// drainDefault is how long rsp_deregister_flags waits for sessions to move.
const drainDefault = 30 * time.Second

// socketOption is one of the integers of a socket.
type socketOption struct {
	name string
	get  func(*descriptor) int
	set  func(*descriptor, int) error
}

// socketOptions are those that sessions do not have, by the names of rserpool.h.
var socketOptions = map[int]socketOption{
	C.RSP_DATA_ONLY: {
		"RSP_DATA_ONLY",
		func(d *descriptor) int { return int(flag(d.dataOnly.Load())) },
		func(d *descriptor, v int) error {
			on, err := boolean(v)
			if err == nil {
				d.dataOnly.Store(on)
			}
			return err
		},
	},
	C.RSP_LOAD_INTERVAL: {
		"RSP_LOAD_INTERVAL",
		func(d *descriptor) int { return int(min(d.sock.LoadInterval().Milliseconds(), math.MaxInt32)) },
		func(d *descriptor, v int) error {
			return d.sock.SetLoadInterval(time.Duration(v) * time.Millisecond)
		},
	},
	C.RSP_CONNECT_WAIT: {
		"RSP_CONNECT_WAIT",
		func(d *descriptor) int {
			if wait := d.sock.WaitForPool(); wait >= 0 {
				return int(min(wait.Milliseconds(), math.MaxInt32))
			}
			return -1
		},
		func(d *descriptor, v int) error {
			if v < -1 {
				return failf(unix.EINVAL, "a time of %d ms; it is -1 for ever, 0 for not at all, or positive", v)
			}
			d.sock.SetWaitForPool(time.Duration(v) * time.Millisecond)
			return nil
		},
	},
	C.RSP_ERROR: {
		"RSP_ERROR",
		func(d *descriptor) int { return int(d.takeError()) },
		func(*descriptor, int) error { return failf(unix.EACCES, "it can only be read") },
	},
	C.RSP_DRAIN_LIMIT: {
		"RSP_DRAIN_LIMIT",
		func(d *descriptor) int {
			if limit := d.drainTime(); limit < endless {
				return int(limit.Milliseconds())
			}
			return -1
		},
		func(d *descriptor, v int) error {
			if v < -1 {
				return failf(unix.EINVAL, "a time of %d ms; it is -1 for no limit, 0 for the default, or positive", v)
			}
			d.drainLimit.Store(int32(v))
			return nil
		},
	},
}

// bytesOption is an option of a socket whose value is bytes; it cannot be read.
type bytesOption struct {
	name string
	set  func(*descriptor, []byte) error
}

var bytesOptions = map[int]bytesOption{
	C.RSP_POOL_KEY: {"RSP_POOL_KEY", func(d *descriptor, value []byte) error { return d.sock.SetPoolKey(value) }},
	C.RSP_ADVERTISE: {"RSP_ADVERTISE", func(d *descriptor, value []byte) error {
		if len(value) == 0 {
			return d.sock.Advertise(nil)
		}
		addrs, err := socket.ParseAdvertise(string(value))
		if err != nil {
			return err
		}
		return d.sock.Advertise(addrs)
	}},
}

// endless stands for no limit.
const endless = time.Duration(math.MaxInt64)

// drainTime is how long sessions are waited for that have to move.
func (d *descriptor) drainTime() time.Duration {
	switch v := d.drainLimit.Load(); {
	case v < 0:
		return endless
	case v == 0:
		return drainDefault
	default:
		return time.Duration(v) * time.Millisecond
	}
}

// setSocketOption sets what is no option of a session.
func (d *descriptor) setSocketOption(session socket.SessionID, name int, value []byte) error {
	o, err := findSocketOption(session, name)
	if err != nil {
		return err
	}
	if b, is := bytesOptions[name]; is {
		return b.set(d, value)
	}
	v, err := integer(value)
	if err == nil {
		err = o.set(d, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	return nil
}

// socketOption returns what is no option of a session.
func (d *descriptor) socketOption(session socket.SessionID, name int) (int, error) {
	o, err := findSocketOption(session, name)
	if err != nil {
		return 0, err
	}
	if o.get == nil {
		return 0, failf(unix.EACCES, "%s cannot be read", o.name)
	}
	return o.get(d), nil
}

func findSocketOption(session socket.SessionID, name int) (socketOption, error) {
	o, known := socketOptions[name]
	if b, is := bytesOptions[name]; is {
		o.name, known = b.name, true
	}
	switch {
	case !known:
		return o, failf(unix.ENOPROTOOPT, "there is no option %d; rsp_setsockopt(3) has them all", name)
	case session != 0:
		return o, failf(unix.ENOPROTOOPT, "%s is an option of sockets, and not of single sessions; set it for the socket of rsp_socket, with session 0", o.name)
	}
	return o, nil
}
