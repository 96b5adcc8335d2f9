package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/tests/go/rounds"
)

func TestReport(t *testing.T) {
	b := &bench{runs: 1, share: 1, stacks: []stack{stacks[0], stacks[1], stacks[3]}, results: rounds.Results{}}
	b.note("nng was not measured: there is none.")
	for s, ns := range map[string]float64{library: 30_000, udp: 20_000, zeromq: 60_000} {
		b.results.Add(s, "roundtrip 64 p50", ns)
		b.results.Add(s, "roundtrip 64 p99", ns*float64(len(s)))
	}
	b.results.Add(library, "cached p50", 1500)
	b.results.Add(library, "crowd epoll messages", 12345)
	b.calls = map[string]sides{
		library: {user: map[string]float64{"sendmmsg": 1, "ppoll": 1.01, "futex": 0.5}, element: map[string]float64{"rt_sigprocmask": 3.5}},
		udp:     {user: map[string]float64{"sendto": 1, "recvfrom": 1, "brk": 0.001}},
	}
	got := b.report(0)
	for _, want := range []string{
		"- nng was not measured: there is none.\n",
		"|  | goal |  | librserpool | UDP | ZeroMQ | to UDP | to ZeroMQ |\n|---|", // the head
		"| 64 B, p50 | at most 2x UDP, 0.75x ZeroMQ | reached | 30.0 | 20.0 | 60.0 | 1.50 | 0.50 |",
		"| 64 B, p99 | at most 2x UDP | missed | 210.0 | 60.0 | 180.0 | 3.50 | 1.17 |",
		"| rsp_getaddrinfo from its cache, p50 | at most 1 | missed | 1.50 |",
		"| epoll | 0.5x of the bare engine |  | 12,345 |",
		"| move data or wait | at most 4 | reached | 2.01 | 0.00 | 2.00 | 0.00 |",
		"| change the signal mask | at most 4 | reached | 0.00 | 3.50 | 0.00 | 0.00 |",
		"| futex, sleep, epoll | none | missed | 0.50 |",
		"- UDP, user: recvfrom 1.00, sendto 1.00\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "1 KiB, p50") {
		t.Error("the report has a row of what was not measured")
	}
}

func TestReadCalls(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	text := `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.00    0.010000          10      1000        12 futex
  1.00    0.000000           0        20           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.010000           9      1020        12 total
`
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	calls, err := readCalls(log)
	if err != nil || len(calls) != 2 || calls["futex"] != 1000 || calls["sendto"] != 20 {
		t.Errorf("read %v, %v", calls, err)
	}
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCalls(log); err == nil {
		t.Error("an empty table was read")
	}
}
