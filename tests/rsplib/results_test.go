package rsplib

import (
	"fmt"
	"strings"
	"testing"
)

// scenario is a row of the page.
type scenario struct {
	what string
	run  func(*stage)
}

// outcome is what became of one.
type outcome struct {
	section, what, result string
	notes                 []string
}

type outcomes []outcome

var results outcomes

// runAll runs the scenarios of a section, one after the other.
func runAll(t *testing.T, section string, all []scenario) {
	asked(t)
	for _, sc := range all {
		if s := attempt(t, sc.what, sc.run); s != nil {
			results = append(results, outcome{section, sc.what, s.result(), s.notes})
		}
	}
}

func (s *stage) result() string {
	switch {
	case s.Failed():
		return "**fails**: " + s.why
	case s.Skipped():
		return "not possible: " + s.why
	}
	return "passes"
}

const preface = `# Interoperability with RSPLIB

RSPLIB 3.4.4 as Debian 12 packages it, and this library with ` + "`compat=rsplib`" + `, over the
kernel's SCTP: registrars, pool elements (PE) and pool users (PU) of both as processes,
each on a host of its own (a network namespace). "Their" is RSPLIB's, "our" this
library's. ` + "`make interop-rsplib`" + ` runs the scenarios and writes this page. One that fails while the
machine stands still for half a second, as an emulated one does, is run again, three times at most.

`

const epilogue = `
## How RSPLIB is recognised

It is not: nothing in its messages says whose they are. What can be told without guessing is
accepted from everybody, whoever it is: the PE Identifier in ASAP_ENDPOINT_KEEP_ALIVE, a
message length that counts the padding, an announcement without a transport (port 3863 and
the UDP source port are tried), error causes that IANA does not know, empty parts of a
handle table, and a Receiver ID in messages to all. And everybody gets what RSPLIB needs and
the RFCs allow: a policy in each resolution, a complete presence before anything else, the
ASAP transport of each PE. What would be a guess needs ` + "`--compat rsplib`" + ` or
RSERPOOL_COMPAT=rsplib in all programs of this library: the unit of registration lives
(milliseconds in place of seconds), and who wins a takeover (the lower identifier).
`

// page is docs/reports/interoperability-rsplib.md.
func (all outcomes) page() string {
	var b strings.Builder
	b.WriteString(preface)
	section := ""
	for _, o := range all {
		if o.section != section {
			if section != "" {
				b.WriteString("\n")
			}
			section = o.section
			fmt.Fprintf(&b, "## %s\n\n| | |\n|---|---|\n", section)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", o.what, strings.Join(append([]string{o.result}, o.notes...), "; "))
	}
	b.WriteString(epilogue)
	return b.String()
}

func TestPage(t *testing.T) {
	got := outcomes{
		{"A", "one", "passes", []string{"in 1 s"}}, {"A", "two", "**fails**: why", nil}, {"B", "three", "passes", nil},
	}.page()
	const want = "## A\n\n| | |\n|---|---|\n| one | passes; in 1 s |\n| two | **fails**: why |\n\n## B\n\n| | |\n|---|---|\n| three | passes |\n"
	if !strings.Contains(got, want) {
		t.Errorf("the page lacks\n%s\nin\n%s", want, got)
	}
}
