// Package readme tries what the README tells newcomers to type.
package readme

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/tests/go/proc"
)

const patience = 30 * time.Second

// block returns the code block of the README that begins with a comment
// naming the file.
func block(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range regexp.MustCompile("(?s)```[a-z]+\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		first, _, _ := strings.Cut(part[1], "\n")
		if strings.Contains(first, file) {
			return part[1]
		}
	}
	t.Fatalf("the README has no %s", file)
	return ""
}

func write(t *testing.T, dir, file string) string {
	t.Helper()
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, []byte(block(t, file)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func start(t *testing.T, env []string, path string, args ...string) *proc.Proc {
	t.Helper()
	p, err := proc.Start(filepath.Base(path), env, path, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := proc.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// try starts two servers and a client without any registrar and looks for the
// answer.
func try(t *testing.T, env []string, server, client, want string, args ...string) {
	t.Helper()
	env = append(env, "RSERPOOL_PORT="+freePort(t), "RSERPOOL_LOG=info")
	for range 2 {
		p := start(t, env, server)
		if _, _, err := p.Expect(0, regexp.MustCompile(`msg=registered`), patience); err != nil {
			t.Fatal(err)
		}
	}
	c := start(t, env, client, args...)
	if err := c.Wait(patience); err != nil {
		t.Fatalf("client: %v\n%v", err, c.Lines(0))
	}
	if _, _, err := c.Expect(0, regexp.MustCompile(want), patience); err != nil {
		t.Fatal(err)
	}
}

func TestQuickstartInC(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	lib := filepath.Join(root, "build", "lib")
	env, built := os.LookupEnv("RSERPOOL_BIN")
	if built {
		lib = filepath.Join(filepath.Dir(env), "lib")
	}
	if _, err := os.Stat(filepath.Join(lib, "librserpool.so")); err != nil && built {
		t.Fatal(err)
	} else if err != nil {
		t.Skip("the library is not built: run make first")
	}
	dir := t.TempDir()
	for _, name := range []string{"server", "client"} {
		run(t, "cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"+filepath.Join(root, "include"),
			write(t, dir, name+".c"), "-o", filepath.Join(dir, name), "-L"+lib, "-lrserpool")
	}
	try(t, []string{"LD_LIBRARY_PATH=" + lib}, filepath.Join(dir, "server"), filepath.Join(dir, "client"), "^WORLD$", "hello", "world")
}

func TestQuickstartInGo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"server", "client"} {
		run(t, "go", "build", "-o", filepath.Join(dir, name), write(t, dir, name+".go"))
	}
	try(t, nil, filepath.Join(dir, "server"), filepath.Join(dir, "client"), "^HELLO says element 0x[0-9a-f]+$")
}

// The longest pool handle is the same wherever somebody looks.
func TestLongestHandleIsDocumented(t *testing.T) {
	plain := strconv.Itoa(rserpool.MaxPoolHandle)
	pretty := plain[:len(plain)-3] + "," + plain[len(plain)-3:]
	for file, words := range map[string]string{
		"README.md":                   fmt.Sprintf("pool handles up to %s bytes (%d where", pretty, rserpool.MaxPoolHandleRSPLIB),
		"include/rserpool.h":          "#define RSP_POOL_MAX " + plain + "\n",
		"docs/man/man3/rsp_connect.3": "(" + pretty + ") bytes",
		"docs/man/man1/rserpool.1":    fmt.Sprintf("pool handles have %d bytes at most", rserpool.MaxPoolHandleRSPLIB),
	} {
		text, err := os.ReadFile(filepath.Join("../../..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte(words)) {
			t.Errorf("%s does not say %q", file, words)
		}
	}
}

// The README's table of environment variables and the package's documentation
// name the same ones.
func TestEnvironmentIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../../core/rserpool/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("(?m)^//\t(RSERPOOL_[A-Z_]+)").FindAllSubmatch(doc, -1) {
		if !bytes.Contains(readme, append([]byte("| `"), name[1]...)) {
			t.Errorf("the README does not explain %s", name[1])
		}
	}
}
