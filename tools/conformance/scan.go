package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
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
	decl  *declared // that it belongs to, if it belongs to one
	test  bool      // the file is a test
	whole bool      // the file is one thing, of which no part can be told from the rest
	known bool
}

var sourceFile = regexp.MustCompile(`\.(go|c|cc|cpp|h|py|sh)$`)

// scan looks for ids in all sources below root, and for what their tests declare.
func scan(root string, data *Data) (found []sighting, all []*declared, err error) {
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
		spans, parsed := declarations(rel, string(text))
		found = append(found, scanFile(rel, string(text), spans, !parsed, data)...)
		if isTest(rel) {
			for _, sp := range spans {
				all = append(all, sp.declared)
			}
		}
		return nil
	})
	return found, all, err
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

func scanFile(file, text string, spans []span, whole bool, data *Data) (found []sighting) {
	test := isTest(file)
	add := func(id string, offset int, known bool) {
		s := sighting{id: id, file: file, line: 1 + strings.Count(text[:offset], "\n"), test: test, whole: whole, known: known}
		for _, sp := range spans {
			if sp.from <= offset && offset < sp.to {
				s.decl = sp.declared
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
	*declared
	from, to int
}

// declarations returns where the top-level declarations of a Go file stand, their
// comments included. A file of another language, or one that is not parsed, has
// none that could be told.
func declarations(file, text string) (spans []span, parsed bool) {
	if !strings.HasSuffix(file, ".go") {
		return nil, false
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, false
	}
	add := func(n ast.Node, doc *ast.CommentGroup, d declared) {
		sp := span{&d, fset.Position(n.Pos()).Offset, fset.Position(n.End()).Offset}
		if doc != nil {
			sp.from = fset.Position(doc.Pos()).Offset
		}
		if rest := strings.IndexByte(text[sp.to:], '\n'); rest >= 0 { // a comment may follow
			sp.to += rest
		}
		d.dir, d.file, d.uses = path.Dir(file), file, used(n)
		spans = append(spans, sp)
	}
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d, d.Doc, declared{name: d.Name.Name, of: receiver(d)})
		case *ast.GenDecl:
			for i, s := range d.Specs {
				names, doc := nameSpec(s)
				if i == 0 && doc == nil {
					doc = d.Doc
				}
				for _, name := range names {
					add(s, doc, declared{name: name})
				}
			}
		}
	}
	return spans, true
}

func nameSpec(s ast.Spec) (names []string, doc *ast.CommentGroup) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		return []string{s.Name.Name}, s.Doc
	case *ast.ValueSpec:
		for _, n := range s.Names {
			names = append(names, n.Name)
		}
		return names, s.Doc
	}
	return nil, nil
}
