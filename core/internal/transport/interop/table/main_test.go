package main

import (
	"strings"
	"testing"
)

func TestOutcome(t *testing.T) {
	const output = "--- PASS: TestA (0.10s)\n    --- PASS: TestA/one (0.00s)\n    --- FAIL: TestA/two (1.00s)\r\n--- SKIP: TestB (0.00s)\n"
	for pattern, want := range map[string]string{
		`TestA/one`: "passes", `TestA/`: "**fails**", `TestB`: "not run", `TestC`: "not run", `n/a: no`: "n/a: no",
	} {
		if got := outcome(output, pattern); got != want {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
}

// Every row names tests, or says why there are none.
func TestRows(t *testing.T) {
	for _, r := range rows {
		for _, pattern := range []string{r.usrsctp, r.kernel} {
			if !strings.HasPrefix(pattern, "Test") && !strings.HasPrefix(pattern, "n/a: ") {
				t.Errorf("%s: %q", r.what, pattern)
			}
		}
	}
}
