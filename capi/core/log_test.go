package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// heard collects what a function is called with.
type heard struct {
	sync.Mutex
	lines []string
}

func (h *heard) call(level slog.Level, text string) {
	h.Lock()
	defer h.Unlock()
	h.lines = append(h.lines, fmt.Sprintf("%v %s", level, text))
}

func logTest(t *testing.T) (*slog.Logger, *bytes.Buffer) {
	var configured bytes.Buffer
	t.Cleanup(func() { setSink(nil) })
	return slog.New(newLogHandler(slog.NewTextHandler(&configured, &slog.HandlerOptions{Level: slog.LevelWarn}))), &configured
}

// TestLogFollows: loggers that were made before go where rsp_set_log says now, with
// all that they know, and back to what was configured.
func TestLogFollows(t *testing.T) {
	log, configured := logTest(t)
	with := log.With("pool", "a b").WithGroup("peer")
	var h heard
	with.Info("not told")
	setSink(newSink(slog.LevelInfo, h.call))
	with.Info("told", "at", "192.0.2.1", "n", 3)
	with.Debug("too much")
	log.Error("without more")
	setSink(nil) // waits for what was logged before
	with.Info("not told")
	log.Warn("at the end")
	want := `[INFO told pool="a b" peer.at=192.0.2.1 peer.n=3 ERROR without more]`
	if got := fmt.Sprint(h.lines); got != want {
		t.Errorf("function: %s, want %s", got, want)
	}
	if got := configured.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=WARN msg="at the end"`) {
		t.Errorf("configured: %s", got)
	}
}

// TestLogFromWithin: the function may log and set another function itself.
func TestLogFromWithin(t *testing.T) {
	log, _ := logTest(t)
	var first, second heard
	changed := make(chan struct{})
	setSink(newSink(slog.LevelInfo, func(l slog.Level, text string) {
		first.call(l, text)
		if text == "begin" {
			log.Info("from within")
			setSink(newSink(slog.LevelInfo, second.call))
			setSink(newSink(slog.LevelInfo, second.call))
			close(changed)
		}
	}))
	log.Info("begin")
	<-changed
	log.Info("end")
	setSink(nil)
	if fmt.Sprint(second.lines) != "[INFO end]" {
		t.Errorf("second function: %q", second.lines)
	}
}

// TestLogOneAtATime: also a function that sets itself again is called once at a time,
// and whoever sets another one waits until it has returned for the last time.
func TestLogOneAtATime(t *testing.T) {
	log, _ := logTest(t)
	var inside, calls atomic.Int64
	var again atomic.Bool
	again.Store(true)
	var function func(slog.Level, string)
	function = func(slog.Level, string) {
		if n := inside.Add(1); n != 1 {
			t.Errorf("%d calls at a time", n)
		}
		defer inside.Add(-1)
		if again.Load() {
			setSink(newSink(slog.LevelInfo, function))
			log.Info("from within")
		}
		time.Sleep(time.Millisecond)
		calls.Add(1)
	}
	setSink(newSink(slog.LevelInfo, function))
	for range 20 {
		log.Info("from without")
	}
	for calls.Load() < 5 {
		runtime.Gosched()
	}
	again.Store(false)
	setSink(nil) // a call that had begun may have set it again
	setSink(nil)
	if before := calls.Load(); inside.Load() != 0 || before < 20 {
		t.Errorf("%d calls, %d of them not over", before, inside.Load())
	}
}

// TestLogOfManyLines: who logs does not wait for a function that does not return,
// and what is missing is counted.
func TestLogOfManyLines(t *testing.T) {
	log, _ := logTest(t)
	var h heard
	begun, release := make(chan struct{}, 1), make(chan struct{})
	setSink(newSink(slog.LevelInfo, func(l slog.Level, text string) {
		select {
		case begun <- struct{}{}:
		default:
		}
		<-release
		h.call(l, text)
	}))
	log.Info("first")
	<-begun
	for range logBacklog + 10 {
		log.Info("many")
	}
	close(release)
	setSink(nil)
	if len(h.lines) != 1+1+logBacklog || !strings.Contains(h.lines[1], "WARN 10 lines") {
		t.Errorf("%d lines, the second is %q", len(h.lines), h.lines[1])
	}
}

// TestLogThread: the function is called on one thread, which is not that of who logs.
func TestLogThread(t *testing.T) {
	log, _ := logTest(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	threads := map[int]bool{}
	setSink(newSink(slog.LevelInfo, func(slog.Level, string) { threads[unix.Gettid()] = true }))
	for range 100 {
		log.Info("line")
	}
	own := unix.Gettid()
	setSink(nil)
	if len(threads) != 1 || threads[own] {
		t.Errorf("threads %v; who logs has %d", threads, own)
	}
}
