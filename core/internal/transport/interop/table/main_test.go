package main

import "testing"

func TestOutcome(t *testing.T) {
	const output = "--- PASS: TestA (0.10s)\n    --- PASS: TestA/one (0.00s)\n    --- FAIL: TestA/two (1.00s)\r\n--- SKIP: TestB (0.00s)\n"
	for pattern, want := range map[string]string{
		`TestA/one`: "passes", `TestA/`: "**fails**", `TestB`: "not run", `TestC`: "not run", ``: "not tested",
	} {
		if got := outcome(output, pattern); got != want {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
}
