package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The module that TestMutate looks at. Of the faults in it one makes a loop endless,
// one does not compile, one is noticed by another package's tests only, and two by
// none.
var example = map[string]string{
	"go.mod": "module example.test/m\n\ngo 1.26\n",
	"a/a.go": `package a

var Counted, Calls, Ends int

func Count(n int) (c int) {
	Calls++
	for c != n {
		c++
	}
	Counted = c
	Ends++
	return c
}
`,
	"a/a_test.go": `package a

import "testing"

func TestCount(t *testing.T) {
	if Count(3) != 3 {
		t.Error("wrong")
	}
}
`,
	"b/b_test.go": `package b

import (
	"testing"

	"example.test/m/a"
)

func TestCounted(t *testing.T) {
	if a.Count(3); a.Counted != 3 {
		t.Error("wrong")
	}
}

func TestWrong(t *testing.T) { t.Error("not wanted") }
`,
	"accepted.txt": "a/a.go\tEnds++\tnobody asks\n",
}

// TestMutate goes the whole way. It compiles some programs.
func TestMutate(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	t.Chdir(t.TempDir())
	for name, text := range example {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := options{times: 1, jobs: 2, accepted: "accepted.txt", also: "./b", alsoTests: "TestCounted", packages: []string{"./a"}}
	var out strings.Builder
	if err := mutate(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	const want = `a/a.go:6: Calls++ -> (removed)
a/a.go:11: Ends++ -> (removed) (accepted: nobody asks)
example.test/m/a: 3 of 5 faults killed (60.0 %), 1 accepted, 1 survived; 1 more do not compile
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	o.alsoTests = ""
	if err := mutate(t.Context(), o, &out); err == nil || !strings.Contains(err.Error(), "fail without any fault") {
		t.Errorf("with tests that fail by themselves: %v", err)
	}
}
