package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asTool makes the test's program the tool: TestMain then is main.
const asTool = "TEST_IS_THE_TOOL=1"

// daemon runs a registrar as a process of its own; prefix are words before it.
func daemon(t *testing.T, prefix ...string) (cmd *exec.Cmd, asap string) {
	t.Helper()
	args := append(prefix, os.Args[0], "registrar", "--asap", "127.0.0.1:0", "--log-level", "error")
	cmd = exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), asTool)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, asap, found := strings.Cut(strings.TrimSpace(line), " listening on ")
	if err != nil || !found {
		t.Fatalf("the registrar prints %q, %v", line, err)
	}
	return cmd, asap
}

// ends waits for a process and returns its exit code, -1 after a signal.
func ends(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		t.Fatal("the registrar does not end")
		return 0
	}
}

// TestSignals: SIGHUP never ends a registrar, also where it is ignored; SIGTERM
// and SIGINT do, by a handover, and whatever follows them.
func TestSignals(t *testing.T) {
	for _, c := range []struct {
		prefix []string
		then   []syscall.Signal
		codes  []int
	}{
		{nil, []syscall.Signal{syscall.SIGTERM}, []int{0}},
		{nil, []syscall.Signal{syscall.SIGINT}, []int{0}},
		{nil, []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP}, []int{0}},
		{nil, []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, []int{0, -1}},
		{[]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, []syscall.Signal{syscall.SIGTERM}, []int{0}},
	} {
		cmd, asap := daemon(t, c.prefix...)
		for range 3 {
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			if code, _, errs := tool(t, "pools", "--registrar", asap); code != 0 {
				t.Errorf("after SIGHUP: exit %d, %s", code, errs)
			}
		}
		for _, s := range c.then {
			_ = cmd.Process.Signal(s) // it may have ended
		}
		got := ends(t, cmd)
		ok := false
		for _, code := range c.codes {
			ok = ok || got == code
		}
		if !ok {
			t.Errorf("%v after SIGHUP: it ends with %d (%v)", c.then, got, cmd.ProcessState)
		}
	}
}
