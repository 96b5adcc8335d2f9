package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// task is an operation without a socket, for whose end one caller waits.
type task struct {
	function string
	cancel   context.CancelFunc
	ended    bool
	err      error
	result   any
	undo     func() // not nil: what to do when nobody takes the outcome
}

// tasks finds the task of an eventfd.
var tasks = struct {
	sync.Mutex
	byEvent map[int]*task
}{byEvent: make(map[int]*task)}

// startTask runs something for no longer than limit, and returns the eventfd that
// tells its end.
func startTask(function string, limit time.Duration, run func(context.Context, *task) error) (event int, err error) {
	event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t := &task{function: function, cancel: cancel}
	tasks.Lock()
	tasks.byEvent[event] = t
	tasks.Unlock()
	go func() {
		defer cancel()
		err := guarded(function, func() error { return run(ctx, t) })
		if !t.end(event, err) && err == nil && t.undo != nil {
			t.undo()
		}
	}()
	return event, nil
}

// end says whether somebody still waits.
func (t *task) end(event int, err error) bool {
	tasks.Lock()
	defer tasks.Unlock()
	t.ended, t.err = true, err
	if tasks.byEvent[event] != t {
		return false
	}
	unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return true
}

// takeTask ends the wait that event stands for and closes event.
func takeTask(event int) (t *task, ended bool) {
	tasks.Lock()
	defer tasks.Unlock()
	t = tasks.byEvent[event]
	if t == nil {
		return nil, false
	}
	delete(tasks.byEvent, event)
	unix.Close(event)
	return t, t.ended
}

// finishTask returns the outcome to the caller that waited for the end.
func finishTask(event int) (any, error) {
	t, ended := takeTask(event)
	if !ended {
		return nil, failf(unix.EBADF, "no task has ended with event %d", event)
	}
	if t.err != nil {
		return nil, fmt.Errorf("%s: %w", t.function, t.err)
	}
	return t.result, nil
}

// abandonTask is for a caller that waits no longer: what was begun is not to
// have happened.
func abandonTask(event int) {
	t, ended := takeTask(event)
	if t == nil {
		return
	}
	t.cancel()
	if ended && t.err == nil && t.undo != nil {
		go t.undo()
	}
}
