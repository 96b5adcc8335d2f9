package arch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMapOrderDoesNotLeak: the order of a map differs from run to run. A machine
// that goes through one would not replay, so pure packages sort first. Where the
// order cannot be seen from outside, a comment on the loop's line or on the one
// above says why:
//
//	for id := range m { // any order: each entry is looked at by itself
func TestMapOrderDoesNotLeak(t *testing.T) {
	fset := token.NewFileSet()
	ranges, files := 0, 0
	for _, p := range purePackages(t, fset) {
		for _, file := range p.files {
			o := ordered{fset: fset, info: p.info, marks: marks(fset, file)}
			for _, problem := range o.look(file) {
				t.Error(problem)
			}
			ranges += o.ranges
			files++
		}
	}
	if ranges == 0 {
		t.Errorf("no map was gone through in %d files: this test looks in the wrong place", files)
	}
}

// TestMapOrderIsSeen: the rule bites.
func TestMapOrderIsSeen(t *testing.T) {
	fset := token.NewFileSet()
	_, imports := list(t, fset, "maps", "slices")
	const frame = `package p
import ("maps"; "slices")
var m map[int]int
var s = slices.Collect(maps.Keys(m)) // any order: an example
func f() {
%s
}`
	for _, test := range []struct{ name, body, want string }{
		{"a slice", "for range s {}", ""},
		{"a map", "for range m {}", "has no order"},
		{"a map of a named type", "type n map[int]int; for range n(m) {}", "has no order"},
		{"its keys", "for range maps.Keys(m) {}", "has no order"},
		{"its keys in a slice", "s = slices.Collect(maps.Keys(m))", "has no order"},
		{"its keys, sorted", "for range slices.Sorted(maps.Keys(m)) {}", ""},
		{"marked behind", "for range m { // any order: it counts\n}", ""},
		{"marked before", "// any order: it counts\nfor range m {}", ""},
		{"marked too early", "// any order: it counts\n\nfor range m {}", "has no order"},
		{"marked without a reason", "for range m { // any order:\n}", "say why"},
		{"marked without need", "for range s { // any order: it counts\n}", "remove the comment"},
	} {
		file, err := parser.ParseFile(fset, "p.go", fmt.Sprintf(frame, test.body), parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		o := ordered{fset: fset, info: typesOf(t, fset, "p", []*ast.File{file}, imports), marks: marks(fset, file)}
		got := strings.Join(o.look(file), "\n")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: the test says %q, want %q", test.name, got, test.want)
		}
	}
}

// ordered looks at one file for what depends on the order of a map.
type ordered struct {
	fset     *token.FileSet
	info     *types.Info
	marks    map[int]*mark     // by line
	sorted   map[ast.Expr]bool // arguments of what has an order again
	ranges   int
	problems []string
}

type mark struct {
	pos    token.Position
	reason string
	used   bool
}

var anyOrder = regexp.MustCompile(`^// any order:(.*)`)

// marks finds the comments that say why an order does not matter.
func marks(fset *token.FileSet, file *ast.File) map[int]*mark {
	found := map[int]*mark{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if m := anyOrder.FindStringSubmatch(c.Text); m != nil {
				pos := fset.Position(c.Pos())
				found[pos.Line] = &mark{pos: pos, reason: strings.TrimSpace(m[1])}
			}
		}
	}
	return found
}

// look returns the problems of a file.
func (o *ordered) look(file *ast.File) []string {
	o.sorted = map[ast.Expr]bool{}
	ast.Inspect(file, o.visit)
	return append(o.problems, o.unused()...)
}

func (o *ordered) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.RangeStmt:
		if _, ok := o.info.TypeOf(n.X).Underlying().(*types.Map); ok {
			o.excuse(n.Pos(), "a map has no order")
		}
	case *ast.CallExpr:
		switch name := o.callee(n); name {
		case "slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc", "maps.Collect":
			o.sorted[n.Args[0]] = true
		case "maps.Keys", "maps.Values", "maps.All":
			if !o.sorted[n] {
				o.excuse(n.Pos(), name+" has no order")
			}
		}
	}
	return true
}

// callee is the package and name of a function that is called by them.
func (o *ordered) callee(call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	f, ok := o.info.Uses[selector.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return ""
	}
	return f.Pkg().Path() + "." + f.Name()
}

// excuse looks for a mark at a place, and reports the place if it has none.
func (o *ordered) excuse(pos token.Pos, what string) {
	o.ranges++
	at := o.fset.Position(pos)
	for _, line := range []int{at.Line, at.Line - 1} {
		if m := o.marks[line]; m != nil {
			m.used = true
			if m.reason == "" {
				o.problems = append(o.problems, m.pos.String()+": say why any order does: // any order: <why>")
			}
			return
		}
	}
	o.problems = append(o.problems, at.String()+": "+what+": sort first, or say why it does not matter: // any order: <why>")
}

// unused are the marks that excuse nothing.
func (o *ordered) unused() (problems []string) {
	for _, m := range o.marks {
		if !m.used {
			problems = append(problems, m.pos.String()+": nothing here goes through a map: remove the comment")
		}
	}
	return problems
}

// checked is a package with the types of its expressions.
type checked struct {
	files []*ast.File
	info  *types.Info
}

// purePackages loads the packages up to lastPure.
func purePackages(t *testing.T, fset *token.FileSet) (pure []checked) {
	t.Helper()
	packages, imports := list(t, fset, "./core/...")
	for _, p := range packages {
		dir, inside := strings.CutPrefix(p.ImportPath, module)
		if r, ok := rankOf(dir); !inside || !ok || r > lastPure {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		pure = append(pure, checked{files, typesOf(t, fset, p.ImportPath, files, imports)})
	}
	return pure
}

// listed is what the go command says of a package. Export is where the compiler
// left the types of what it exports.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// list returns packages and what they import, compiled where need be, and how to
// import them.
func list(t *testing.T, fset *token.FileSet, patterns ...string) (packages []listed, imports types.Importer) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles"}, patterns...)...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	export := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		export[p.ImportPath] = p.Export
		packages = append(packages, p)
	}
	return packages, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(export[path]) })
}

func typesOf(t *testing.T, fset *token.FileSet, path string, files []*ast.File, imports types.Importer) *types.Info {
	t.Helper()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: imports}).Check(path, fset, files, info); err != nil {
		t.Fatal(err)
	}
	return info
}
