package main

import (
	"fmt"
	"slices"
	"strings"
)

var statuses = []string{"holds", "deviates", "na", "open"}

// attach gives every row the tests that carry its id.
func (d *Data) attach(found []sighting) {
	for _, s := range found {
		r := d.rows[s.id]
		if r == nil || !s.test {
			continue
		}
		name := s.file
		if s.decl != "" {
			name += ":" + s.decl
		}
		r.Tests = append(r.Tests, name)
	}
	for _, r := range d.rows {
		slices.Sort(r.Tests)
		r.Tests = slices.Compact(r.Tests)
	}
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
