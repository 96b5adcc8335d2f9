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
	for text, line := range map[string]string{"RSERPOOL_LOG=info\nnonsense": "2", "# red\n\n RSERPOOL_COLOUR=red": "3", "a=b": "1"} {
		_, err := parseFile("the.conf", text)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "the.conf line "+line+": ") {
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

// TestConfigBounds: what is just within bounds is taken, what is just outside is refused,
// and by its name; in the environment as in a Config.
func TestConfigBounds(t *testing.T) {
	key := func(n int) string { return strings.Repeat("ab", n) }
	for _, c := range []struct {
		name, value string
		ok          bool
		is          func(Config) bool
	}{
		{"RSERPOOL_CONFIG", "", true, nil},
		{"RSERPOOL_PORT", "0", false, nil},
		{"RSERPOOL_PORT", "1", true, func(c Config) bool { return c.LoopbackPort == 1 }},
		{"RSERPOOL_PORT", "65535", true, func(c Config) bool { return c.LoopbackPort == 65535 }},
		{"RSERPOOL_PORT", "65536", false, nil},
		{"RSERPOOL_PORT", "", true, func(c Config) bool { return c.LoopbackPort == 3863 }},
		{"RSERPOOL_FAILOVER", "0", false, nil},
		{"RSERPOOL_FAILOVER", "1m30s", true, func(c Config) bool { return c.FailoverLimit == 90*time.Second }},
		{"RSERPOOL_FAILOVER", "-1", true, func(c Config) bool { return c.FailoverLimit < 0 }},
		{"RSERPOOL_WAIT", "", true, func(c Config) bool { return *c.WaitForPool == 2*time.Second }},
		{"RSERPOOL_WAIT", "0", true, func(c Config) bool { return *c.WaitForPool == 0 }},
		{"RSERPOOL_WAIT", "10", true, func(c Config) bool { return *c.WaitForPool == 10*time.Second }},
		{"RSERPOOL_WAIT", "soon", false, nil},
		{"RSERPOOL_EMBEDDED", "", true, func(c Config) bool { return !c.NoEmbedded }},
		{"RSERPOOL_EMBEDDED", "Yes", true, func(c Config) bool { return !c.NoEmbedded }},
		{"RSERPOOL_EMBEDDED", "NO", true, func(c Config) bool { return c.NoEmbedded }},
		{"RSERPOOL_POOL_KEY", key(15), false, nil},
		{"RSERPOOL_POOL_KEY", key(16), true, func(c Config) bool { return len(c.PoolKey) == 16 }},
		{"RSERPOOL_POOL_KEY", "no digits", false, nil},
		{"RSERPOOL_POOL_KEY", "/does/not/exist", false, nil},
		{"RSERPOOL_LOG", "off", true, func(c Config) bool { return !c.Logger.Enabled(context.Background(), slog.LevelError) }},
		{"RSERPOOL_LOG", "ERROR", true, func(c Config) bool { return !c.Logger.Enabled(context.Background(), slog.LevelWarn) }},
		{"RSERPOOL_LOG", "debug", true, func(c Config) bool { return c.Logger.Enabled(context.Background(), slog.LevelDebug) }},
		{"RSERPOOL_TRANSPORT", "", true, func(c Config) bool { return c.Transport == "auto" }},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			got, err := ConfigFromEnv()
			if c.ok != (err == nil) || err == nil && c.is != nil && !c.is(got) {
				t.Errorf("%+v, %v", got, err)
			}
			if err != nil && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.name)) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, c := range []struct {
		cfg Config
		ok  bool
	}{
		{Config{MaxMessage: -1}, false}, {Config{MaxMessage: 1}, true}, {Config{MaxMessage: 1 << 20}, true}, {Config{MaxMessage: 1<<20 + 1}, false},
		{Config{CookieLife: -1}, false}, {Config{CookieLife: 1}, true}, {Config{LoadInterval: -1}, false}, {Config{LoadInterval: 1}, true},
		{Config{PoolKey: make([]byte, 15)}, false}, {Config{PoolKey: make([]byte, 16)}, true},
	} {
		if got, err := c.cfg.resolve(); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v becomes %+v, %v", c.cfg, got, err)
		}
	}
	if c, err := (Config{}).resolve(); err != nil || c.MaxMessage != 1<<20 || c.CookieLife != 24*time.Hour || c.LoadInterval != defaultLoadInterval {
		t.Errorf("defaults: %+v, %v", c, err)
	}
}
