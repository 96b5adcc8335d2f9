package loop_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop/loadgen"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// BenchmarkDownload: two registrars, real processes on loopback. One has PEs,
// the other starts and downloads the table. table-ms is from the first message
// to the last part, serving-ms from the start of the process to its first
// answer; both by the clock of the process that starts. See docs/reports/benchmarks-enrp.md.
func BenchmarkDownload(b *testing.B) {
	tool := filepath.Join(b.TempDir(), "rserpool")
	build := exec.Command("go", "build", "-o", tool, "github.com/librserpool/librserpool/cmd/rserpool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, pes := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(pes), func(b *testing.B) {
			mentor := runTool(b, tool, "registrar", "--enrp", local(b), "--asap", local(b))
			mentor.logged(regexp.MustCompile(`msg="registrar serves"`))
			fill(b, mentor.asap, pes)
			b.ResetTimer()
			var table, serving time.Duration
			for range b.N {
				began := time.Now()
				p := runTool(b, tool, "registrar", "--enrp", local(b), "--asap", local(b), "--peer", mentor.enrp)
				joined := p.logged(regexp.MustCompile(`msg="registrar joined"`))
				received := p.logged(regexp.MustCompile(fmt.Sprintf(`msg="handle table received, %d PEs"`, pes)))
				serves := p.logged(regexp.MustCompile(`msg="registrar serves"`))
				table += received.Sub(joined)
				serving += serves.Sub(began)
				b.StopTimer()
				p.kill()
				time.Sleep(50 * time.Millisecond)
				b.StartTimer()
			}
			b.ReportMetric(float64(table.Milliseconds())/float64(b.N), "table-ms")
			b.ReportMetric(float64(serving.Milliseconds())/float64(b.N), "serving-ms")
		})
	}
}

// local is a free address.
func local(b *testing.B) string {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

type running struct {
	*testing.B
	cmd        *exec.Cmd
	asap, enrp string
	lines      chan string
}

func runTool(b *testing.B, tool string, args ...string) *running {
	b.Helper()
	p := &running{B: b, cmd: exec.Command(tool, append(args, "--transport", "userland", "--no-tcp")...), lines: make(chan string, 1<<17)}
	for i, a := range args {
		switch a {
		case "--asap":
			p.asap = args[i+1]
		case "--enrp":
			p.enrp = args[i+1]
		}
	}
	log, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.kill)
	go p.runReader(log)
	return p
}

func (p *running) runReader(log io.Reader) {
	for in := bufio.NewScanner(log); in.Scan(); {
		select {
		case p.lines <- in.Text():
		default: // nobody waits for any more
		}
	}
	close(p.lines)
}

func (p *running) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// logged waits for a line and returns its time.
func (p *running) logged(re *regexp.Regexp) time.Time {
	p.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.Fatalf("the registrar ended before %v", re)
			}
			if !re.MatchString(line) {
				continue
			}
			at, err := time.Parse("2006-01-02T15:04:05.000Z07:00", strings.TrimPrefix(strings.Fields(line)[0], "time="))
			if err != nil {
				p.Fatal(err)
			}
			return at
		case <-limit:
			p.Fatalf("no line %v", re)
		}
	}
}

// fill registers n PEs, ten to a pool, and answers for them.
func fill(b *testing.B, at string, n int) {
	b.Helper()
	c, err := loadgen.Gather(loadgen.Config{
		Kind: transport.KindUserland, Local: netip.MustParseAddr("127.0.0.1"), Registrar: netip.MustParseAddrPort(at),
		PerPool: 10, Life: 3600,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	if err := c.Register(n); err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	b.Cleanup(func() { close(done) })
	go func() {
		if err := c.Stay(done); err != nil {
			b.Error(err)
		}
	}()
}
