package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tsvHead = "id\tsection\tlevel\twho\ttext\tstatus\tnote\n"

// project writes a small tree that has nothing to complain about.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{
		"docs/conformance/areas.tsv":    "area\ttitle\tcomplete\nCOM\tcommon\tyes\nASAP-3.1\tregistration\tno\nSCTP-1\twire\tno\n",
		"docs/conformance/readings.tsv": "id\twhere\tproblem\treading\nE-01\t5353\ta | b\tc\n",
		"docs/conformance/rserpool.tsv": tsvHead +
			"COM-3-01\t5354 3\tMUST\tALL\tPad <with> zeros.\tholds\t\n" +
			"COM-3-02\t5354 3\tREC\tALL\tBe kind.\tholds\t\n" +
			"ASAP-3.1-01\t5352 3.1\tMUST\tPE\tRegister.\topen\tlater\n" +
			"ASAP-3.1-02\t5352 3.1\tMAY\tPE\tDo not.\tna\twe do not\n",
		"docs/conformance/sctp.tsv": tsvHead + "SCTP-1-01\t9260 3\tMUST\tEP\tPorts.\tdeviates\tbecause\n",
		"core/a.go":                 "package a\n\n// F pads (COM-3-01, E-01).\nfunc F() {}\n",
		"core/a_test.go":            "package a\n\n// COM-3-01: pads.\nfunc TestPad() { _ = \"SCTP-1-01\" }\n\nfunc TestX_ASAP_3_1_01(){}\n",
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func mustRun(t *testing.T, root string, check bool) []string {
	t.Helper()
	problems, err := run(root, check)
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

// mustLoad reads the data and finds their tests.
func mustLoad(t *testing.T, root string) *Data {
	t.Helper()
	data, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	found, all, err := scan(root, data)
	if err != nil {
		t.Fatal(err)
	}
	data.attach(found, all)
	return data
}

func TestWriteThenCheck(t *testing.T) {
	root := project(t, nil)
	if got := mustRun(t, root, true); len(got) != 2 || !strings.Contains(got[0], "out of date") {
		t.Errorf("without pages: %q", got)
	}
	if got := mustRun(t, root, false); got != nil {
		t.Errorf("writing: %q", got)
	}
	if got := mustRun(t, root, true); got != nil {
		t.Errorf("checking what was written: %q", got)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/reports/conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| COM | common | 2 | 1 | 0 | 1 | 0 | 0 | 0 | yes |",
		"| ASAP-3.1 | registration | 2 | 0 | 0 | 0 | 0 | 1 | 1 |  |",
		"| COM-3-01 | 5354 3 | MUST | ALL | Pad &lt;with> zeros. | **holds** | `core/a_test.go:TestPad` |",
		"| **open**: later | `core/a_test.go:TestX_ASAP_3_1_01` |",
		"| **n/a**: we do not |  |",
		`| E-01 | 5353 | a \| b | c |`,
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in the page", want)
		}
	}
}

