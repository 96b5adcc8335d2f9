package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// verb is an operation that takes its time; the numbers are those of abi.h.
type verb int

const (
	verbConnect verb = iota
	verbRegister
	verbDeregister
	verbClose
	verbDrain
	verbCount
)

func (v verb) String() string {
	return [...]string{"rsp_connect", "rsp_register", "rsp_deregister", "rsp_close", "rsp_deregister_flags"}[v]
}

// controlLimit bounds an operation whose other side neither answers nor fails.
const controlLimit = 30 * time.Second

// beyond is the limit of an operation that may wait first for what is not there
// yet; negative: for ever.
func beyond(wait time.Duration) time.Duration {
	if wait < 0 || wait > endless-controlLimit {
		return endless
	}
	return wait + controlLimit
}

// operation is one run of a verb. A socket has at most one of each at a time;
// callers that come while it runs wait for its end together. An outcome that
// nobody waited for is kept for the next call.
type operation struct {
	verb    verb
	args    any          // comparable: the same call again asks for the outcome
	waiters map[int]bool // eventfds, one per waiting caller
	shown   bool         // counted in the descriptor's background
	ended   bool
	err     error
}

// waits finds the operation of an eventfd.
var waits struct {
	sync.Mutex
	byEvent map[int]wait
}

type wait struct {
	d  *descriptor
	op *operation
}

// errEnded is the outcome of an operation that had ended well before the call.
var errEnded = errors.New("ended")

// start launches the operation, or joins the one that runs. It returns an
// eventfd to wait for, or with background set EINPROGRESS.
func (d *descriptor) start(v verb, args any, background bool, run func(context.Context) error) (int, error) {
	// In this order, for a connection in the making looks like one that stands, and
	// twice, for it may have begun meanwhile.
	if v == verbConnect && d.idle(v) && d.connected() && d.idle(v) {
		return 0, socket.ErrConnected
	}
	d.mu.Lock()
	op := d.ops[v]
	if op != nil && op.ended {
		d.ops[v] = nil
		d.mu.Unlock()
		switch {
		case op.args == args && op.err != nil:
			return 0, op.err
		case op.args == args && (v != verbConnect || !background):
			return 0, errEnded
		}
		return d.start(v, args, background, run)
	}
	defer d.mu.Unlock()
	joined := op != nil
	if !joined {
		op = &operation{verb: v, args: args, waiters: make(map[int]bool)}
		d.ops[v] = op
	}
	event, err := d.attach(op, joined, background || joined && op.args != args)
	if err != nil && !joined && errnoOf(err) != unix.EINPROGRESS {
		d.ops[v] = nil
		return 0, err
	}
	if !joined {
		go d.runOperation(op, run)
	}
	return event, err
}

// takeError takes the outcomes of what has ended in the background, and returns the
// first failure as errno, or 0.
func (d *descriptor) takeError() (errno unix.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for v, op := range d.ops {
		if op == nil || !op.ended {
			continue
		}
		d.ops[v] = nil
		if op.err != nil && errno == 0 {
			errno = errnoOf(op.err)
		}
	}
	return errno
}

// idle says that no operation of that verb runs, nor has one left an outcome.
func (d *descriptor) idle(v verb) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops[v] == nil
}

func (d *descriptor) connected() bool {
	_, err := d.sock.PeerName(0)
	return err == nil
}

// attach makes the caller wait for op, or sends it to the background.
func (d *descriptor) attach(op *operation, joined, background bool) (int, error) {
	if background {
		if joined {
			return 0, failf(unix.EALREADY, "the last %v still goes on; the descriptor becomes writable when it has ended", op.verb)
		}
		d.show(op)
		return 0, failf(unix.EINPROGRESS, "it goes on in the background; the descriptor becomes writable when it has ended")
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return 0, err
	}
	op.waiters[event] = true
	waits.Lock()
	if waits.byEvent == nil {
		waits.byEvent = make(map[int]wait)
	}
	waits.byEvent[event] = wait{d, op}
	waits.Unlock()
	return event, nil
}

func (d *descriptor) show(op *operation) {
	if !op.shown {
		op.shown = true
		d.background++
		d.showWritable()
	}
}

func (d *descriptor) runOperation(op *operation, run func(context.Context) error) {
	limit, ctx := controlLimit, d.ctx
	switch op.verb {
	case verbDrain:
		limit = d.drainTime()
	case verbClose:
		ctx = context.Background()
	case verbConnect, verbRegister:
		limit = beyond(d.sock.WaitForPool())
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := guarded(op.verb.String(), func() error { return run(ctx) })
	if errors.Is(err, context.Canceled) {
		err = errShut
	}
	d.end(op, err)
}

// errShut is what waits for a socket return that another thread closes.
var errShut = failf(unix.EBADF, "another thread closed the socket")

func (d *descriptor) end(op *operation, err error) {
	d.note(op.verb.String(), err)
	d.mu.Lock()
	defer d.mu.Unlock()
	op.ended, op.err = true, err
	if op.shown {
		d.background--
		d.showWritable()
	}
	if len(op.waiters) > 0 {
		d.ops[op.verb] = nil
	}
	for event := range op.waiters {
		wake(event)
	}
}

// leave ends the wait that event stands for and closes event.
func leave(event int) (wait, bool) {
	waits.Lock()
	w, ok := waits.byEvent[event]
	delete(waits.byEvent, event)
	waits.Unlock()
	if ok {
		w.d.mu.Lock()
		delete(w.op.waiters, event)
		unix.Close(event)
		w.d.mu.Unlock()
	}
	return w, ok
}

// finish returns the outcome to a caller that waited for the end.
func finish(event int) error {
	w, ok := leave(event)
	if !ok {
		return failf(unix.EBADF, "no operation has event %d", event)
	}
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if w.op.err != nil {
		return fmt.Errorf("%v: %w", w.op.verb, w.op.err)
	}
	return nil
}

// abandon is for a caller that waits no longer: when nobody else does the
// operation goes on in the background, and its outcome is kept.
func abandon(event int) {
	w, ok := leave(event)
	if !ok {
		return
	}
	d, op := w.d, w.op
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case len(op.waiters) > 0:
	case !op.ended:
		d.show(op)
	case d.ops[op.verb] == nil:
		d.ops[op.verb] = op
	}
}
