package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../../.."

// TestDirectRequirements: go.mod calls indirect what no file of the module
// imports, and nothing else. `go mod tidy -diff`, part of make check, says more
// but wants the network.
func TestDirectRequirements(t *testing.T) {
	for _, dir := range []string{root, root + "/core/bench"} {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		imported := imports(t, dir)
		required := regexp.MustCompile(`(?m)^(?:require )?\t?(\S+\.\S+/\S+) v\S+( // indirect)?$`).FindAllStringSubmatch(string(text), -1)
		if len(required) == 0 {
			t.Errorf("%s/go.mod requires nothing", dir)
		}
		for _, r := range required {
			direct := false
			for path := range imported {
				direct = direct || path == r[1] || strings.HasPrefix(path, r[1]+"/")
			}
			if direct == (r[2] != "") {
				t.Errorf("%s/go.mod: %s is imported: %v, and marked%q: go mod tidy", dir, r[1], direct, r[2])
			}
		}
	}
}

// imports are the paths that the module in dir imports, in tests too.
func imports(t *testing.T, dir string) map[string]bool {
	t.Helper()
	paths := map[string]bool{}
	walk(t, dir, func(path string) error {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			paths[imported] = true
		}
		return nil
	})
	return paths
}

// TestNamedTestsExist: `go test -run` of a name that no test has succeeds, so
// the Makefile and the suite of the virtual machine must name tests that exist.
func TestNamedTestsExist(t *testing.T) {
	var tests strings.Builder
	walk(t, root, func(path string) error {
		text, err := os.ReadFile(path)
		if strings.HasSuffix(path, "_test.go") {
			tests.Write(text)
		}
		return err
	})
	named := regexp.MustCompile(`run '?([^'\s"]*Test[^'\s"]*)`)
	for _, file := range []string{"Makefile", "tests/vm/suite"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		patterns := named.FindAllStringSubmatch(string(text), -1)
		if len(patterns) == 0 {
			t.Errorf("%s names no test: this one looks in the wrong place", file)
		}
		for _, p := range patterns {
			for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(p[1], -1) {
				if !strings.Contains(tests.String(), "\nfunc "+name) {
					t.Errorf("%s runs %s, which no test is called", file, name)
				}
			}
		}
	}
}

// TestHeadersAreInputs: the go command compiles anew what changes in a package's
// own folder, so C headers of the project are included from there, by links.
func TestHeadersAreInputs(t *testing.T) {
	own := regexp.MustCompile(`#include "([^"]*/[^"]*)"`)
	walk(t, filepath.Join(root, "capi"), func(path string) error {
		text, err := os.ReadFile(path)
		for _, include := range own.FindAllSubmatch(text, -1) {
			t.Errorf("%s includes %s: its changes would go unnoticed; link it into the folder", path, include[1])
		}
		return err
	})
}

// walk visits the Go files of the module in dir.
func walk(t *testing.T, dir string, visit func(path string) error) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && path != dir && (strings.HasPrefix(d.Name(), "build") || d.Name() == ".git" || isModule(path)) {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		return visit(path)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
