package main

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// A helper of tests shows nothing itself: what counts are the tests that come to
// use it. Who uses what is told by names alone, which finds a few users too many
// and, of those that matter, none too few.

// declared is a top-level declaration of the tests' Go code.
type declared struct {
	dir, file, name string
	of              string // the receiver's type, of a method
	uses            []string
}

// isTestFunc tells what the go command runs as a test, and the main function of
// a program that is one.
func (d *declared) isTestFunc() bool {
	for _, kind := range []string{"Test", "Fuzz", "Example"} {
		if strings.HasPrefix(d.name, kind) && strings.HasSuffix(d.file, "_test.go") {
			return d.of == "" && d.name != "TestMain"
		}
	}
	return d.name == "main"
}

// reach finds the tests that come to use a declaration.
type reach struct {
	by map[string][]*declared // who uses a name: "directory name", or "directory/ name" from elsewhere
}

func newReach(all []*declared) *reach {
	r := &reach{by: map[string][]*declared{}}
	for _, d := range all {
		for _, name := range d.uses {
			if pkg, sel, ok := strings.Cut(name, "."); ok {
				r.use(pkg+"/", sel, d)
			} else {
				r.use(d.dir, name, d)
			}
		}
	}
	return r
}

func (r *reach) use(where, name string, by *declared) {
	r.by[where+" "+name] = append(r.by[where+" "+name], by)
}

// tests returns those that come to use d, or d itself if it is one. A method may also
// be called by code that knows only an interface: whoever uses its type uses it.
func (r *reach) tests(d *declared) (found []string) {
	seen := map[*declared]bool{d: true}
	for queue := []*declared{d}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		if d.isTestFunc() {
			found = append(found, d.file+":"+d.name)
			continue
		}
		for _, user := range slices.Concat(r.users(d, d.name), r.users(d, d.of)) {
			if !seen[user] {
				seen[user] = true
				queue = append(queue, user)
			}
		}
	}
	slices.Sort(found)
	return found
}

// users are those of a name, in its package and in others.
func (r *reach) users(d *declared, name string) []*declared {
	if name == "" {
		return nil
	}
	return slices.Concat(r.by[d.dir+" "+name], r.by[path.Base(d.dir)+"/ "+name])
}

// used are the names in a declaration: "name", and "package.name" where that may
// stand for another package's.
func used(n ast.Node) (names []string) {
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				add(x.Name + "." + n.Sel.Name)
			}
		case *ast.Ident:
			add(n.Name)
		}
		return true
	})
	return names
}

// receiver is the name of a method's type.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	t := f.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if g, ok := t.(*ast.IndexExpr); ok {
		t = g.X
	}
	name, _ := t.(*ast.Ident)
	if name == nil {
		return ""
	}
	return name.Name
}
