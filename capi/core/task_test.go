package main

import (
	"context"
	"errors"
	"strings"
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
	event, err := startTask("f", time.Minute, func(_ context.Context, t *task) error { t.result = 5; return nil })
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
		event, err := startTask("f", time.Millisecond, run)
		if err != nil {
			t.Fatal(err)
		}
		await(t, event)
		if _, err := finishTask(event); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v", err)
		}
	}
}

// Who stops waiting, before or after the end, does not leave anything behind.
func TestAbandonTask(t *testing.T) {
	for _, late := range []bool{false, true} {
		undone := make(chan bool)
		event, err := startTask("f", time.Minute, func(ctx context.Context, t *task) error {
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
		<-undone
	}
}
