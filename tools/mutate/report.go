package main

import (
	"fmt"
	"io"
)

// report counts what became of the faults, package by package, and shows those
// that survived.
type report struct {
	w        io.Writer
	accepted accepted
	packages []*tally
	files    map[string]bool
}

// A tally counts the faults of a package that compile.
type tally struct {
	pkg                                string
	broken, killed, accepted, survived int
}

func (r *report) add(f *fault, o outcome) {
	if n := len(r.packages); n == 0 || r.packages[n-1].pkg != f.pkg {
		r.packages = append(r.packages, &tally{pkg: f.pkg})
	}
	if r.files == nil {
		r.files = map[string]bool{}
	}
	r.files[f.file] = true
	t := r.packages[len(r.packages)-1]
	switch o {
	case broken:
		t.broken++
	case killed:
		t.killed++
	case survived:
		r.survivor(t, f)
	}
}

func (r *report) survivor(t *tally, f *fault) {
	if reason := r.accepted.reason(f); reason != "" {
		t.accepted++
		fmt.Fprintf(r.w, "%s:%d: %s (accepted: %s)\n", f.file, f.line(), f, reason)
		return
	}
	t.survived++
	fmt.Fprintf(r.w, "%s:%d: %s\n", f.file, f.line(), f)
}

// end writes the sums. all says that every fault was made.
func (r *report) end(all bool) {
	if all {
		for _, line := range r.accepted.unmet(r.files) {
			fmt.Fprintf(r.w, "accepted.txt: no fault survives that fits %s\n", line)
		}
	}
	for _, t := range r.packages {
		fmt.Fprintln(r.w, t)
	}
}

func (t *tally) String() string {
	tried := t.killed + t.accepted + t.survived
	return fmt.Sprintf("%s: %d of %d faults killed (%.1f %%), %d accepted, %d survived; %d more do not compile",
		t.pkg, t.killed, tried, 100*float64(t.killed)/float64(max(tried, 1)), t.accepted, t.survived, t.broken)
}
