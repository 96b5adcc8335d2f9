package socket

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesOfSettings: what has no end, or may be long in coming, is refused at
// once, whichever variable names it.
func TestFilesOfSettings(t *testing.T) {
	dir := t.TempDir()
	fifo, long, dev := filepath.Join(dir, "fifo"), filepath.Join(dir, "long"), filepath.Join(dir, "full")
	if err := errors.Join(
		syscall.Mkfifo(fifo, 0o600),
		os.WriteFile(long, []byte(strings.Repeat("#\n", maxFile/2+1)), 0o600),
		os.Symlink("/dev/zero", dev),
	); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		fifo:        "no regular file",
		dir:         "no regular file",
		"/dev/zero": "no regular file",
		dev:         "no regular file",
		long:        "longer than",
		dir + "/no": "no such file",
	} {
		for _, variable := range []string{"RSERPOOL_CONFIG", "RSERPOOL_POOL_KEY"} {
			t.Setenv("RSERPOOL_CONFIG", os.DevNull)
			t.Setenv("RSERPOOL_POOL_KEY", "")
			t.Setenv(variable, name)
			_, err := ConfigFromEnv()
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s=%s: %v", variable, name, err)
			}
		}
	}
}

// TestPreload: what was read ahead holds when the files are gone or others.
func TestPreload(t *testing.T) {
	defer setAhead(nil)
	dir := t.TempDir()
	config, key := filepath.Join(dir, "config"), filepath.Join(dir, "key")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, "RSERPOOL_PORT=99\nRSERPOOL_POOL_KEY="+key)
	write(key, strings.Repeat("ab", 16))
	for _, v := range variables {
		t.Setenv(v, "")
	}
	t.Setenv("RSERPOOL_CONFIG", config)
	if err := Preload(); err != nil {
		t.Fatal(err)
	}
	write(config, "nonsense")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	c, err := ConfigFromEnv()
	if err != nil || c.LoopbackPort != 99 || len(c.PoolKey) != 16 {
		t.Errorf("port %d, a key of %d bytes, %v", c.LoopbackPort, len(c.PoolKey), err)
	}
	if err := Preload(); !errors.Is(err, ErrInvalid) {
		t.Errorf("nonsense: %v", err)
	}
	if _, err := ConfigFromEnv(); !errors.Is(err, ErrInvalid) {
		t.Errorf("after a failure nothing was read ahead: %v", err)
	}
}
