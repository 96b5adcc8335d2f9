package main

import (
	"fmt"
	"os"
	"strings"
)

// accepted are the faults that may survive, and why.
type accepted []acceptance

type acceptance struct {
	file, part, reason string
	met                bool
}

// readAccepted reads lines of three columns with tabs between them: the file,
// what "before -> after" of a fault contains, and the reason.
func readAccepted(path string) (list accepted, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 3 || columns[0] == "" || columns[1] == "" || columns[2] == "" {
			return nil, fmt.Errorf("%s:%d: want a file, a part of the fault and a reason, with tabs between them", path, i+1)
		}
		list = append(list, acceptance{file: columns[0], part: columns[1], reason: columns[2]})
	}
	return list, nil
}

// reason returns why a fault may survive, or "".
func (list accepted) reason(f *fault) string {
	for i := range list {
		if a := &list[i]; a.file == f.file && strings.Contains(f.String(), a.part) {
			a.met = true
			return a.reason
		}
	}
	return ""
}

// unmet returns the lines for files of which all faults were made, but that fit
// none which survived.
func (list accepted) unmet(files map[string]bool) (lines []string) {
	for _, a := range list {
		if files[a.file] && !a.met {
			lines = append(lines, a.file+": "+a.part)
		}
	}
	return lines
}
