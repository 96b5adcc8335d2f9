package main

import (
	"strings"
	"testing"
)

func TestRatioIsOfTheSameRound(t *testing.T) {
	r := results{}
	for _, v := range [][2]float64{{10, 5}, {100, 50}, {30, 10}} { // the second round was disturbed
		r.add("ours", "x", v[0])
		r.add("udp", "x", v[1])
	}
	if v, ok := r.ratio("ours", "udp", "x"); !ok || v != 2 {
		t.Errorf("ratio %v, %v; want 2", v, ok)
	}
	if v, ok := r.median("ours", "x"); !ok || v != 30 {
		t.Errorf("median %v, %v; want 30", v, ok)
	}
	if _, ok := r.ratio("ours", "pion", "x"); ok {
		t.Error("a ratio to what was not measured")
	}
	if v, _ := median([]float64{4, 1, 3, 2}); v != 2.5 {
		t.Errorf("median of four %v", v)
	}
}

func TestReport(t *testing.T) {
	b := &bench{stacks: []string{"udp", "ours"}, missing: "it is not here", results: results{}}
	b.results.add("ours", key("MB/s", 64<<10), 1234.4)
	b.results.add("ours", key("rtt p50", 64), 30)
	b.results.add("udp", key("rtt p50", 64), 10)
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
	there := &bench{stacks: []string{"ours", "kernel"}, results: results{}}
	there.results.add("ours", key("rtt p50", 64), 200)
	there.results.add("kernel", key("rtt p50", 64), 100)
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
		b := &bench{machine: readMachine([]byte(told)), results: results{}}
		if got := b.report(0); !strings.Contains(got, want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
}
