// Package transporttest is the one suite that every transport passes, and a
// relay that makes a bad network out of a good one.
package transporttest

import (
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// Factory makes endpoints of one implementation, or of two that talk to each
// other.
type Factory struct {
	// Open opens an endpoint. The suite closes it.
	Open func(t *testing.T, cfg transport.Config) transport.Endpoint

	// OpenPeer opens the other side of a conversation; nil means Open.
	OpenPeer func(t *testing.T, cfg transport.Config) transport.Endpoint

	// Kill ends an endpoint as the death of its process would, without the
	// goodbye of Close; nil leaves out what needs it.
	Kill func(transport.Endpoint)

	// Silent returns the address of a peer that never answers; nil leaves out
	// what needs it.
	Silent func(t *testing.T) Silent

	// UDPPort returns the UDP port of an endpoint; nil means that there is none
	// and leaves out the relay.
	UDPPort func(transport.Endpoint) uint16

	// Links are the networks that a relay plays; nil means Links.
	Links []Link

	// Tap is shown every packet that a relay gets, as by Relay.Tap; several
	// relays may call it at once. It may be nil.
	Tap func(from, to netip.AddrPort, packet []byte)

	// Site is a network on which both sides are, instead of loopback.
	Site *Site

	// Idle is how long an association stays idle, or its reader stopped, where
	// that is tested; 0 means for some heartbeats.
	Idle time.Duration

	// NoICMP says that endpoints do not learn from ICMP that nobody is there.
	NoICMP bool
}

// Site is a network of another kind than loopback.
type Site struct {
	Client, Server netip.Addr
	Link           Link // what the network does to packets
}

// Links are the networks on which the core of the suite runs.
var Links = []Link{
	{},
	{Loss: 0.01, Delay: time.Millisecond},
	{Loss: 0.05, Double: 0.02, Delay: 500 * time.Microsecond, Jitter: 2 * time.Millisecond},
}

// scenario is one test of the suite.
type scenario struct {
	name string
	run  func(*world)
	// core says that it also runs over a bad network.
	core bool
}

// Run runs the suite.
func Run(t *testing.T, make func(t *testing.T) Factory) {
	f := make(t)
	if f.OpenPeer == nil {
		f.OpenPeer = f.Open
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { runScenario(t, f, s.run, nil) })
	}
	if f.UDPPort == nil {
		t.Log("not run: the relay, because the transport has no UDP port")
		return
	}
	if f.Links == nil {
		f.Links = Links
	}
	for _, link := range f.Links {
		for _, s := range scenarios {
			if s.core {
				t.Run(link.String()+"/"+s.name, func(t *testing.T) { runScenario(t, f, s.run, &link) })
			}
		}
	}
}

// RunSite runs the core of the suite over the factory's site.
func RunSite(t *testing.T, f Factory) {
	if f.OpenPeer == nil {
		f.OpenPeer = f.Open
	}
	for _, s := range scenarios {
		if s.core {
			t.Run(s.name, func(t *testing.T) { runScenario(t, f, s.run, &f.Site.Link) })
		}
	}
}

// RunSome runs the named scenarios, once and without a relay: for conditions of
// which there are many.
func RunSome(t *testing.T, f Factory, names ...string) { runSome(t, f, nil, names) }

// RunSomeOver does so through a relay that plays a network.
func RunSomeOver(t *testing.T, f Factory, link Link, names ...string) { runSome(t, f, &link, names) }

func runSome(t *testing.T, f Factory, link *Link, names []string) {
	for _, name := range names {
		all := slices.Concat(scenarios, longScenarios)
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("there is no scenario %q", name)
		}
		t.Run(name, func(t *testing.T) { runScenario(t, f, all[i].run, link) })
	}
}

var scenarios = concat(setupScenarios, dataScenarios, endScenarios, failureScenarios, silenceScenarios, pressureScenarios, holdScenarios, closeScenarios)

func concat(lists ...[]scenario) (out []scenario) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// runScenario runs one scenario and checks that nothing of it is left.
func runScenario(t *testing.T, f Factory, run func(*world), link *Link) {
	before, _ := goroutines()
	t.Cleanup(func() { noneLeft(t, before) }) // after those that the scenario adds
	run(&world{T: t, f: f, link: link})
}

// noneLeft waits until there are no more goroutines than before.
func noneLeft(t *testing.T, before int) {
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		n, stacks := goroutines()
		if n <= before {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left, %d were there before:\n%s", n, before, stacks)
		}
	}
}

// SharedReader stands in the stack of the goroutines that last as long as the
// process: endpoints of userland SCTP share them.
const SharedReader = "/userland.(*worker).run("

// goroutines counts those that a scenario has to end.
func goroutines() (n int, stacks string) {
	buf := make([]byte, 1<<20)
	stacks = string(buf[:runtime.Stack(buf, true)])
	return strings.Count("\n\n"+stacks, "\n\ngoroutine ") - strings.Count(stacks, SharedReader), stacks
}
