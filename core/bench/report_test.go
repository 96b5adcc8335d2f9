package main

import (
	"strings"
	"testing"

	"github.com/librserpool/librserpool/tests/go/rounds"
)

func TestReport(t *testing.T) {
	b := &bench{stacks: []string{"udp", "ours"}, missing: "it is not here", results: rounds.Results{}}
	b.results.Add("ours", key("MB/s", 64<<10), 1234.4)
	b.results.Add("ours", key("rtt p50", 64), 30)
	b.results.Add("udp", key("rtt p50", 64), 10)
	got := b.report(0)
	for _, want := range []string{
		"usrsctp was not measured: it is not here.",
		"| at least 400 MB/s | 1234 MB/s | reached |",
		"| at most 1.5 times UDP's | 3.00x | missed |",
		"| at most usrsctp's | not in this run |  |",
		"| 64 KiB messages, MB/s | - | 1,234 |",
		"| 64 B, p50 [to UDP] | 10.0 | 30.0 [3.00] |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
}

// What a machine tells is found among what else it writes.
func TestMachine(t *testing.T) {
	there := &bench{stacks: []string{"ours", "kernel"}, results: rounds.Results{}}
	there.results.Add("ours", key("rtt p50", 64), 200)
	there.results.Add("kernel", key("rtt p50", 64), 100)
	var out strings.Builder
	out.WriteString("starting\r\n")
	if err := there.tell(&out); err != nil {
		t.Fatal(err)
	}
	for told, want := range map[string]string{
		out.String():          "| round trip of 64 B, p50, us [to kernel SCTP] | 200 [2.00] | 100 |",
		"nothing":             "The kernel's SCTP was not measured: it told no values.",
		valuesMark + "broken": "The kernel's SCTP was not measured: its values cannot be read",
	} {
		b := &bench{machine: readMachine([]byte(told)), results: rounds.Results{}}
		if got := b.report(0); !strings.Contains(got, want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
}
