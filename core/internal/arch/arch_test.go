// Package arch holds the architecture as a test: which package may import
// which, and what the pure ones may not touch or depend on.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/librserpool/librserpool/"

// rank orders the packages from the nouns up to the C ABI: a package imports
// only what has a lower rank. A subdirectory that is not listed has the rank
// of its parent and may import it. Up to lastPure everything is a pure machine
// or value.
var rank = map[string]int{
	"core/internal/protocol": 0,
	"core/internal/assoc":    0,
	"core/internal/timerq":   0,

	"core/internal/wire":      10,
	"core/internal/wire/asap": 11,
	"core/internal/wire/enrp": 11,
	"core/internal/policy":    12,

	"core/internal/handlespace": 20,

	"core/internal/sctp/chunk":          30,
	"core/internal/endpoint":            33,
	"core/internal/registrar":           33,
	"core/internal/snapshot":            34,
	"core/internal/driver":              34,
	"core/internal/session":             35,
	"core/internal/sim":                 39,
	"core/internal/sim/scale":           71,
	"core/internal/sim/shares":          71,
	"core/internal/handlespace/figures": 71,
	"core/internal/sctp":                33,

	"core/internal/transport":          40,
	"core/internal/transport/kernel":   41,
	"core/internal/transport/userland": 41,
	"core/internal/transport/open":     42,

	"core/internal/loop": 50,
	"core/socket":        55,
	"core/rserpool":      60,
	"core/rserpooltest":  61,
	"tests/go/rounds":    65,
	"core/bench":         70, // a module of its own
	"capi":               70,
	"cmd/rserpool":       70,
}

const lastPure = 39

// impure are the packages through which the world gets in.
var impure = []string{
	"context", "crypto/rand", "log", "log/slog", "net", "os", "os/exec", "os/signal",
	"sync", "sync/atomic", "syscall", "golang.org/x/sys/unix",
}

// worldly are functions of allowed packages that read the clock or a global
// source of randomness.
var worldly = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
	"math/rand/v2": {"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint32", "Uint32N", "Uint64",
		"Uint64N", "UintN", "N", "Float32", "Float64", "Perm", "Shuffle", "NormFloat64", "ExpFloat64"},
	"math/rand": {"Int", "Intn", "Int31", "Int31n", "Int63", "Int63n", "Uint32", "Uint64", "Float32", "Float64", "Perm", "Shuffle", "Read", "Seed"},
}

func TestImportsPointDownwards(t *testing.T) {
	eachFile(t, func(t *testing.T, dir string, file *ast.File, _ *token.FileSet) {
		from, ok := rankOf(dir)
		if !ok {
			t.Errorf("%s has no rank: give it one in this test", dir)
			return
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			target, inside := strings.CutPrefix(path, module)
			if !inside || target == dir {
				continue
			}
			to, ok := rankOf(target)
			if !ok {
				t.Errorf("%s imports %s, which has no rank", dir, target)
			} else if to >= from && !strings.HasPrefix(dir, target+"/") && !strings.HasPrefix(target, dir+"/") {
				t.Errorf("%s (rank %d) imports %s (rank %d): imports point downwards only", dir, from, target, to)
			}
		}
	})
}

func TestMachinesArePure(t *testing.T) {
	eachFile(t, func(t *testing.T, dir string, file *ast.File, fset *token.FileSet) {
		if r, ok := rankOf(dir); !ok || r > lastPure {
			return
		}
		names := map[string]string{} // local name -> import path
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			for _, bad := range impure {
				if path == bad {
					t.Errorf("%s imports %s: a machine is pure", fset.Position(spec.Pos()), path)
				}
			}
			if _, ok := worldly[path]; ok {
				names[localName(spec, path)] = path
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType:
				t.Errorf("%s: a machine has no goroutines and channels", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				id, ok := n.X.(*ast.Ident)
				if !ok || id.Obj != nil {
					return true
				}
				for _, bad := range worldly[names[id.Name]] {
					if n.Sel.Name == bad {
						t.Errorf("%s: %s.%s: time and randomness come in by arguments", fset.Position(n.Pos()), id.Name, bad)
					}
				}
			}
			return true
		})
	})
}

func localName(spec *ast.ImportSpec, path string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	if path == "math/rand/v2" {
		return "rand"
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

func rankOf(dir string) (int, bool) {
	for {
		if r, ok := rank[dir]; ok {
			return r, true
		}
		i := strings.LastIndexByte(dir, '/')
		if i < 0 {
			return 0, false
		}
		dir = dir[:i]
	}
}

// eachFile parses every shipping Go file below core, capi and cmd.
func eachFile(t *testing.T, visit func(*testing.T, string, *ast.File, *token.FileSet)) {
	fset := token.NewFileSet()
	seen := 0
	for _, top := range []string{"core", "capi", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			rel, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil || rel == "core/internal/arch" {
				return err
			}
			file, err := parser.ParseFile(fset, path, nil, 0)
			if err != nil {
				return err
			}
			seen++
			visit(t, filepath.ToSlash(rel), file, fset)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen == 0 {
		t.Fatal("no file was looked at")
	}
}
