package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// dataDir holds the hand-written side of the tables.
const dataDir = "docs/conformance"

// Row is one requirement and what this project claims about it.
type Row struct {
	ID, Section, Level, Who, Text string
	Status                        string // holds, deviates, na or open
	Note                          string // why, or which later work; only holds may do without
	Tests                         []string
}

// Area is a group of requirements: those whose ids begin with its name.
type Area struct {
	Name, Title string
	Complete    bool // claims that no binding requirement is open, and a test for each that holds
}

// Reading is how a contradictory or silent place of the RFCs is understood.
type Reading struct{ ID, Where, Problem, Reading string }

// Book is one table of requirements and the page that is made of it.
type Book struct {
	name, page, title, intro string
	rows                     []*Row
	areas                    []Area
	readings                 []Reading
}

// Data is everything in dataDir.
type Data struct {
	books    []*Book
	rows     map[string]*Row
	readings map[string]bool
}

func load(root string) (*Data, error) {
	d := &Data{
		books: []*Book{
			{name: "rserpool", page: "docs/reports/conformance.md", title: "Conformance: RSerPool", intro: introRSerPool},
			{name: "sctp", page: "docs/reports/conformance-sctp.md", title: "Conformance: SCTP", intro: introSCTP},
		},
		rows:     map[string]*Row{},
		readings: map[string]bool{},
	}
	dir := filepath.Join(root, dataDir)
	areas, err := readTSV(filepath.Join(dir, "areas.tsv"), "area", "title", "complete")
	if err != nil {
		return nil, err
	}
	for _, b := range d.books {
		if err := d.loadBook(dir, b, areas); err != nil {
			return nil, err
		}
	}
	readings, err := readTSV(filepath.Join(dir, "readings.tsv"), "id", "where", "problem", "reading")
	if err != nil {
		return nil, err
	}
	for _, f := range readings {
		d.books[0].readings = append(d.books[0].readings, Reading{f[0], f[1], f[2], f[3]})
		d.readings[f[0]] = true
	}
	return d, nil
}

func (d *Data) loadBook(dir string, b *Book, areas [][]string) error {
	file := filepath.Join(dir, b.name+".tsv")
	rows, err := readTSV(file, "id", "section", "level", "who", "text", "status", "note")
	if err != nil {
		return err
	}
	for _, f := range rows {
		r := &Row{ID: f[0], Section: f[1], Level: f[2], Who: f[3], Text: f[4], Status: f[5], Note: f[6]}
		if d.rows[r.ID] != nil {
			return fmt.Errorf("%s: %s stands there twice", file, r.ID)
		}
		d.rows[r.ID] = r
		b.rows = append(b.rows, r)
	}
	for _, f := range areas {
		a := Area{Name: f[0], Title: f[1], Complete: f[2] == "yes"}
		if a.Complete != (f[2] != "no") {
			return fmt.Errorf("areas.tsv: %s: complete is %q, not yes or no", a.Name, f[2])
		}
		if len(b.in(a)) > 0 {
			b.areas = append(b.areas, a)
		}
	}
	return nil
}

// in returns the rows of an area, in their order.
func (b *Book) in(a Area) (rows []*Row) {
	for _, r := range b.rows {
		if rest, ok := strings.CutPrefix(r.ID, a.Name); ok && (rest[0] == '-' || rest[0] == '.') {
			rows = append(rows, r)
		}
	}
	return rows
}

// readTSV reads a table of tab-separated fields under a header line.
func readTSV(file string, columns ...string) (rows [][]string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[0] != strings.Join(columns, "\t") {
		return nil, fmt.Errorf("%s: the first line is %q, not the names of the columns %q", file, lines[0], columns)
	}
	for i, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != len(columns) {
			return nil, fmt.Errorf("%s:%d: %d fields, not %d", file, i+2, len(fields), len(columns))
		}
		rows = append(rows, fields)
	}
	return rows, nil
}
