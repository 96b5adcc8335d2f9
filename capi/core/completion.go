package main

// #include "abi.h"
import "C"

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// completion is something that ends later, such as registering an element: callers
// wait for its end, and take its outcome.
type completion struct {
	ask     ask
	keeper  keeper
	cancel  context.CancelFunc
	waiters []int // eventfds, one per waiting caller
	ended   bool
	dropped bool // nobody will ask any more
	taken   bool // somebody has the outcome
	err     error
	result  any
	undo    func() // not nil: what to do when nobody takes the outcome
}

// ask is what somebody wants: callers with the same one want the same.
type ask struct {
	function, pool string
	args           any // comparable
}

// keeper knows what becomes of a completion that nobody waits for. Its methods are
// called with completions locked.
type keeper interface {
	// end is told that c has ended, before those who wait for it are.
	end(c *completion)
	// keep gets c, for which nobody waits any more. It may have ended.
	keep(c *completion)
}

// completions finds the completion of an eventfd. It guards them all, and what their
// keepers have.
var completions = struct {
	sync.Mutex
	byEvent map[int]*completion
}{byEvent: make(map[int]*completion)}

// work is what a completion does. It may set the result and undo of its own.
type work func(context.Context, *completion) error

// launch begins the work, for no longer than limit.
func (c *completion) launch(ctx context.Context, limit time.Duration, do work) {
	ctx, c.cancel = context.WithTimeout(ctx, limit)
	go c.run(ctx, do)
}

func (c *completion) run(ctx context.Context, do work) {
	defer c.cancel()
	err := guarded(c.ask.function, func() error { return do(ctx, c) })
	completions.Lock()
	defer completions.Unlock()
	c.ended, c.err = true, err
	c.keeper.end(c)
	for _, event := range c.waiters {
		wake(event)
	}
	if c.dropped {
		c.takeBack()
	}
}

// attach makes the caller wait, with completions locked. It returns an eventfd that
// becomes readable at the end.
func (c *completion) attach() (event int, err error) {
	event, err = newEvent()
	if err != nil {
		return 0, err
	}
	completions.byEvent[event] = c
	c.waiters = append(c.waiters, event)
	if c.ended {
		wake(event)
	}
	return event, nil
}

func newEvent() (int, error) { return unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK) }

func wake(event int) { unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// detach ends the wait that event stands for, and closes event.
func (c *completion) detach(event int) {
	delete(completions.byEvent, event)
	c.waiters = slices.DeleteFunc(c.waiters, func(e int) bool { return e == event })
	unix.Close(event)
}

// drop is for what nobody will ask for any more, with completions locked.
func (c *completion) drop() {
	c.dropped = true
	c.cancel()
	if c.ended {
		c.takeBack()
	}
}

func (c *completion) takeBack() {
	if c.err == nil && c.undo != nil {
		go c.undo()
	}
}

// finish returns the outcome to a caller that waited for the end.
func finish(event int) (any, error) {
	completions.Lock()
	defer completions.Unlock()
	c := completions.byEvent[event]
	if c == nil || !c.ended {
		return nil, failf(unix.EBADF, "nothing has ended with event %d", event)
	}
	c.detach(event)
	c.taken = true
	if c.err != nil {
		return nil, fmt.Errorf("%s: %w", c.ask.function, c.err)
	}
	return c.result, nil
}

// abandon is for a caller that waits no longer.
func abandon(event int) {
	completions.Lock()
	defer completions.Unlock()
	c := completions.byEvent[event]
	if c == nil {
		return
	}
	c.detach(event)
	if len(c.waiters) == 0 && !c.taken {
		c.keeper.keep(c)
	}
}

//export rspgo_finish
func rspgo_finish(done C.int, outcome *C.struct_rspgo_outcome, space *C.struct_rspgo_error) C.int {
	return C.int(call(space, "", func() (int64, error) {
		result, err := finish(int(done))
		switch result := result.(type) {
		case unsafe.Pointer:
			outcome.list = result
		case socket.PEID:
			outcome.pe_id = C.uint32_t(result)
		}
		return 0, err
	}))
}

//export rspgo_abandon
func rspgo_abandon(done C.int) {
	guarded("waiting", func() error { abandon(int(done)); return nil })
}
