package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// await waits for the eventfd of a task.
func await(t *testing.T, event int) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(event), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 10_000); n != 1 {
		t.Fatalf("the task does not end: %v", err)
	}
}

func TestTaskOutcome(t *testing.T) {
	event, err := startTask(ask{function: "f"}, time.Minute, func(_ context.Context, t *task) error { t.result = 5; return nil })
	if err != nil {
		t.Fatal(err)
	}
	await(t, event)
	if got, err := finishTask(event); got != 5 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := finishTask(event); err == nil || errnoOf(err) != unix.EBADF {
		t.Errorf("fetched twice: %v", err)
	}
	abandonTask(event)
}

func TestTaskFailure(t *testing.T) {
	for text, run := range map[string]func(context.Context, *task) error{
		"f: too late": func(ctx context.Context, _ *task) error {
			<-ctx.Done()
			return errors.New("too late")
		},
		"defect": func(context.Context, *task) error { panic("oh") },
	} {
		event, err := startTask(ask{function: "f"}, time.Millisecond, run)
		if err != nil {
			t.Fatal(err)
		}
		await(t, event)
		if _, err := finishTask(event); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v", err)
		}
	}
}

// A caller that signals take away, again and again, gets the outcome of what it
// began, and another caller its own.
func TestAbandonedTask(t *testing.T) {
	for _, late := range []bool{false, true} {
		goOn := make(chan bool)
		var runs atomic.Int32
		start := func() int {
			event, err := startTask(ask{"f", "pool", late}, time.Minute, func(_ context.Context, t *task) error {
				runs.Add(1)
				t.undo = func() { panic("its caller came back") }
				<-goOn
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return event
		}
		event := start()
		if late {
			close(goOn)
			await(t, event)
		}
		for range 3 {
			abandonTask(event)
			event = start()
		}
		other := start() // somebody waits for the first one
		if !late {
			close(goOn)
		}
		for _, event := range []int{event, other} {
			await(t, event)
			if _, err := finishTask(event); err != nil {
				t.Error(err)
			}
		}
		if n := runs.Load(); n != 2 {
			t.Errorf("%d tasks for two callers", n)
		}
		if len(tasks.left) > 0 {
			t.Errorf("left behind: %v", tasks.left)
		}
	}
}

// What nobody comes back for is undone in the end, and leaves nothing behind.
func TestTaskOfNobody(t *testing.T) {
	for _, late := range []bool{false, true} {
		undone := make(chan bool)
		event, err := startTask(ask{function: "f"}, time.Minute, func(ctx context.Context, t *task) error {
			t.undo = func() { close(undone) }
			if !late {
				<-ctx.Done()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if late {
			await(t, event)
		}
		abandonTask(event)
		tasks.Lock()
		left := tasks.left[ask{function: "f"}][0]
		tasks.Unlock()
		left.expire()
		<-undone
		left.expire() // once is enough
		if len(tasks.left) > 0 {
			t.Errorf("left behind: %v", tasks.left)
		}
	}
}