func TestProblems(t *testing.T) {
	row := func(s string) map[string]string {
		return map[string]string{"docs/conformance/sctp.tsv": tsvHead + s + "\n"}
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"typo in a test": {
			map[string]string{"core/b_test.go": "package a\n\n// COM-3-91\nfunc TestB() {}\n"},
			"core/b_test.go:3: COM-3-91: no table in docs/conformance has this id"},
		"typo in what ships": {
			map[string]string{"include/a.h": "/* ASAP-3.1-1 */\n"},
			"include/a.h:1: ASAP-3.1-1: no table in docs/conformance has this id"},
		"end of a range": {
			map[string]string{"tests/c/a.c": "// COM-3-01..07\n"},
			"tests/c/a.c:1: COM-3-07: no table in docs/conformance has this id"},
		"name of a test": {
			map[string]string{"core/b_test.go": "package a\n\nfunc TestCOM_3_91() {}\n"},
			"core/b_test.go:3: COM-3-91: no table in docs/conformance has this id"},
		"reading": {
			map[string]string{"core/b.go": "package a // E-77\n"},
			"core/b.go:1: E-77: no table in docs/conformance has this id"},
		"holds without a test": {
			map[string]string{"core/a_test.go": "package a // SCTP-1-01\n"},
			"docs/conformance/rserpool.tsv: COM-3-01 (MUST) holds, but no test carries its id"},
		"open in a complete area": {
			map[string]string{"docs/conformance/areas.tsv": "area\ttitle\tcomplete\nCOM\tcommon\tyes\nASAP-3.1\tregistration\tyes\nSCTP-1\twire\tno\n"},
			"docs/conformance/rserpool.tsv: ASAP-3.1-01 (MUST) is open, in an area that claims to be complete"},
		"status": {row("SCTP-1-01\t-\tMUST\tEP\tPorts.\tsure\t"),
			`docs/conformance/sctp.tsv: SCTP-1-01: status "sure" is not one of holds, deviates, na, open`},
		"no reason": {row("SCTP-1-01\t-\tMUST\tEP\tPorts.\tna\t"),
			"docs/conformance/sctp.tsv: SCTP-1-01: na without a note that says why"},
		"no area": {row("SCTP-1-01\t-\tMUST\tEP\tPorts.\tholds\t\nSCTP-9-01\t-\tMUST\tEP\tX.\tholds\t"),
			"docs/conformance/sctp.tsv: SCTP-9-01: belongs to no area of areas.tsv"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{test.want}, mustRun(t, project(t, test.files), false)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBadData(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"fields":   {"docs/conformance/sctp.tsv": tsvHead + "SCTP-1-01\tMUST\n"},
		"header":   {"docs/conformance/sctp.tsv": "id\n"},
		"twice":    {"docs/conformance/sctp.tsv": tsvHead + strings.Repeat("SCTP-1-01\t-\tMUST\tEP\tPorts.\tholds\t\n", 2)},
		"complete": {"docs/conformance/areas.tsv": "area\ttitle\tcomplete\nCOM\tcommon\tmaybe\n"},
	} {
		if _, err := run(project(t, files), true); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A file that somebody is in the middle of writing still counts, without the
// names of its tests; the tool's own tests do not.
func TestScanLeavesOut(t *testing.T) {
	root := project(t, map[string]string{
		"core/broken_test.go":       "package a\n\nfunc TestOld( { // COM-3-02\n",
		"tools/conformance/x.go":    "package main // COM-9-99\n",
		"build/x.go":                "package x // COM-9-99\n",
		".git/x.go":                 "package x // COM-9-99\n",
		"notes.txt":                 "COM-9-99\n",
		"core/transporttest/s.go":   "package s\n\nfunc Suite() {} // file\n// SCTP-1-01\n",
		"core/testdata/peer.c":      "/* COM-3-02 */\n",
		"tests/vm/run":              "# COM-3-02\n",
		"tests/go/chaos/story.go":   "package chaos\n\nvar (\n\tA = 1 // COM-3-02\n)\n",
		"core/internal/testing/x.c": "/* COM-3-02 */\n",
	})
	data := mustLoad(t, root)
	for id, want := range map[string][]string{
		"COM-3-02":  {"core/broken_test.go", "core/testdata/peer.c", "tests/vm/run"},
		"SCTP-1-01": {"core/a_test.go:TestPad"},
	} {
		if diff := cmp.Diff(want, data.rows[id].Tests); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	if p := mustRun(t, root, false); len(p) != 0 {
		t.Error(p)
	}
}

// TestHelpers: what tests are made of counts for the tests that come to use it, and
// for nothing when none does, or when they are so many that it is their harness; what
// stands between tests counts for their file.
func TestHelpers(t *testing.T) {
	few, many := "package d\n\nfunc few() {} // COM-3-01\n", "package e\n\nfunc many() {} // COM-3-01\n"
	for n := range crowd + 1 {
		if n < crowd {
			few += fmt.Sprintf("\nfunc TestFew%02d() { few() }\n", n)
		}
		many += fmt.Sprintf("\nfunc TestMany%02d() { many() }\n", n)
	}
	root := project(t, map[string]string{
		"core/transporttest/s.go": "package transporttest\n\nvar all = []func(){one} // a list\n\n" +
			"func one() { two() } // COM-3-02\n\nfunc two() {}\n\nfunc nobody() {} // SCTP-1-01\n\nfunc Run() { for _, f := range all { f() } }\n",
		"core/b/b_test.go": "package b\n\ntype world struct{}\n\nfunc (w *world) Told() {} // SCTP-1-01\n\n" +
			"func TestB() { transporttest.Run() }\n\nfunc TestMain() { helper() }\n\n" +
			"func helper() { use(&world{}) }\n\nfunc FuzzB() { helper() }\n\nfunc BenchmarkB() { lonely() }\n\nfunc lonely() {} // ASAP-3.1-02\n",
		"core/internal/transport/kernel/k_test.go": "package kernel\n\n// ASAP-3.1-01\n\nfunc TestK() {}\n",
		"core/d/d_test.go":                         few,
		"core/e/e_test.go":                         many,
		"core/c_test.go":                           "package a\n\n// ASAP-3.1-02 is where no test is.\n\nfunc help() {}\n",
		"tests/c/support.c":                        "/* ASAP-3.1-02 */\n",
	})
	data := mustLoad(t, root)
	for id, want := range map[string][]string{
		"COM-3-02":    {"core/b/b_test.go:TestB"},
		"SCTP-1-01":   {"core/a_test.go:TestPad", "core/b/b_test.go:FuzzB"},
		"ASAP-3.1-01": {"core/a_test.go:TestX_ASAP_3_1_01", "core/internal/transport/kernel/k_test.go"},
		"ASAP-3.1-02": nil,
	} {
		if diff := cmp.Diff(want, data.rows[id].Tests); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	if tests := data.rows["COM-3-01"].Tests; len(tests) != 1+crowd || slices.ContainsFunc(tests, func(t string) bool { return strings.Contains(t, "Many") }) {
		t.Errorf("a helper of %d tests, and a harness of more: %q", crowd, tests)
	}
	page := string(data.books[0].render())
	if want := "`transport/kernel/k_test.go` (elsewhere)"; !strings.Contains(page, want) {
		t.Errorf("no %q in the page", want)
	}
}

// TestProject: the data of the project itself are sound. Whether the pages are
// fresh and the ids in the code exist is for conformance -check to say.
func TestProject(t *testing.T) {
	data, err := load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if p := data.malformed(); p != nil {
		t.Error(strings.Join(p, "\n"))
	}
	if n := len(data.books[0].rows); n != 444 {
		t.Errorf("%d requirements of RSerPool, not 444", n)
	}
	if n := len(data.books[1].rows); n != 240 {
		t.Errorf("%d requirements of SCTP, not 240", n)
	}
}
