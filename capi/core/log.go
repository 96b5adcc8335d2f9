package main

// #include <stdlib.h>
// #include "abi.h"
// #include "rserpool.h"
// void call_log(rspgo_log_fn function, void *argument, int level, const char *text);
import "C"

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// logged is a line for the function of rsp_set_log.
type logged struct {
	level slog.Level
	text  string
}

// logBacklog is how many lines wait for the function; further ones are counted.
const logBacklog = 1024

// sink passes lines to one function, on a thread of its own: whoever has something
// to say holds locks, and the function may call the library.
type sink struct {
	least slog.Level
	call  func(level slog.Level, text string)
	lines chan logged
	lost  atomic.Int64
	done  chan struct{}
}

func newSink(least slog.Level, call func(slog.Level, string)) *sink {
	return &sink{least: least, call: call, lines: make(chan logged, logBacklog), done: make(chan struct{})}
}

// run ends when the lines do. The sink before it is first given what was logged
// before: so one call is made at a time, and the last sink to end is the newest.
func (s *sink) run(before <-chan struct{}) {
	runtime.LockOSThread() // and so the thread ends with the sink
	defer close(s.done)
	<-before
	logs.caller.Store(int64(unix.Gettid()))
	defer logs.caller.Store(0)
	for l := range s.lines {
		s.call(l.level, l.text)
		if n := s.lost.Swap(0); n > 0 {
			s.call(slog.LevelWarn, fmt.Sprintf("%d lines of the log are missing here: the function of rsp_set_log takes too long", n))
		}
	}
}

// put never waits.
func (s *sink) put(l logged) {
	select {
	case s.lines <- l:
	default:
		s.lost.Add(1)
	}
}

// logs is where the sockets of the process log.
var logs struct {
	sync.RWMutex
	sink   *sink         // nil: as the configuration says
	ended  chan struct{} // closed when all functions that ever were set have returned
	caller atomic.Int64  // the thread on which one is called
}

func init() {
	logs.ended = make(chan struct{})
	close(logs.ended)
}

// setSink changes it, and waits until the functions that were set before have been
// given all that was logged before, and have returned; unless it is one of those
// which calls.
func setSink(s *sink) {
	logs.Lock()
	before := logs.ended
	if logs.sink != nil {
		close(logs.sink.lines)
	}
	if logs.sink = s; s != nil {
		logs.ended = s.done
		go s.run(before)
	}
	logs.Unlock()
	if logs.caller.Load() != int64(unix.Gettid()) {
		<-before
	}
}

// logHandler logs for the program's function, or else as it was configured.
type logHandler struct {
	configured slog.Handler
	text       slog.Handler // writes what stands behind the message to rendered
}

// rendered is where one line at a time is put together.
var rendered struct {
	sync.Mutex
	bytes.Buffer
}

func newLogHandler(configured slog.Handler) *logHandler {
	drop := func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
			return slog.Attr{}
		}
		return a
	}
	var line io.Writer = &rendered.Buffer
	return &logHandler{configured, slog.NewTextHandler(line, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: drop})}
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	logs.RLock()
	defer logs.RUnlock()
	if logs.sink == nil {
		return h.configured.Enabled(ctx, level)
	}
	return level >= logs.sink.least
}

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	logs.RLock()
	defer logs.RUnlock()
	switch s := logs.sink; {
	case s != nil && r.Level >= s.least:
		s.put(logged{r.Level, h.render(ctx, r)})
		return nil
	case s != nil || !h.configured.Enabled(ctx, r.Level): // set after Enabled
		return nil
	}
	return h.configured.Handle(ctx, r)
}

func (h *logHandler) render(ctx context.Context, r slog.Record) string {
	rendered.Lock()
	defer rendered.Unlock()
	rendered.Reset()
	_ = h.text.Handle(ctx, r) // a buffer takes everything
	return string(bytes.TrimSpace(append([]byte(r.Message+" "), rendered.Bytes()...)))
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(as []slog.Attr) slog.Handler {
	return &logHandler{h.configured.WithAttrs(as), h.text.WithAttrs(as)}
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.configured.WithGroup(name), h.text.WithGroup(name)}
}

// config is the configuration of everything here: that of the environment of now, with a
// log that follows rsp_set_log.
func config() (socket.Config, error) {
	importEnvironment()
	c, err := socket.ConfigFromEnv()
	if err != nil {
		return c, err
	}
	c.Logger = slog.New(newLogHandler(c.Logger.Handler()))
	c.Led = true
	return c, nil
}

// levels are those of rserpool.h.
var levels = map[C.int]slog.Level{
	C.RSP_LOG_ERROR: slog.LevelError, C.RSP_LOG_WARNING: slog.LevelWarn,
	C.RSP_LOG_INFO: slog.LevelInfo, C.RSP_LOG_DEBUG: slog.LevelDebug,
}

func levelNumber(l slog.Level) C.int {
	switch {
	case l >= slog.LevelError:
		return C.RSP_LOG_ERROR
	case l >= slog.LevelWarn:
		return C.RSP_LOG_WARNING
	case l >= slog.LevelInfo:
		return C.RSP_LOG_INFO
	}
	return C.RSP_LOG_DEBUG
}

//export rspgo_set_log
func rspgo_set_log(function C.rspgo_log_fn, argument unsafe.Pointer, level C.int, space *C.struct_rspgo_error) C.int {
	return C.int(call(space, "rsp_set_log", func() (int64, error) {
		if function == nil {
			setSink(nil)
			return 0, nil
		}
		least, known := levels[level]
		if !known {
			return 0, failf(unix.EINVAL, "level %d; it is RSP_LOG_ERROR, RSP_LOG_WARNING, RSP_LOG_INFO or RSP_LOG_DEBUG", int(level))
		}
		setSink(newSink(least, func(level slog.Level, text string) {
			line := C.CString(text)
			defer C.free(unsafe.Pointer(line))
			C.call_log(function, argument, levelNumber(level), line)
		}))
		return 0, nil
	}))
}
