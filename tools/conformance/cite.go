package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A cite names requirements somewhere in a text: one, or those from number
// first to number last of one section.
type cite struct {
	section     string // "ASAP-3.4", "OWN"
	first, last int
	width       int // digits of the number as written
	offset      int
}

func (c cite) id(n int) string { return fmt.Sprintf("%s-%0*d", c.section, c.width, n) }

const areaNames = `COM|ASAP|ENRP|OWN|POL|SEC|OVR|UDP|MIB|SCTP`

var (
	fullID = regexp.MustCompile(`\b(?:(OWN)|(` + areaNames + `)-(\d+(?:\.\d+)*|R))-(\d{1,3})\b`)
	// What may follow an id in a list: another number, with or without its section.
	listSign  = regexp.MustCompile(`^(?:\s*[,;/]\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+)`)
	rangeSign = regexp.MustCompile(`^(?:\s*(?:\.\.\.?|…|–)\s*|\s+to\s+)`)
	shortID   = regexp.MustCompile(`^(?:(?:(` + areaNames + `)-)?(\d+(?:\.\d+)*)-|-)?(\d{2,3})\b`)
	shortEnd  = regexp.MustCompile("^(?:$|\\n|[,:;)\\]\"'`/]|\\.(?:$|\\D)|\\s+(?:and|or|to)\\s|…|–)")
	inName    = regexp.MustCompile(`(` + areaNames + `)((?:_\d+)+)`)
	readingID = regexp.MustCompile(`\bE-\d\d\b`)
)

// cites finds the ids in a source text. They may stand in lists and ranges
// whose later members leave out what repeats ("ASAP-3.1-15, -16",
// "COM-4-04, 05", "SCTP-2-08, 4-07", "SCTP-7-20..23"), and a list may be
// wrapped over comment lines.
func cites(text string) (found []cite) {
	flat := unwrap(text)
	for at := 0; ; {
		m := fullID.FindStringSubmatchIndex(flat[at:])
		if m == nil {
			return found
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return flat[at+m[2*i] : at+m[2*i+1]]
		}
		section := group(1)
		if section == "" {
			section = group(2) + "-" + group(3)
		}
		found = append(found, single(section, group(4), at+m[0]))
		at = follow(text, flat, at+m[1], &found)
	}
}

// follow reads the rest of a list that begins with the last cite found and
// returns where the list ends: before a full id, or where it makes no sense.
func follow(text, flat string, at int, found *[]cite) int {
	for {
		rest := flat[at:]
		sign, isRange := rangeSign.FindString(rest), true
		if sign == "" {
			sign, isRange = listSign.FindString(rest), false
		}
		rest = rest[len(sign):]
		m := shortID.FindStringSubmatch(rest)
		if sign == "" || m == nil || m[1] != "" && !isRange {
			return at
		}
		start := at + len(sign)
		end := start + len(m[0])
		if !shortEnd.MatchString(text[end:]) {
			return at
		}
		last := &(*found)[len(*found)-1]
		next := single(sectionAfter(last.section, m[1], m[2]), m[3], start)
		if isRange && next.section == last.section {
			last.last = next.last
		} else {
			*found = append(*found, next)
		}
		at = end
	}
}

// sectionAfter is the section of an id that leaves out what is as before.
func sectionAfter(before, area, section string) string {
	if section == "" {
		return before
	}
	if area == "" {
		area, _, _ = strings.Cut(before, "-")
	}
	return area + "-" + section
}

func single(section, number string, offset int) cite {
	n, _ := strconv.Atoi(number) // three digits at most
	return cite{section: section, first: n, last: n, width: len(number), offset: offset}
}

var commentWrap = regexp.MustCompile(`\n[ \t]*(?://|\*|#)?[ \t]*`)

// unwrap joins the lines of a text without moving anything else.
func unwrap(text string) string {
	return commentWrap.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(" ", len(s)) })
}

// namedIDs reads an id out of an identifier like TestHome_ASAP_3_4_03: every
// way to put the numbers together, longest first.
func namedIDs(area, numbers string) (ids []string) {
	n := strings.Split(numbers[1:], "_")
	for i := len(n) - 1; i >= 0; i-- {
		if len(n[i]) < 2 || i == 0 && area != "OWN" {
			continue
		}
		ids = append(ids, strings.TrimSuffix(area+"-"+strings.Join(n[:i], "."), "-")+"-"+n[i])
	}
	return ids
}
