package rserpool

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
