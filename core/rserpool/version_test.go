package rserpool_test

import (
	"os"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/rserpool"
)

// TestVersion: Go programs and C programs are told the same one.
func TestVersion(t *testing.T) {
	header, err := os.ReadFile("../../include/rserpool.h")
	ok(t, err)
	if line := "#define RSP_VERSION \"" + rserpool.Version + "\""; !strings.Contains(string(header), line) {
		t.Errorf("include/rserpool.h does not say %s", line)
	}
}
