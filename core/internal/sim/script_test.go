package sim

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/*.txt with what is said now")

// TestTranscripts plays the conversations of testdata/*.txt and compares all
// that is said. Lines that begin with # are comments, indented ones are what
// follows from the command above, all others are commands:
//
//	registrar NAME ID [PEER...]  a registrar; ID in hexadecimal; it knows its peers' addresses
//	pe NAME POOL ID REGISTRAR... a pool element of a pool
//	pu NAME POOL REGISTRAR...    a pool user that keeps a session with a pool
//	start NAME...                starts what was named
//	run DURATION                 lets time pass
//	kill NAME, poweroff NAME     ends a process; its peers are told, or not
//	hang NAME, resume NAME       stops and continues a process; associations stay
//	detect DURATION              how long associations take to notice a broken path
//	cut FROM TO                  breaks the path between two, in both directions
//	partition NAME...            cuts these off from all others
//	heal                         ends all partitions
//	leave NAME                   the pool element deregisters
//	lose FROM TO                 the next message from one to the other vanishes
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			have := play(t, string(want))
			if *rewrite && !t.Failed() {
				if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(have, "\n")); diff != "" {
				t.Errorf("%s (-want +have; if that is right: go test ./core/internal/sim -run TestTranscripts -rewrite):\n%s", file, diff)
			}
		})
	}
}

// script is a transcript being played.
type script struct {
	*World
	t     *testing.T
	out   bytes.Buffer
	hosts map[string]*Host
}

func play(t *testing.T, text string) string {
	s := &script{World: NewWorld(1), t: t, hosts: map[string]*Host{}}
	s.Trace = func(l Line) {
		who := l.From
		if l.To != "" {
			who += " -> " + l.To
		}
		fmt.Fprintf(&s.out, "\t%8.3f  %-12s %s\n", l.At.Seconds(), who, l.Text)
	}
	s.Watch(bounds)
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		s.out.WriteString(line + "\n")
		if line != "" && line[0] != '#' {
			s.command(line)
		}
	}
	for _, what := range s.Broken() {
		t.Error(what)
	}
	return s.out.String()
}

func (s *script) command(line string) {
	s.t.Helper()
	words := strings.Fields(line)
	switch args := words[1:]; words[0] {
	case "registrar":
		id, err := strconv.ParseUint(args[1], 16, 32)
		if err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		cfg := registrar.Config{ServerID: protocol.ServerID(id)}
		s.hosts[args[0]] = s.AddRegistrar(args[0], cfg, func() []*Host { return s.named(args[2:]) })
	case "pe":
		id, err := strconv.ParseUint(args[2], 16, 32)
		if err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		role := Role{Handle: protocol.PoolHandle(args[1]), Element: protocol.Element{ID: protocol.PEID(id)}}
		s.hosts[args[0]] = s.AddEndpoint(args[0], role, endpoint.Config{}, s.named(args[3:])...)
	case "pu":
		s.hosts[args[0]] = s.AddEndpoint(args[0], Role{Session: protocol.PoolHandle(args[1])}, endpoint.Config{}, s.named(args[2:])...)
	case "run":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		s.Run(d)
	case "detect":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		s.Net.DetectMin, s.Net.DetectMax = d, d
	default:
		s.fault(words[0], s.named(args))
	}
}

func (s *script) fault(verb string, hosts []*Host) {
	s.t.Helper()
	switch verb {
	case "partition":
		inside := map[*Host]bool{}
		for _, h := range hosts {
			inside[h] = true
		}
		s.Partition(func(h *Host) bool { return inside[h] }, true, true)
		return
	case "cut":
		s.Cut(hosts[0], hosts[1], true)
		s.Cut(hosts[1], hosts[0], true)
		return
	case "heal":
		s.Heal()
		return
	case "lose":
		s.Lose = func(from, to *Host, _ []byte) bool {
			lost := from == hosts[0] && to == hosts[1]
			if lost {
				s.Lose = nil
			}
			return lost
		}
		return
	}
	for _, h := range hosts {
		switch verb {
		case "start":
			h.Start()
		case "kill":
			h.Crash(Killed)
		case "poweroff":
			h.Crash(PoweredOff)
		case "hang":
			h.Hang(false)
		case "resume":
			h.Resume()
		case "leave":
			h.Deregister()
		default:
			s.t.Fatalf("unknown command %q", verb)
		}
	}
}

func (s *script) named(names []string) []*Host {
	s.t.Helper()
	var out []*Host
	for _, n := range names {
		if s.hosts[n] == nil {
			s.t.Fatalf("there is no %q", n)
		}
		out = append(out, s.hosts[n])
	}
	return out
}
