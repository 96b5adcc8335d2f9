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

func TestOutcome(t *testing.T) {
	event, err := start(ask{function: "f"}, time.Minute, func(_ context.Context, c *completion) error { c.result = 5; return nil })
	if err != nil {
		t.Fatal(err)
	}
	waitEvent(t, event, unix.POLLIN)
	if got, err := finish(event); got != 5 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := finish(event); err == nil || errnoOf(err) != unix.EBADF {
		t.Errorf("fetched twice: %v", err)
	}
	abandon(event)
}

func TestFailure(t *testing.T) {
	for text, run := range map[string]func(context.Context, *completion) error{
		"f: too late": func(ctx context.Context, _ *completion) error {
			<-ctx.Done()
			return errors.New("too late")
		},
		"defect": func(context.Context, *completion) error { panic("oh") },
	} {
		event, err := start(ask{function: "f"}, 0, run)
		if err != nil {
			t.Fatal(err)
		}
		waitEvent(t, event, unix.POLLIN)
		if _, err := finish(event); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v", err)
		}
	}
}

// A caller that signals take away, again and again, gets the outcome of what it
// began, and another caller its own.
func TestStray(t *testing.T) {
	for _, late := range []bool{false, true} {
		goOn := make(chan bool)
		var runs atomic.Int32
		begin := func() int {
			event, err := start(ask{"f", "pool", late}, time.Minute, func(_ context.Context, c *completion) error {
				runs.Add(1)
				c.undo = func() { panic("its caller came back") }
				<-goOn
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return event
		}
		event := begin()
		if late {
			close(goOn)
			waitEvent(t, event, unix.POLLIN)
		}
		for range 3 {
			abandon(event)
			event = begin()
		}
		other := begin() // somebody waits for the first one
		if !late {
			close(goOn)
		}
		for _, event := range []int{event, other} {
			waitEvent(t, event, unix.POLLIN)
			if _, err := finish(event); err != nil {
				t.Error(err)
			}
		}
		if n := runs.Load(); n != 2 {
			t.Errorf("%d runs for two callers", n)
		}
		if len(strays) > 0 {
			t.Errorf("left behind: %v", strays)
		}
	}
}

// What nobody comes back for is undone in the end, and leaves nothing behind.
func TestStrayOfNobody(t *testing.T) {
	for _, late := range []bool{false, true} {
		undone := make(chan bool)
		event, err := start(ask{function: "f"}, time.Minute, func(ctx context.Context, c *completion) error {
			c.undo = func() { close(undone) }
			if !late {
				<-ctx.Done()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if late {
			waitEvent(t, event, unix.POLLIN)
		}
		abandon(event)
		completions.Lock()
		left := strays[ask{function: "f"}][0].completion
		completions.Unlock()
		strays.expire(left)
		<-undone
		strays.expire(left) // once is enough
		if len(strays) > 0 {
			t.Errorf("left behind: %v", strays)
		}
	}
}
