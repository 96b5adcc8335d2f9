package socket

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConfigFromEnv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rserpool.conf")
	text := "# comment\n\nRSERPOOL_REGISTRARS = \"file.example:1\"\nRSERPOOL_PORT=4000\nRSERPOOL_EMBEDDED=off\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RSERPOOL_CONFIG", file)
	t.Setenv("RSERPOOL_REGISTRARS", "192.0.2.1, [2001:db8::1]:5,2001:db8::2,name.example:70")
	t.Setenv("RSERPOOL_TRANSPORT", "userland")
	t.Setenv("RSERPOOL_FAILOVER", "7")
	c, err := ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"192.0.2.1:3863", "[2001:db8::1]:5", "[2001:db8::2]:3863", "name.example:70"}
	if !slices.Equal(c.Registrars, want) {
		t.Errorf("registrars %v, want those of the environment, %v", c.Registrars, want)
	}
	if c.FailoverLimit != 7*time.Second {
		t.Errorf("failover limit %v, want 7 s", c.FailoverLimit)
	}
	if c.LoopbackPort != 4000 || !c.NoEmbedded || c.Transport != "userland" {
		t.Errorf("got %+v", c)
	}
	if c.SendBuffer != 4<<20 || c.ReceiveBuffer != 4<<20 || c.MaxMessage != 1<<20 {
		t.Errorf("defaults %+v", c)
	}
	if c.Logger.Enabled(context.Background(), slog.LevelInfo) || !c.Logger.Enabled(context.Background(), slog.LevelWarn) {
		t.Error("the default level is not warn")
	}

	explicit, err := Config{Registrars: []string{"x:1"}, LoopbackPort: 5, Transport: "auto"}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	if explicit.Registrars[0] != "x:1" || explicit.LoopbackPort != 5 || explicit.Transport != "auto" {
		t.Errorf("the environment wins over an explicit Config: %+v", explicit)
	}
}

func TestConfigErrorsNameTheVariable(t *testing.T) {
	for name, value := range map[string]string{
		"RSERPOOL_REGISTRARS": "host:port:more:",
		"RSERPOOL_TRANSPORT":  "pigeon",
		"RSERPOOL_EMBEDDED":   "perhaps",
		"RSERPOOL_PORT":       "70000",
		"RSERPOOL_LOG":        "loud",
		"RSERPOOL_FAILOVER":   "soon",
		"RSERPOOL_CONFIG":     "/does/not/exist",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := ConfigFromEnv()
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
	for name, c := range map[string]Config{
		"SendBuffer": {SessionOptions: SessionOptions{SendBuffer: -1}},
		"MaxMessage": {MaxMessage: 1<<20 + 1},
	} {
		if _, err := NewSocket(c, "ip"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestConfigFileErrorsNameTheLine(t *testing.T) {
	for _, text := range []string{"RSERPOOL_LOG=info\nnonsense", "\nRSERPOOL_COLOUR=red", "a=b"} {
		_, err := parseFile("the.conf", text)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "the.conf line") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestRegistrarAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a:3863", "a:1": "a:1", "::1": "[::1]:3863", "[::1]": "[::1]:3863", "[::1]:9": "[::1]:9", "192.0.2.1:65535": "192.0.2.1:65535",
	} {
		if got, err := withDefaultPort(in, 3863); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"", ":1", "a:0", "a:x", "a:70000", "a:b:c"} {
		if got, err := withDefaultPort(bad, 3863); err == nil {
			t.Errorf("%q: got %q", bad, got)
		}
	}
}
