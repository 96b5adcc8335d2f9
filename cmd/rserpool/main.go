// Command rserpool is the registrar daemon and everything an operator or a
// newcomer to Reliable Server Pooling types.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/librserpool/librserpool/core/rserpool"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnknownPool = 3 // a registrar has answered
	exitNoRegistrar = 4 // none has
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (exitCode int) {
	cmd := newRoot()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "rserpool: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) || errors.Is(err, rserpool.ErrInvalid) {
		fmt.Fprintln(stderr, "Run 'rserpool --help' for what there is.")
		return exitUsage
	}
	switch {
	case errors.Is(err, rserpool.ErrUnknownPool):
		return exitUnknownPool
	case errors.Is(err, rserpool.ErrNoRegistrar), errors.Is(err, rserpool.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return exitNoRegistrar
	}
	return exitFailed
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
