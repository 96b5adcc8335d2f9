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
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/tests/go/proc"
)

const patience = 2 * time.Minute

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

// commands returns the shell block of the README in which a line begins so.
func commands(t *testing.T, begin string) string {
	t.Helper()
	b, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		if strings.HasPrefix(part[1], begin) || strings.Contains(part[1], "\n"+begin) {
			return part[1]
		}
	}
	t.Fatalf("the README has no commands with %q", begin)
	return ""
}

// times is how often the commands have to succeed, one time right after another
// and with the same registrar's port.
const times = 20

// made is what the commands do only the first time.
var made = regexp.MustCompile(`(?m)^(cc|go build|go mod) .*\n`)

// try has a shell run commands as they are printed, and looks for the answers.
// Whatever they leave running is killed.
func try(t *testing.T, dir, commands string, answers ...string) {
	t.Helper()
	port, err := proc.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	for i := range times {
		out := shell(t, dir, port, commands)
		commands = made.ReplaceAllString(commands, "")
		for _, want := range answers {
			if !regexp.MustCompile("(?m)" + want).MatchString(out) {
				t.Fatalf("time %d of %d: no %q in\n%s", i+1, times, want, out)
			}
		}
	}
}

// shell returns what the commands print. It waits for those in the foreground.
func shell(t *testing.T, dir, port, commands string) string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("bash", "-ec", commands)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "RSERPOOL_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	// PWD has the name by which the shell is to know the directory. What the module needs
	// is there, for the tests are built of it.
	cmd.Env = append(cmd.Env, "RSERPOOL_PORT="+port, "PWD="+dir, "GOPROXY=off", "GOSUMDB=off", "GOFLAGS=-mod=mod")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	hung.Stop()
	killGroup(cmd.Process.Pid)
	b, readErr := os.ReadFile(out.Name())
	if err != nil || readErr != nil {
		t.Fatalf("%s%v %v\n%s", commands, err, readErr, b)
	}
	return string(b)
}

// killGroup kills what a shell has left running, and waits for its end: without
// the shell its children are ours (TestMain).
func killGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL) // nobody left: as wished
	for {
		if _, err := syscall.Wait4(-pid, nil, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

func TestMain(m *testing.M) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "become the parent of orphans:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestQuickstartInC(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	build := filepath.Join(root, "build")
	env, built := os.LookupEnv("RSERPOOL_BIN")
	if built {
		build = filepath.Dir(env)
	}
	if _, err := os.Stat(filepath.Join(build, "lib", "librserpool.so")); err != nil && built {
		t.Fatal(err)
	} else if err != nil {
		t.Skip("the library is not built: run make first")
	}
	top, dir := places(t, "upper")
	if err := os.Mkdir(top, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"include": filepath.Join(root, "include"), "build": build} {
		if err := os.Symlink(target, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"server.c", "client.c"} {
		strict := exec.Command("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"+filepath.Join(top, "include"), write(t, dir, name))
		if out, err := strict.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	try(t, top, commands(t, "./server &"), "^HELLO$", "^WORLD$")
}

// places returns where the repository is to be, for the commands, and makes the directory
// of the programs beside it.
func places(t *testing.T, programs string) (top, dir string) {
	t.Helper()
	parent := t.TempDir()
	top, dir = filepath.Join(parent, "librserpool"), filepath.Join(parent, programs)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return top, dir
}

func TestQuickstartInGo(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	top, dir := places(t, "upper-go")
	if err := os.Symlink(root, top); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server.go", "client.go"} {
		write(t, dir, name)
	}
	try(t, top, commands(t, "./upper-server &"), "^HELLO says element 0x[0-9a-f]+$")
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
