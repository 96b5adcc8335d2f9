package rsplib

import "strings"

// measured is the text of what was measured.
var measured figureList

type figureList struct{ lines []string }

func (f *figureList) text() string { return strings.Join(f.lines, "\n") + "\n" }
