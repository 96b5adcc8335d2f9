// The core of the C library: a shared object whose rspgo_ functions (abi.h) the
// C front calls. There is no thought in the exports: they convert, call
// core/socket and map errors. What a descriptor of the program is, and how it
// shows the state of its socket, is in signal.go and descriptor.go.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

func main() {}

// init makes the runtime open its own descriptors now, with the first timer.
// Later it would take numbers that the program has just closed, and the program
// could not tell EBADF from ENOTSOCK.
func init() { time.AfterFunc(time.Hour, func() {}).Stop() }

// spare is how many threads of the runtime may work besides as many as the machine can run.
// A thread of the program that comes back from the core still counts as one of them, until
// the runtime looks after that, which can take 10 ms: others would wait.
const spare = 2

func init() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spare)
	}
}

// defect reports a panic that reached the border to C, where it would abort the
// program, and turns it into an error.
func defect(function string, panicked any) error {
	fmt.Fprintf(os.Stderr, "librserpool: defect in %s: %v\n%s", function, panicked, debug.Stack())
	return failf(unix.EIO, "a defect inside the library: %v; please report it with what standard error says", panicked)
}

// guarded runs f and returns its error, or what it panicked with.
func guarded(function string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = defect(function, p)
		}
	}()
	return f()
}
