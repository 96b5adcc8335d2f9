package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/librserpool/librserpool/core/rserpool"
)

func TestMain(m *testing.M) {
	if slices.Contains(os.Environ(), asTool) {
		main()
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "RSERPOOL_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("RSERPOOL_TRANSPORT", "userland")
	os.Exit(m.Run())
}

// tool runs the program and returns what it did.
func tool(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// startRegistrar runs the daemon until the test ends and returns the addresses
// that it prints.
func startRegistrar(t *testing.T, args ...string) (asap, enrp string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, append([]string{"registrar", "--asap", "127.0.0.1:0", "--log-level", "warn"}, args...), w, io.Discard)
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-exit; code != 0 {
			t.Errorf("the registrar exits with %d, want 0", code)
		}
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^registrar 0x[0-9a-f]{8} listening on (127\.0\.0\.1:\d+)(?:, ENRP on (127\.0\.0\.1:\d+))?\n$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("the registrar prints %q", line)
	}
	return m[1], m[2]
}

func listen(t *testing.T, registrar, pool string, p rserpool.Policy) *rserpool.Listener {
	t.Helper()
	l, err := rserpool.Listen(t.Context(), pool, &rserpool.Options{
		Registrars: []string{registrar},
		Logger:     slog.New(slog.DiscardHandler),
		Local:      []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Policy:     p,
		Life:       time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestAskARegistrar(t *testing.T) {
	asap, enrp := startRegistrar(t, "--enrp", "127.0.0.1:0")
	if enrp == "" {
		t.Fatal("the registrar names no ENRP address")
	}
	if code, out, errs := tool(t, "pools", "--registrar", asap); code != 0 || out != "no pools\n" {
		t.Errorf("empty: exit %d, %q, %q", code, out, errs)
	}
	a := listen(t, asap, "echo", rserpool.Policy{Type: rserpool.WeightedRoundRobin, Weight: 3})
	listen(t, asap, "echo", rserpool.Policy{Type: rserpool.WeightedRoundRobin, Weight: 1})
	listen(t, asap, "a b\x00", rserpool.Policy{})
	for _, at := range []string{asap, enrp} {
		code, out, errs := tool(t, "pools", "--registrar", at)
		want := "POOL       POLICY  ELEMENTS\necho       WRR     2\n\"a b\\x00\"  RR      1\n"
		if code != 0 || out != want {
			t.Errorf("pools at %s: exit %d, %q, %q", at, code, out, errs)
		}
	}
	code, out, _ := tool(t, "pools", "--json", "--registrar", asap)
	var pools []poolView
	if err := json.Unmarshal([]byte(out), &pools); code != 0 || err != nil || len(pools) != 2 || pools[0].Policy != "WRR" {
		t.Errorf("pools --json: exit %d, %v, %s", code, err, out)
	}
	for _, verb := range []string{"pes", "resolve"} {
		code, out, errs := tool(t, verb, "echo", "--registrar", asap)
		if code != 0 || !strings.Contains(out, a.Name().PE.String()) || !strings.Contains(out, "SCTP "+a.Addrs()[0].String()) ||
			!strings.Contains(out, "WRR weight 3") || !strings.Contains(out, "60 s") {
			t.Errorf("%s: exit %d, %q, %q", verb, code, out, errs)
		}
		code, out, _ = tool(t, verb, "echo", "--json", "--registrar", asap)
		var elements []elementView
		if err := json.Unmarshal([]byte(out), &elements); code != 0 || err != nil || len(elements) != 2 || len(elements[0].Addrs) != 1 {
			t.Errorf("%s --json: exit %d, %v, %s", verb, code, err, out)
		}
		code, _, errs = tool(t, verb, "nowhere", "--registrar", asap)
		if code != exitUnknownPool || !strings.Contains(errs, "nowhere") {
			t.Errorf("%s of an unknown pool: exit %d, %q", verb, code, errs)
		}
	}
	busy := listen(t, asap, "busy", rserpool.Policy{Type: rserpool.LeastUsed, Load: 0x40000000})
	for _, verb := range []string{"pes", "resolve"} {
		code, out, errs := tool(t, verb, "busy", "--registrar", asap)
		if row := busy.Name().PE.String() + "  SCTP " + busy.Addrs()[0].String() + "  LU load 25.0%  "; code != 0 || !strings.Contains(out, "\n"+row) {
			t.Errorf("%s: exit %d, %q, %q; want %q", verb, code, out, errs, row)
		}
	}
}

// TestAnyHandle: pools whose handles are no text, or too long for a line, are
// told apart, and can be asked for.
func TestAnyHandle(t *testing.T) {
	asap, _ := startRegistrar(t)
	long := strings.Repeat("x", 300)
	pes := map[string]string{}
	for _, pool := range []string{"echo", "a\xff", "a\xfe", "a\x00b", "a", long} {
		pes[pool] = listen(t, asap, pool, rserpool.Policy{}).Name().PE.String()
	}
	_, out, _ := tool(t, "pools", "--registrar", asap)
	want := "POOL      POLICY  ELEMENTS\necho      RR      1\n\"a\\xff\"   RR      1\n\"a\\xfe\"   RR      1\n" +
		"\"a\\x00b\"  RR      1\na         RR      1\n" + long + "  RR      1\n"
	if out != want {
		t.Errorf("pools: %s\nwant\n%s", out, want)
	}
	_, out, _ = tool(t, "pools", "--json", "--registrar", asap)
	var pools []poolView
	if err := json.Unmarshal([]byte(out), &pools); err != nil || len(pools) != len(pes) {
		t.Fatalf("%v, %s", err, out)
	}
	for _, p := range pools {
		pool, err := hex.DecodeString(p.PoolHex)
		if err != nil || pes[string(pool)] == "" || p.Pool != "" && p.Pool != string(pool) || p.Pool == "" && utf8.Valid(pool) {
			t.Errorf("%+v is no pool", p)
		}
		for _, verb := range []string{"pes", "resolve"} {
			code, out, errs := tool(t, verb, "--hex", p.PoolHex, "--registrar", asap)
			if code != 0 || !strings.Contains(out, pes[string(pool)]) || strings.Count(out, "\n") != 2 {
				t.Errorf("%s --hex %s: exit %d, %q, %q", verb, p.PoolHex, code, out, errs)
			}
		}
	}
}

// TestPeers: registrars that know each other know each other's pools.
func TestPeers(t *testing.T) {
	asapA, enrpA := startRegistrar(t, "--enrp", "127.0.0.1:0")
	a := listen(t, asapA, "echo", rserpool.Policy{})
	asapB, _ := startRegistrar(t, "--enrp", "127.0.0.1:0", "--peer", enrpA)
	l := listen(t, asapB, "other", rserpool.Policy{})
	for _, at := range []string{asapA, asapB} {
		var code int
		var out string
		for range 100 { // the news travels
			code, out, _ = tool(t, "pes", "echo", "--registrar", at)
			if c, _, _ := tool(t, "resolve", "other", "--registrar", at); code == 0 && c == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if code != 0 || !strings.Contains(out, a.Name().PE.String()) {
			t.Errorf("%s knows %q of echo (exit %d)", at, out, code)
		}
		if code, out, errs := tool(t, "resolve", "other", "--registrar", at); code != 0 || !strings.Contains(out, l.Name().PE.String()) {
			t.Errorf("%s knows %q of other: exit %d, %s", at, out, code, errs)
		}
	}
}

// TestHangup: SIGHUP ends no registrar. It reads the file again: the level, and
// peers, which come and go; and a file that is wrong changes nothing.
func TestHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rserpool.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("RSERPOOL_LOG=error\n")
	t.Setenv("RSERPOOL_CONFIG", file)
	asapA, enrpA := startRegistrar(t, "--enrp", "127.0.0.1:0")
	listen(t, asapA, "echo", rserpool.Policy{})
	ctx, cancel := context.WithCancel(t.Context())
	out, outW := io.Pipe()
	errs, errsW := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, []string{"registrar", "--asap", "127.0.0.1:0", "--enrp", "127.0.0.1:0"}, outW, errsW)
		errsW.Close()
	}()
	lines := make(chan string, 1000)
	go func() {
		for s := bufio.NewScanner(errs); s.Scan(); {
			lines <- s.Text()
		}
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	asapB := regexp.MustCompile(`on (\S+), ENRP`).FindStringSubmatch(line)[1]
	hangup := func(want string) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for want != "" {
			select {
			case line := <-lines:
				if strings.Contains(line, want) {
					return
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("SIGHUP: nothing says %q", want)
			}
		}
	}
	hangup("") // says nothing at this level
	write("RSERPOOL_LOG=info\nRSERPOOL_PEERS=" + enrpA + "\n")
	hangup("read again")
	knows := func() (code int) {
		for range 400 {
			if code, _, _ = tool(t, "pes", "echo", "--registrar", asapB); code == 0 {
				break
			}
			time.Sleep(25 * time.Millisecond)
		}
		return code
	}
	if code := knows(); code != 0 {
		t.Errorf("the peer that the file names is not there: exit %d", code)
	}
	write("RSERPOOL_LOG=loud\n")
	hangup("stays what it was")
	write("RSERPOOL_PEERS=a:b:c\n")
	hangup("RSERPOOL_PEERS")
	if code := knows(); code != 0 {
		t.Errorf("after SIGHUP: exit %d", code)
	}
	cancel()
	if code := <-exit; code != 0 {
		t.Errorf("the registrar exits with %d", code)
	}
}

func TestManyElementsComeInParts(t *testing.T) {
	asap, _ := startRegistrar(t)
	const n = 60
	long := strings.Repeat("x", 1000)
	for i := range n {
		listen(t, asap, long+string(rune('A'+i)), rserpool.Policy{})
	}
	code, out, errs := tool(t, "pools", "--registrar", asap)
	if code != 0 || strings.Count(out, "RR") != n {
		t.Errorf("exit %d, %d pools, %q", code, strings.Count(out, "RR"), errs)
	}
}

func TestNobodyAnswers(t *testing.T) {
	for _, verb := range [][]string{{"pools"}, {"pes", "echo"}, {"resolve", "echo"}} {
		code, _, errs := tool(t, append(verb, "--registrar", "127.0.0.1:9", "--timeout", "5s")...)
		if code != exitNoRegistrar || !strings.Contains(errs, "127.0.0.1:9") {
			t.Errorf("%v: exit %d, %q", verb, code, errs)
		}
	}
}

func TestRegistrarOnATakenPort(t *testing.T) {
	asap, _ := startRegistrar(t)
	code, _, errs := tool(t, "registrar", "--asap", asap)
	if code != exitFailed || !strings.Contains(errs, asap) || !strings.Contains(errs, "address already in use") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"registar"}, "did you mean 'registrar'?"},
		{[]string{"resolv", "echo"}, "did you mean 'resolve'?"},
		{[]string{"xyzzy"}, "there is no command"},
		{[]string{"pes"}, "one argument"},
		{[]string{"pes", ""}, "is empty"},
		{[]string{"resolve", ""}, "is empty"},
		{[]string{"pes", "--hex", "6g"}, "hexadecimal"},
		{[]string{"resolve", "--hex", "123"}, "hexadecimal"},
		{[]string{"help", "nosuch"}, "there is no command \"nosuch\""},
		{[]string{"help", "pools", "nosuch"}, "there is no command"},
		{[]string{"help", "registar"}, "did you mean 'registrar'?"},
		{[]string{"pools", "--registrar", "tcp:127.0.0.1:1"}, "without tcp:"},
		{[]string{"pes", "echo", "--registrar", "tcp:127.0.0.1:1"}, "without tcp:"},
		{[]string{"pools", "echo"}, "echo"},
		{[]string{"pools", "--colour"}, "--colour"},
		{[]string{"pools", "--timeout", "soon"}, "soon"},
		{[]string{"registrar", "--asap", "localhost:1"}, "--asap"},
		{[]string{"registrar", "--asap", "127.0.0.1:1,127.0.0.2:2"}, "--asap"},
		{[]string{"registrar", "--log-level", "loud"}, "--log-level"},
		{[]string{"registrar", "--asap", "127.0.0.1:0", "--peer", "127.0.0.1:1"}, "ENRP"},
		{[]string{"pools", "--registrar", "a:b:c"}, "a:b:c"},
		{[]string{"pools", "--transport", "pigeon"}, "pigeon"},
	} {
		code, out, errs := tool(t, c.args...)
		if code != exitUsage || !strings.Contains(errs, c.want) || out != "" {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", c.args, code, out, errs)
		}
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, verb := range []string{"", "registrar", "pools", "pes", "resolve", "version"} {
		args := strings.Fields(verb + " --help")
		if code, out, _ := tool(t, args...); code != 0 || !strings.Contains(out, "Examples:\n  rserpool "+verb) {
			t.Errorf("%v: exit %d, %q", args, code, out)
		}
	}
	if code, out, _ := tool(t); code != 0 || !strings.Contains(out, "Available Commands") {
		t.Errorf("no arguments: exit %d, %q", code, out)
	}
	for _, arg := range []string{"version", "--version"} {
		if code, out, _ := tool(t, arg); code != 0 || out != "rserpool "+rserpool.Version+"\n" {
			t.Errorf("%s: exit %d, %q", arg, code, out)
		}
	}
	for _, args := range [][]string{{"help"}, {"help", "pes"}, {"help", "help"}} {
		if code, out, errs := tool(t, args...); code != 0 || !strings.Contains(out, "Usage:\n  rserpool") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, errs)
		}
	}
}
