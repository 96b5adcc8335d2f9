// Package cluster runs groups of registrars as real processes, with many pool
// elements and pool users, and kills, stops and restarts registrars while these
// go on: no resolution may fail, no element may be lost.
package cluster

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/tests/go/proc"
)

// soak is how long every group is molested: make soak sets it.
var soak = flag.Duration("soak", 0, "how long to molest each group of registrars; 0: a few seconds")

// tool is the program under test.
var tool string

func TestMain(m *testing.M) {
	flag.Parse()
	if role := os.Getenv("CLUSTER_ROLE"); role != "" {
		os.Exit(runRole(role))
	}
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tool = filepath.Join(dir, "rserpool")
	build := exec.Command("go", "build", "-o", tool, "../../../cmd/rserpool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build cmd/rserpool:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience guards against waiting for ever; it measures nothing.
const patience = 60 * time.Second

var readyLine = regexp.MustCompile(`registrar (0x[0-9a-f]+) listening on`)

// registrar is one place in a group: the process there may change.
type registrar struct {
	g          *group
	number     int
	asap, enrp string
	extra      []string // arguments
	under      []string // a command that runs it

	mu sync.Mutex
	p  *proc.Proc
}

// group is a number of registrars that know of each other, by configured
// addresses or by a multicast group.
type group struct {
	*testing.T
	multicast  string
	registrars []*registrar
}

func newGroup(t *testing.T, n int, extra ...string) *group {
	t.Helper()
	g := &group{T: t}
	g.place(n, extra...)
	for _, r := range g.registrars {
		r.start()
	}
	return g
}

// place gives registrars addresses.
func (g *group) place(n int, extra ...string) {
	g.Helper()
	for i := range n {
		g.registrars = append(g.registrars, &registrar{
			g: g, number: i, asap: "127.0.0.1:" + freePort(g.T), enrp: "127.0.0.1:" + freePort(g.T), extra: extra,
		})
	}
}

// freePort returns a port that is free with UDP and TCP. It is none of those
// that the system chooses: it stays free while a registrar is down.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		l.Close()
		if err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (r *registrar) start() {
	r.g.Helper()
	args := append([]string{"registrar", "--transport", "userland", "--asap", r.asap, "--enrp", r.enrp}, r.extra...)
	if r.g.multicast != "" {
		args = append(args, "--enrp-multicast", r.g.multicast)
	}
	for _, other := range r.g.registrars {
		if other != r && r.g.multicast == "" {
			args = append(args, "--peer", other.enrp)
		}
	}
	args = append(append(r.under[:len(r.under):len(r.under)], tool), args...)
	p, err := proc.Start(fmt.Sprintf("registrar %d", r.number), nil, args[0], args[1:]...)
	if err != nil {
		r.g.Error(err)
		return
	}
	r.mu.Lock()
	r.p = p
	r.mu.Unlock()
	r.g.Cleanup(func() {
		p.Kill()
		if r.g.Failed() {
			var b strings.Builder
			for _, l := range p.Lines(0) {
				fmt.Fprintf(&b, "    %s %s\n", l.At.Format("05.000"), l.Text)
			}
			text := b.String()
			r.g.Logf("%s (pid %d):\n%s", p.Name, p.Pid(), text[max(0, len(text)-6000):])
		}
	})
	if _, _, err := p.Expect(0, readyLine, patience); err != nil {
		r.g.Error(err)
	}
}

func (r *registrar) signal(sig syscall.Signal) {
	if err := r.p.Signal(sig); err != nil {
		r.g.Error(err)
	}
}

// asaps are the addresses for pool elements and pool users.
func (g *group) asaps() []string {
	var out []string
	for _, r := range g.registrars {
		out = append(out, r.asap)
	}
	return out
}

func options(registrars ...string) *rserpool.Options {
	return &rserpool.Options{Network: "ip4", Registrars: registrars, Transport: "userland", NoEmbedded: true}
}

// element is a pool element of this process.
type element struct {
	pool string
	*rserpool.Listener
}

func (e *element) key() string { return fmt.Sprintf("%s/%v", e.pool, e.Name().PE) }

// elements starts n elements, ten to a pool, that answer whoever calls.
func (g *group) elements(n int) []*element {
	g.Helper()
	out := make([]*element, n)
	var starting sync.WaitGroup
	ctx, cancel := context.WithTimeout(g.Context(), patience)
	defer cancel()
	for i := range n {
		starting.Go(func() {
			pool := fmt.Sprint("pool", i/10)
			l, err := rserpool.Listen(ctx, pool, options(g.asaps()...))
			if err != nil {
				g.Errorf("element %d: %v", i, err)
				return
			}
			g.Cleanup(func() { l.Close() })
			out[i] = &element{pool, l}
			go serve(l)
		})
	}
	starting.Wait()
	if g.Failed() {
		g.FailNow()
	}
	return out
}

// serve sends back what users say.
func serve(l *rserpool.Listener) {
	ctx := context.Background()
	for {
		c, err := l.Accept(ctx)
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for {
				b, err := c.Recv(ctx)
				if err != nil || c.Send(ctx, b) != nil {
					return
				}
			}
		}()
	}
}

// known asks one registrar for all it knows: PEs with their homes.
func known(ctx context.Context, r *registrar) (map[string]string, error) {
	pools, err := rserpool.Pools(ctx, options(r.asap))
	out := map[string]string{}
	for _, p := range pools {
		for _, e := range p.Elements {
			out[fmt.Sprintf("%s/%v", p.Handle, e.ID)] = e.Home.String()
		}
	}
	return out, err
}
