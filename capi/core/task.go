package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// task is an operation without a socket, for whose end one caller waits. When a
// signal takes the caller away it goes on, and the next caller that asks for the
// same waits for it instead of beginning anew.
type task struct {
	ask    ask
	cancel context.CancelFunc
	waiter int // eventfd of who waits, or -1
	expiry *time.Timer
	gone   bool // nobody will ask any more
	ended  bool
	err    error
	result any
	undo   func() // not nil: what to do when nobody takes the outcome
}

// ask is what a task is to do: callers with the same one want the same.
type ask struct {
	function, pool string
	args           any // comparable
}

// tasks finds the task of an eventfd, and those that their callers left.
var tasks = struct {
	sync.Mutex
	byEvent map[int]*task
	left    map[ask][]*task
}{byEvent: make(map[int]*task), left: make(map[ask][]*task)}

// keepLimit is how long a task that its caller left is kept for the next one.
const keepLimit = 10 * time.Second

// startTask runs something for no longer than limit, or joins what another caller
// left, and returns the eventfd that tells its end.
func startTask(a ask, limit time.Duration, run func(context.Context, *task) error) (event int, err error) {
	event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return 0, err
	}
	tasks.Lock()
	defer tasks.Unlock()
	var t *task
	if left := tasks.left[a]; len(left) > 0 {
		t = left[0]
		t.rejoin()
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		t = &task{ask: a, cancel: cancel}
		go t.run(ctx, run)
	}
	t.waiter = event
	tasks.byEvent[event] = t
	if t.ended {
		wake(event)
	}
	return event, nil
}

func (t *task) run(ctx context.Context, run func(context.Context, *task) error) {
	defer t.cancel()
	err := guarded(t.ask.function, func() error { return run(ctx, t) })
	tasks.Lock()
	defer tasks.Unlock()
	t.ended, t.err = true, err
	switch {
	case t.waiter >= 0:
		wake(t.waiter)
	case t.gone:
		t.undoIt()
	}
}

func wake(event int) { unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// rejoin takes the task from those that were left, with tasks locked; false when it
// is none of them.
func (t *task) rejoin() bool {
	left := tasks.left[t.ask]
	i := slices.Index(left, t)
	if i < 0 {
		return false
	}
	t.expiry.Stop()
	if left = slices.Delete(left, i, i+1); len(left) == 0 {
		delete(tasks.left, t.ask)
	} else {
		tasks.left[t.ask] = left
	}
	return true
}

// expire is for a task whose caller did not come back.
func (t *task) expire() {
	tasks.Lock()
	defer tasks.Unlock()
	if !t.rejoin() {
		return
	}
	t.gone = true
	t.cancel()
	if t.ended {
		t.undoIt()
	}
}

func (t *task) undoIt() {
	if t.err == nil && t.undo != nil {
		go t.undo()
	}
}

// takeTask ends the wait that event stands for and closes event, with tasks locked.
func takeTask(event int) *task {
	t := tasks.byEvent[event]
	if t != nil {
		delete(tasks.byEvent, event)
		unix.Close(event)
		t.waiter = -1
	}
	return t
}

// finishTask returns the outcome to the caller that waited for the end.
func finishTask(event int) (any, error) {
	tasks.Lock()
	defer tasks.Unlock()
	t := takeTask(event)
	if t == nil || !t.ended {
		return nil, failf(unix.EBADF, "no task has ended with event %d", event)
	}
	if t.err != nil {
		return nil, fmt.Errorf("%s: %w", t.ask.function, t.err)
	}
	return t.result, nil
}

// abandonTask is for a caller that waits no longer.
func abandonTask(event int) {
	tasks.Lock()
	defer tasks.Unlock()
	if t := takeTask(event); t != nil {
		tasks.left[t.ask] = append(tasks.left[t.ask], t)
		t.expiry = time.AfterFunc(keepLimit, t.expire)
	}
}
