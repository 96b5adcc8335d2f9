package rsplib

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	bin     = flag.String("bin", "", "directory of this library's programs; without it no test runs")
	crowds  = flag.String("crowd", "", "the program core/internal/loop/loadgen/run")
	logs    = flag.String("logs", "", "directory for what the programs print in tests that fail")
	page    = flag.String("page", "", "file to write what works together to")
	figures = flag.String("figures", "", "file to write what was measured to; without it nothing is measured")
	pes     = flag.Int("pes", 10_000, "size of the handle table that is measured")
	rounds  = flag.Int("rounds", 5, "how often each takeover is measured, and twice as often each download")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if role := os.Getenv("RSPLIB_ROLE"); role != "" {
		os.Exit(runRole(role, flag.Args()))
	}
	if *bin == "" {
		fmt.Println("RSPLIB's programs are not asked for: make interop-rsplib, make bench-rsplib")
		os.Exit(m.Run())
	}
	os.Exit(runAsked(m))
}

func runAsked(m *testing.M) int {
	err := prepare()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rsplib:", err)
		return 1
	}
	code := m.Run()
	for _, h := range hosts {
		h.remove()
	}
	if *page != "" {
		err = os.WriteFile(*page, []byte(results.page()), 0o644)
	}
	if *figures != "" && err == nil {
		err = os.WriteFile(*figures, []byte(figuresText(kinds[0].timings, kinds[1].timings, *pes)), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rsplib:", err)
		return 1
	}
	return code
}

// prepare looks for what the tests need and makes the hosts.
func prepare() error {
	for _, program := range []string{"rspregistrar", "rspserver", "rspterminal", "hsdump", "pingpongclient", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w; install rsplib-registrar, rsplib-services, rsplib-tools and iproute2", err)
		}
	}
	absolute, err := filepath.Abs(*bin)
	if err != nil {
		return err
	}
	*bin = absolute
	return makeHosts(7)
}

// asked skips a test when RSPLIB's programs are not asked for.
func asked(t *testing.T) {
	if *bin == "" {
		t.Skip("needs RSPLIB's programs, root and a kernel with SCTP: make interop-rsplib")
	}
}
