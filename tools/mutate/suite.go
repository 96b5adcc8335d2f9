package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A suite is the tests of one package, or those of them that are wanted.
type suite struct {
	pkg, dir string
	flags    []string // of the test binary
	limit    time.Duration
}

// shortest is the least time that a suite gets, however quick it is without a
// fault: the machine may be busy.
const shortest = 2 * time.Second

// measure runs the suite without a fault, which must pass, and allows it that
// many times as long with one.
func (s *suite) measure(ctx context.Context, times float64, scratch string) error {
	s.limit = 10 * time.Minute
	bin := filepath.Join(scratch, "baseline.test")
	if out, err := s.compile(ctx, bin, ""); err != nil {
		return fmt.Errorf("the tests of %s do not compile: %v\n%s", s.pkg, err, out)
	}
	begin := time.Now()
	if out, err := s.run(ctx, bin); err != nil {
		return fmt.Errorf("the tests of %s fail without any fault: %v\n%s", s.pkg, err, out)
	}
	s.limit = max(shortest, time.Duration(times*float64(time.Since(begin))))
	return nil
}

func (s *suite) compile(ctx context.Context, bin, overlay string) (out []byte, err error) {
	args := []string{"test", "-c", "-ldflags=-s -w", "-o", bin}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	return exec.CommandContext(ctx, "go", append(args, s.pkg)...).CombinedOutput()
}

// memory is what a test process may take, in KiB of addresses: a fault may let
// something grow without end.
const memory = "6291456"

func (s *suite) run(ctx context.Context, bin string) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit+shortest)
	defer cancel()
	args := []string{"-c", `ulimit -v "$1"; shift; exec "$@"`, "sh", memory,
		bin, "-test.failfast", "-test.timeout", s.limit.String()}
	cmd := exec.CommandContext(ctx, "sh", append(args, s.flags...)...)
	cmd.Dir = s.dir
	cmd.WaitDelay = shortest
	return cmd.CombinedOutput()
}

type outcome int

const (
	broken outcome = iota // does not compile
	killed
	survived
)

// try runs suites one after the other against a fault until one kills it.
func try(ctx context.Context, f *fault, suites []*suite, scratch string) (outcome, error) {
	file, overlay, bin := filepath.Join(scratch, "fault.go"), filepath.Join(scratch, "overlay.json"), filepath.Join(scratch, "fault.test")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {f.path: file}})
	if err != nil {
		return broken, err
	}
	if err := errors.Join(os.WriteFile(file, []byte(f.faulty()), 0o600), os.WriteFile(overlay, list, 0o600)); err != nil {
		return broken, err
	}
	for _, s := range suites {
		_, err := s.compile(ctx, bin, overlay)
		if err == nil {
			_, err = s.run(ctx, bin)
		} else {
			return broken, ctx.Err()
		}
		if err != nil {
			return killed, ctx.Err()
		}
	}
	return survived, ctx.Err()
}
