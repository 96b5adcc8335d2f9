package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A sighting is one id (or reading) at one place of the sources.
type sighting struct {
	id    string
	file  string // below the root, with slashes
	line  int
	decl  string // the declaration it belongs to, if it belongs to one
	test  bool   // the file is a test
	known bool
}

var sourceFile = regexp.MustCompile(`\.(go|c|cc|cpp|h|py|sh)$`)

// scan looks for ids in all sources below root.
func scan(root string, data *Data) (found []sighting, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && skipDir(rel, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !sourceFile.MatchString(rel) && !strings.HasPrefix(rel, "tests/") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found = append(found, scanFile(rel, string(text), data)...)
		return nil
	})
	return found, err
}

func skipDir(rel, name string) bool {
	return strings.HasPrefix(name, ".") && name != ".ci" || strings.HasPrefix(name, "build") || rel == "tools/conformance"
}

// isTest tells tests, and the suites and harnesses that tests are made of,
// from what ships.
func isTest(file string) bool {
	dir := filepath.ToSlash(filepath.Dir(file))
	return strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "tests/") ||
		strings.HasSuffix(dir, "test") || strings.Contains(file, "/testdata/")
}

func scanFile(file, text string, data *Data) (found []sighting) {
	spans := declarations(file, text)
	test := isTest(file)
	add := func(id string, offset int, known bool) {
		s := sighting{id: id, file: file, line: 1 + strings.Count(text[:offset], "\n"), test: test, known: known}
		for _, sp := range spans {
			if sp.from <= offset && offset < sp.to {
				s.decl = sp.name
			}
		}
		found = append(found, s)
	}
	for _, c := range cites(text) {
		for n := c.first; n <= max(c.first, c.last); n++ {
			known := data.rows[c.id(n)] != nil
			if known || n == c.first || n == c.last {
				add(c.id(n), c.offset, known)
			}
		}
	}
	for _, m := range readingID.FindAllStringIndex(text, -1) {
		id := text[m[0]:m[1]]
		add(id, m[0], data.readings[id])
	}
	if test {
		for _, m := range inName.FindAllStringSubmatchIndex(text, -1) {
			ids := namedIDs(text[m[2]:m[3]], text[m[4]:m[5]])
			i := slices.IndexFunc(ids, func(id string) bool { return data.rows[id] != nil })
			if i >= 0 {
				add(ids[i], m[0], true)
			} else if len(ids) > 0 {
				add(ids[0], m[0], false)
			}
		}
	}
	return found
}

type span struct {
	name     string
	from, to int
}

// declarations returns where the top-level declarations of a Go file stand,
// their comments included. A file of another language, or one that does not
// parse, has none.
func declarations(file, text string) (spans []span) {
	if !strings.HasSuffix(file, ".go") {
		return nil
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	for _, d := range tree.Decls {
		sp := span{from: fset.Position(d.Pos()).Offset, to: fset.Position(d.End()).Offset}
		var doc *ast.CommentGroup
		switch d := d.(type) {
		case *ast.FuncDecl:
			sp.name, doc = d.Name.Name, d.Doc
		case *ast.GenDecl:
			sp.name, doc = firstName(d), d.Doc
		}
		if doc != nil {
			sp.from = fset.Position(doc.Pos()).Offset
		}
		if sp.name != "" {
			spans = append(spans, sp)
		}
	}
	return spans
}

func firstName(d *ast.GenDecl) string {
	if len(d.Specs) == 0 {
		return ""
	}
	switch s := d.Specs[0].(type) {
	case *ast.TypeSpec:
		return s.Name.Name
	case *ast.ValueSpec:
		return s.Names[0].Name
	}
	return ""
}
