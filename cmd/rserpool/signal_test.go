package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// asTool makes the test's program the tool: TestMain then is main.
const asTool = "TEST_IS_THE_TOOL=1"

// daemon runs a registrar as a process of its own; prefix are words before it.
func daemon(t *testing.T, prefix []string, args ...string) (cmd *exec.Cmd, asap string) {
	t.Helper()
	words := append(append(prefix, os.Args[0], "registrar", "--asap", "127.0.0.1:0", "--log-level", "error"), args...)
	cmd = exec.Command(words[0], words[1:]...)
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
	asap, _, _ = strings.Cut(asap, ", ENRP on ")
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
		cmd, asap := daemon(t, c.prefix)
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

// TestTerminatedAlone: a registrar that is told to end leaves what it knows in its file,
// for the one after it.
func TestTerminatedAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	cmd, asap := daemon(t, nil, "--state", file)
	l := listen(t, asap, "echo", rserpool.Policy{})
	written := func() bool {
		b, _ := os.ReadFile(file) // not yet there
		return strings.Contains(string(b), "echo")
	}
	for end := time.Now().Add(30 * time.Second); !written(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no state is written")
		}
	}
	// Nothing changes any more: it is the end of the registrar that writes it again.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ends(t, cmd); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	next, _ := startRegistrar(t, "--state", file)
	if code, out, errs := tool(t, "pes", "echo", "--registrar", next); code != 0 || !strings.Contains(out, l.Name().PE.String()) {
		t.Errorf("the next one: exit %d, %q, %q", code, out, errs)
	}
}

// TestTerminatedAmongOthers: a registrar that is told to end gives its elements to the
// others, and its process is there until they know that it goes: none takes it for dead.
// The element hears of its new home.
func TestTerminatedAmongOthers(t *testing.T) {
	other := startLogging(t)
	cmd, asap := daemon(t, nil, "--enrp", "127.0.0.1:0", "--peer", other.enrp)
	other.expect(t, "registrar joined")
	l := listen(t, asap, "echo", rserpool.Policy{})
	other.expect(t, "PE joined")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ends(t, cmd); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	other.expect(t, "registrar left") // not that it is dead
	for end := time.Now().Add(30 * time.Second); l.Status().Registrar != other.asap; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the element's registrar is %s, want %s", l.Status().Registrar, other.asap)
		}
	}
}
