package main

import (
	"fmt"
	"slices"
	"strings"
)

var statuses = []string{"holds", "deviates", "na", "open"}

// elsewhere are the tests that need what a machine may lack: a kernel with SCTP,
// usrsctp, RSPLIB.
var elsewhere = []string{"core/internal/transport/kernel/", "core/internal/transport/interop/", "tests/vm/", "tests/rsplib/"}

func runsElsewhere(test string) bool {
	return slices.ContainsFunc(elsewhere, func(dir string) bool { return strings.HasPrefix(test, dir) })
}

// crowd tests at most use a helper that is about one thing. What more of them use is the
// harness of a package: an id there says what went wrong, but most of the tests
// would not fail if the rule were broken, so it has to stand at those that would.
const crowd = 20

// attach gives every row the tests that carry its id, and of what else carries it
// the tests that come to use that, if these are few.
func (d *Data) attach(found []sighting, all []*declared) {
	reach := newReach(all)
	headed := map[string]bool{} // files with tests: a comment between them is about all
	for _, t := range all {
		headed[t.file] = headed[t.file] || t.isTestFunc()
	}
	for _, s := range found {
		r := d.rows[s.id]
		switch {
		case r == nil || !s.test:
		case s.whole && !isSupport(s.file), s.decl == nil && headed[s.file]:
			r.Tests = append(r.Tests, s.file)
		case s.decl != nil:
			if tests := reach.tests(s.decl); len(tests) <= crowd {
				r.Tests = append(r.Tests, tests...)
			}
		}
	}
	for _, r := range d.rows {
		slices.Sort(r.Tests)
		r.Tests = slices.Compact(r.Tests)
		slices.SortStableFunc(r.Tests, func(a, b string) int { return order(runsElsewhere(a)) - order(runsElsewhere(b)) })
	}
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

// isSupport tells what tests in C are linked with.
func isSupport(file string) bool {
	return strings.HasSuffix(file, ".h") || strings.HasSuffix(file, "/support.c")
}

// malformed reports rows that claim nothing, or give no reason for it, or
// belong to no area.
func (d *Data) malformed() (problems []string) {
	for _, b := range d.books {
		inArea := map[*Row]bool{}
		for _, a := range b.areas {
			for _, r := range b.in(a) {
				inArea[r] = true
			}
		}
		for _, r := range b.rows {
			where := fmt.Sprintf("%s/%s.tsv: %s", dataDir, b.name, r.ID)
			switch {
			case !slices.Contains(statuses, r.Status):
				problems = append(problems, fmt.Sprintf("%s: status %q is not one of %s", where, r.Status, strings.Join(statuses, ", ")))
			case r.Status != "holds" && r.Note == "":
				problems = append(problems, fmt.Sprintf("%s: %s without a note that says why", where, r.Status))
			case !inArea[r]:
				problems = append(problems, where+": belongs to no area of areas.tsv")
			}
		}
	}
	return problems
}

// unknown reports what the sources cite and no table has.
func (d *Data) unknown(found []sighting) (problems []string) {
	for _, s := range found {
		if !s.known {
			problems = append(problems, fmt.Sprintf("%s:%d: %s: no table in %s has this id", s.file, s.line, s.id, dataDir))
		}
	}
	return problems
}

// untested reports binding requirements of areas that claim to be complete which
// are still open, or are said to hold and no test shows it.
func (d *Data) untested() (problems []string) {
	for _, b := range d.books {
		for _, a := range b.areas {
			if !a.Complete {
				continue
			}
			for _, r := range b.in(a) {
				where := fmt.Sprintf("%s/%s.tsv: %s (%s)", dataDir, b.name, r.ID, r.Level)
				switch {
				case !binding(r.Level):
				case r.Status == "open":
					problems = append(problems, where+" is open, in an area that claims to be complete")
				case r.Status == "holds" && len(r.Tests) == 0:
					problems = append(problems, where+" holds, but no test carries its id")
				}
			}
		}
	}
	return problems
}

// binding tells the MUST and SHOULD levels, in capitals or not, from
// permissions and recommendations of our own.
func binding(level string) bool {
	l := strings.ToUpper(level)
	for _, word := range []string{"MUST", "SHOULD", "SHALL", "RECOMMENDED"} {
		if strings.Contains(l, word) {
			return true
		}
	}
	return false
}
