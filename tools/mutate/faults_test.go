package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFaults: what is made of one statement.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		statement string
		want      []string
	}{
		{"if a < b {}", []string{"if !(a < b) {}", "if a <= b {}"}},
		{"if a == b {}", []string{"if a != b {}"}},
		{"if ok {}", []string{"if !(ok) {}"}},
		{"_ = a && b || !c", []string{"(removed)", "_ = a && b && !c", "_ = a || b || !c"}},
		{"for a >= b {}", []string{"for !(a >= b) {}", "for a > b {}"}},
		{"switch { case a: }", []string{"switch { case !(a): }"}},
		{"switch a { case b: }", nil},
		{"x := min(a, b)", []string{"x := max(a, b)"}},
		{"x := a.max(b) + c", []string{"x := a.max(b) - c"}},
		{"x := f(0, 7)", []string{"x := f((0 + 1), 7)", "x := f(0, (7 + 1))", "x := f(0, (7 - 1))"}},
		{"x := 5 * time.Second", []string{"x := (2 * 5) * time.Second"}},
		{`x := "7" + s`, []string{`x := "7" - s`}},
		{"for { break }", []string{"for { continue }"}},
		{"for { continue }", []string{"for { break }"}},
		{"delete(m, k)", []string{"(removed)"}},
		{"c <- v", []string{"(removed)"}},
		{"x++", []string{"(removed)"}},
		{"go f()", []string{"(removed)"}},
		{"f(\n\ta,\n\tb)", []string{"(removed)"}},
		{"if a { return err }", []string{"if !(a) { return err }", "(removed)"}},
		{"var a int", nil},
	} {
		faults, err := faultsIn("x.go", "package x\n\nfunc f() {\n"+test.statement+"\n}\n")
		if err != nil {
			t.Errorf("%s: %v", test.statement, err)
		}
		var got []string
		for _, f := range faults {
			before, after, _ := strings.Cut(f.String(), " -> ")
			if !strings.Contains(oneLine(test.statement), before) || f.line() != 4 {
				t.Errorf("%s: line %d, %q", test.statement, f.line(), f)
			}
			got = append(got, after)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the faults are %q, want %q", test.statement, got, test.want)
		}
	}
}

// TestRemovedIsCompiled: what is removed stays, so that its names are in use.
func TestRemovedIsCompiled(t *testing.T) {
	faults, err := faultsIn("x.go", "package x\nfunc f(a int) {\n\tg(a)\n}\n")
	if err != nil || len(faults) != 1 {
		t.Fatal(faults, err)
	}
	if got, want := faults[0].faulty(), "package x\nfunc f(a int) {\n\tif false { g(a) }\n}\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAccepted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accepted.txt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# why\n\nx.go\tg(a) -> (removed)\tonly logs\nx.go\tnothing like it\told\ny.go\tnot looked at\told\n")
	list, err := readAccepted(path)
	if err != nil {
		t.Fatal(err)
	}
	faults, _ := faultsIn("x.go", "package x\nfunc f(a int) {\n\tg(a)\n\th(a)\n}\n")
	if a, b := list.reason(faults[0]), list.reason(faults[1]); a != "only logs" || b != "" {
		t.Errorf("the reasons are %q and %q", a, b)
	}
	if got := list.unmet(map[string]bool{"x.go": true}); !slices.Equal(got, []string{"x.go: nothing like it"}) {
		t.Errorf("unmet: %q", got)
	}
	for _, wrong := range []string{"x.go\tg(a)", "x.go\tg(a)\t", "x.go g(a) reason", "x.go\t\treason"} {
		write(wrong + "\n")
		if _, err := readAccepted(path); err == nil {
			t.Errorf("%q was taken for a line", wrong)
		}
	}
}

func TestSample(t *testing.T) {
	var all []*fault
	for range 20 {
		all = append(all, &fault{})
	}
	index := func(f *fault) int { return slices.Index(all, f) }
	draw := func(n int, seed uint64) []*fault { return sample(all, options{sample: n, seed: seed}) }
	if got := draw(5, 1); len(got) != 5 || !slices.IsSortedFunc(got, func(a, b *fault) int { return index(a) - index(b) }) ||
		!slices.Equal(got, draw(5, 1)) || slices.Equal(got, draw(5, 2)) {
		t.Error("five of twenty are not five, or not in order, or not those of their seed")
	}
	if len(draw(0, 1)) != 20 || len(draw(20, 1)) != 20 || len(draw(99, 1)) != 20 {
		t.Error("not all are made where all are wanted")
	}
}
