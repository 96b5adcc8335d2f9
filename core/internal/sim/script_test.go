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
	"github.com/librserpool/librserpool/core/internal/session"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/*.txt with what is said now")

// TestTranscripts plays the conversations of testdata/*.txt and compares all
// that is said. Lines that begin with # are comments, indented ones are what
// follows from the command above, all others are commands:
//
//	registrar NAME ID [PEER...]  a registrar; ID in hexadecimal; it knows its peers' addresses
//	found NAME ID                one that finds its peers by multicast, and announces itself
//	shipped NAME ID [PEER...]    one as shipped, which hands PEs over, with a state file
//	pe NAME POOL ID REGISTRAR... a pool element of a pool; without registrars it waits for announcements
//	pu NAME POOL REGISTRAR...    a pool user that keeps a session with a pool
//	tcp NAME POOL REGISTRAR...   a pool user that asks registrars over TCP
//	server NAME POOL ID COOKIE REGISTRAR...  a pool element that answers, and leaves a cookie after so many requests
//	client NAME POOL HOW REGISTRAR...  a pool user whose requests it answers: plain, replay, hold or nofailover
//	ask NAME NUMBER              sends so many requests
//	deaf NAME DURATION           reads nothing for so long
//	drain NAME                   sends the pool users of an element to others
//	start NAME...                starts what was named
//	run DURATION                 lets time pass
//	kill NAME, poweroff NAME     ends a process; its peers are told, or not
//	hang NAME, resume NAME       stops and continues a process; associations stay
//	detect DURATION              how long associations take to notice a broken path
//	cut FROM TO                  breaks the path between two, in both directions
//	partition NAME...            cuts these off from all others
//	heal                         ends all partitions
//	leave NAME                   the pool element deregisters, the registrar hands over and ends
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
	case "registrar", "found", "shipped":
		s.addRegistrar(words[0], args)
	case "pe":
		role := Role{Handle: protocol.PoolHandle(args[1]), Element: protocol.Element{ID: protocol.PEID(s.id(args[2]))}}
		s.addEndpoint(args[0], role, args[3:])
	case "pu", "tcp":
		s.addEndpoint(args[0], Role{Session: protocol.PoolHandle(args[1]), TCP: words[0] == "tcp"}, args[2:])
	case "server":
		every, _ := strconv.Atoi(args[3])
		s.addEndpoint(args[0], s.server(args[1], args[2], every), args[4:])
	case "client":
		s.addEndpoint(args[0], s.client(args[1], args[2]), args[3:])
	case "ask":
		n, _ := strconv.Atoi(args[1])
		s.hosts[args[0]].Ask(n)
	case "deaf":
		s.hosts[args[0]].Deafen(s.duration(args[1]))
	case "drain":
		s.hosts[args[0]].Drain()
	case "run":
		s.Run(s.duration(args[0]))
	case "detect":
		d := s.duration(args[0])
		s.Net.DetectMin, s.Net.DetectMax = d, d
	default:
		s.fault(words[0], s.named(args))
	}
}

func (s *script) addRegistrar(kind string, args []string) {
	cfg := registrar.Config{}
	switch kind {
	case "found":
		cfg.Multicast, cfg.Announce = true, true
	case "shipped":
		cfg = registrar.Shipped()
	}
	cfg.ServerID = protocol.ServerID(s.id(args[1]))
	h := s.AddRegistrar(args[0], cfg, func() []*Host { return s.named(args[2:]) })
	if kind == "shipped" {
		h.KeepState()
	}
	s.hosts[args[0]] = h
}

func (s *script) addEndpoint(name string, role Role, registrars []string) {
	cfg := endpoint.Config{}
	if len(registrars) == 0 {
		cfg.Discover = 5 * time.Second
	}
	s.hosts[name] = s.AddEndpoint(name, role, cfg, s.named(registrars)...)
}

func (s *script) server(pool, id string, cookie int) Role {
	return Role{
		Handle: protocol.PoolHandle(pool), App: App{Cookie: cookie, Options: session.Options{Replay: cookie > 0}},
		Element: protocol.Element{
			ID:   protocol.PEID(s.id(id)),
			User: protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl},
		},
	}
}

func (s *script) client(pool, how string) Role {
	r := Role{Session: protocol.PoolHandle(pool)}
	switch o := &r.App.Options; how {
	case "plain":
	case "replay":
		o.Replay = true
	case "hold":
		o.HoldFailover = true
	case "nofailover":
		o.NoFailover = true
	default:
		s.t.Fatalf("unknown kind of client %q", how)
	}
	return r
}

func (s *script) id(text string) uint64 {
	s.t.Helper()
	id, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *script) duration(text string) time.Duration {
	s.t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
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
		s.Copies = func(from, to *Host, _ uint32, _ []byte) int {
			if from != hosts[0] || to != hosts[1] {
				return 1
			}
			s.Copies = nil
			return 0
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
			if h.registrar() != nil {
				h.Leave()
			} else {
				h.Deregister()
			}
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
