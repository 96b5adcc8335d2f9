package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// TestLogsAgree: whoever looks for an element finds it under the same name in text
// and in JSON, and so everything that has a name.
func TestLogsAgree(t *testing.T) {
	for _, v := range []any{
		rserpool.PEID(42), rserpool.ServerID(0xabcdef), rserpool.LeastUsed, 1500 * time.Millisecond, netip.MustParseAddrPort("192.0.2.1:7"),
		io.ErrUnexpectedEOF, "a b", 7,
	} {
		line := func(asJSON bool) string {
			var out bytes.Buffer
			cmd := newRoot()
			cmd.SetErr(&out)
			log, err := (&registrarFlags{json: asJSON}).logger(cmd, new(slog.LevelVar))
			if err != nil {
				t.Fatal(err)
			}
			log.Info("said", "it", v)
			return out.String()
		}
		var said struct{ It any }
		if err := json.Unmarshal([]byte(line(true)), &said); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(strings.TrimSpace(line(false)), " it=")
		if fmt.Sprint(said.It) != strings.Trim(text, `"`) {
			t.Errorf("%T: %s in text and %v in JSON", v, text, said.It)
		}
	}
}

// logging is a registrar whose log is read.
type logging struct {
	asap, enrp string
	lines      chan map[string]any
	stop       func()
}

func startLogging(t *testing.T, args ...string) *logging {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, outW := io.Pipe()
	errs, errsW := io.Pipe()
	l := &logging{lines: make(chan map[string]any, 1000)}
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, append([]string{"registrar", "--asap", "127.0.0.1:0", "--enrp", "127.0.0.1:0", "--json-logs"}, args...), outW, errsW)
		outW.Close()
		errsW.Close()
	}()
	go func() {
		for s := bufio.NewScanner(errs); s.Scan(); {
			line := map[string]any{}
			if err := json.Unmarshal(s.Bytes(), &line); err == nil {
				l.lines <- line
			}
		}
	}()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if code := <-exit; code != 0 {
			t.Errorf("the registrar exits with %d, want 0", code)
		}
	})
	t.Cleanup(l.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	m := regexp.MustCompile(`listening on (\S+), ENRP on (\S+)\n`).FindStringSubmatch(line)
	if err != nil || m == nil {
		t.Fatalf("the registrar prints %q, %v", line, err)
	}
	l.asap, l.enrp = m[1], m[2]
	return l
}

// expect waits for a line and returns it; none before may be a warning.
func (l *logging) expect(t *testing.T, msg string) map[string]any {
	t.Helper()
	for {
		select {
		case line := <-l.lines:
			if line["msg"] == msg {
				return line
			}
			if line["level"] != "INFO" {
				t.Errorf("while it waits for %q the registrar says %v", msg, line)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the registrar does not say %q", msg)
		}
	}
}

// TestStopIsNoDeath: a registrar that is stopped is not taken for a dead one by its
// peers, also when it had elements, and lines say where somebody is.
func TestStopIsNoDeath(t *testing.T) {
	a := startLogging(t)
	b := startLogging(t, "--peer", a.enrp)
	if line := a.expect(t, "registrar joined"); line["at"] != b.enrp {
		t.Errorf("the registrar at %s joins: %v", b.enrp, line)
	}
	pe := listen(t, b.asap, "echo", rserpool.Policy{})
	if line := a.expect(t, "PE joined"); line["at"] != pe.Addrs()[0].String() || line["pe"] != pe.Name().PE.String() {
		t.Errorf("the element %v at %v joins: %v", pe.Name().PE, pe.Addrs(), line)
	}
	b.stop()
	if line := a.expect(t, "registrar left"); line["at"] != b.enrp {
		t.Errorf("the registrar at %s leaves: %v", b.enrp, line)
	}
}
