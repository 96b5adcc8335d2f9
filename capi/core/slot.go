package main

// #include "abi.h"
import "C"

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// verb is something that a descriptor does and that takes its time.
type verb int

const (
	verbConnect    verb = C.RSPGO_CONNECT
	verbRegister   verb = C.RSPGO_REGISTER
	verbDeregister verb = C.RSPGO_DEREGISTER
	verbClose      verb = C.RSPGO_CLOSE
	verbDrain      verb = C.RSPGO_DRAIN
	verbCount           = C.RSPGO_VERBS
)

func (v verb) String() string {
	return [verbCount]string{
		verbConnect:    "rsp_connect",
		verbRegister:   "rsp_register",
		verbDeregister: "rsp_deregister",
		verbClose:      "rsp_close",
		verbDrain:      "rsp_deregister_flags",
	}[v]
}

// controlLimit bounds what waits for another side that neither answers nor fails.
const controlLimit = 30 * time.Second

// beyond is the limit of what may wait first for what is not there yet; negative: for
// ever.
func beyond(wait time.Duration) time.Duration {
	if wait < 0 || wait > endless-controlLimit {
		return endless
	}
	return wait + controlLimit
}

// slot keeps what a descriptor does for one verb: there is one at a time. Callers
// that come while it runs wait for its end together. When nobody waits it goes on in
// the background, and its outcome is kept for the next call.
type slot struct {
	d     *descriptor
	verb  verb
	now   *completion // runs, or has left an outcome; nil: neither
	shown bool        // it runs, and counts in the descriptor's background
}

var (
	// errEnded is the outcome of what had ended well before the call.
	errEnded = errors.New("ended")
	// errAnother: the slot had the outcome of another request, and is empty now.
	errAnother = errors.New("another outcome")
	// errForgotten is what still waits for a connection when its session is ended.
	errForgotten = failf(unix.ENOTCONN, "the session was ended while it was being set up")
	// errShut is what waits for a socket return that another thread closes.
	errShut = failf(unix.EBADF, "another thread closed the socket")
)

// start begins what the verb does, or joins what runs. It returns an eventfd to wait
// for, or with background set EINPROGRESS.
func (d *descriptor) start(v verb, args any, background bool, run func(context.Context) error) (int, error) {
	s := &d.slots[v]
	// In this order, for a connection in the making looks like one that stands, and
	// twice, for it may have begun meanwhile.
	if v == verbConnect && s.idle() && d.connected() && s.idle() {
		return 0, socket.ErrConnected
	}
	event, err := s.start(ask{function: v.String(), args: args}, background, run)
	if err == errAnother {
		return d.start(v, args, background, run)
	}
	return event, err
}

func (d *descriptor) connected() bool {
	_, err := d.sock.PeerName(0)
	return err == nil
}

// takeError takes the outcomes of what has ended in the background, and returns the
// first failure as errno, or 0.
func (d *descriptor) takeError() (errno unix.Errno) {
	completions.Lock()
	defer completions.Unlock()
	for i := range d.slots {
		s := &d.slots[i]
		if s.now == nil || !s.now.ended {
			continue
		}
		if s.now.err != nil && errno == 0 {
			errno = errnoOf(s.now.err)
		}
		s.now = nil
	}
	return errno
}

// idle says that nothing runs, nor has left an outcome.
func (s *slot) idle() bool {
	completions.Lock()
	defer completions.Unlock()
	return s.now == nil
}

func (s *slot) start(a ask, background bool, run func(context.Context) error) (int, error) {
	limit := s.limit()
	completions.Lock()
	defer completions.Unlock()
	switch c := s.now; {
	case c == nil:
		return s.begin(a, background, limit, run)
	case c.ended:
		s.now = nil
		return 0, s.outcome(c, a, background)
	case background || c.ask != a:
		return 0, failf(unix.EALREADY, "the last %v still goes on; the descriptor becomes writable when it has ended", s.verb)
	default:
		return c.attach()
	}
}

// outcome is that of c for somebody who asks for a.
func (s *slot) outcome(c *completion, a ask, background bool) error {
	switch {
	case c.ask != a:
		return errAnother
	case c.err != nil:
		return c.err
	case s.verb == verbConnect && (background || !s.d.connected()):
		return errAnother // that it is connected is an error, as with connect(2), or the session is over
	}
	return errEnded
}

func (s *slot) begin(a ask, background bool, limit time.Duration, run func(context.Context) error) (event int, err error) {
	c := &completion{ask: a, keeper: s}
	s.outdate()
	if background {
		s.show()
		err = failf(unix.EINPROGRESS, "it goes on in the background; the descriptor becomes writable when it has ended")
	} else if event, err = c.attach(); err != nil {
		return 0, err
	}
	s.now = c
	c.launch(s.context(), limit, func(ctx context.Context, _ *completion) error {
		switch err := run(ctx); {
		case !errors.Is(err, context.Canceled):
			return err
		case s.d.closed.Load():
			return errShut
		}
		return errForgotten
	})
	return event, err
}

// outdate forgets that the element was registered, when it is to be no more: the outcome
// that nobody took would be the answer to the next rsp_register.
func (s *slot) outdate() {
	register := &s.d.slots[verbRegister]
	if (s.verb == verbDeregister || s.verb == verbDrain) && register.now != nil && register.now.ended {
		register.now = nil
	}
}

// forgetConnect ends an attempt to connect, and forgets the outcome of one: its session is
// to be no more, and the next rsp_connect is for another one. It says whether one was
// under way.
func (d *descriptor) forgetConnect() (begun bool) {
	completions.Lock()
	defer completions.Unlock()
	s := &d.slots[verbConnect]
	c := s.now
	if c == nil {
		return false
	}
	begun = !c.ended
	c.drop()
	s.now = nil
	s.hide()
	return begun
}

func (s *slot) context() context.Context {
	if s.verb == verbClose {
		return context.Background()
	}
	return s.d.ctx
}

func (s *slot) limit() time.Duration {
	switch s.verb {
	case verbDrain:
		return s.d.drainTime()
	case verbConnect, verbRegister:
		return beyond(s.d.sock.WaitForPool())
	}
	return controlLimit
}

func (s *slot) show() {
	if !s.shown {
		s.shown = true
		s.d.addBackground(1)
	}
}

// end implements keeper.
func (s *slot) end(c *completion) {
	if s.now != c {
		return // it was forgotten
	}
	s.d.note(c.ask.function, c.err)
	s.hide()
	if len(c.waiters) > 0 {
		s.now = nil
	}
}

func (s *slot) hide() {
	if s.shown {
		s.shown = false
		s.d.addBackground(-1)
	}
}

// keep implements keeper.
func (s *slot) keep(c *completion) {
	switch {
	case c.dropped:
	case !c.ended:
		s.show()
	case s.now == nil:
		s.now = c
	}
}
