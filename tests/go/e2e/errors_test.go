package e2e

import (
	"regexp"
	"testing"
)

// fails runs a program that must end with the given status and say why.
func fails(t *testing.T, env []string, status string, says, name string, args ...string) {
	t.Helper()
	p := start(t, name, env, program(t, name), args...)
	_ = p.CloseStdin()
	err := p.Wait(patience)
	if err == nil || err.Error() != "exit status "+status {
		t.Fatalf("%s %v: %v, want exit status %s", name, args, err, status)
	}
	expect(t, p, 0, regexp.MustCompile(says))
}

func TestErrorsSayWhatToDo(t *testing.T) {
	w, _ := newWorld(t)
	nobody := []string{"RSERPOOL_REGISTRARS=127.0.0.1:" + freePort(t)}
	fails(t, w.env, "1", `echo`, "echo_pu")                                                     // no such pool
	fails(t, nobody, "1", `no registrar.*tried 127\.0\.0\.1:\d+`, "echo_pu")                    // no registrar
	fails(t, append(w.env, "ECHO_PORT=fish"), "1", `ECHO_PORT`, "echo_pe")                      // bad setting
	fails(t, append(w.env, "RSERPOOL_TRANSPORT=pigeon"), "1", `pigeon`, "echo_pu")              // bad setting
	fails(t, nil, "2", `[Dd]id you mean.*\n?`, "rserpool", "regisrar")                          // a typing error
	fails(t, nil, "2", `argument`, "rserpool", "resolve")                                       // nothing to resolve
	fails(t, nil, "3", `unknown pool`, "rserpool", "resolve", "nowhere", "--registrar", w.addr) // no such pool
	fails(t, nobody, "4", `tried 127\.0\.0\.1`, "rserpool", "resolve", "echo")                  // no registrar
}
