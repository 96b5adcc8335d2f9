package sim

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// mute is a program that writes down what its port tells it.
type mute struct {
	host *Host
	port *port
	log  *[]string
}

func (m *mute) begin() {
	m.port = m.host.proc.listen(1, func(info assoc.RecvInfo, b []byte) {
		what := [...]string{assoc.Message: "got " + string(b), assoc.CommUp: "up", assoc.Restart: "restart",
			assoc.CommLost: "lost", assoc.ShutdownComplete: "shut down", assoc.CannotStart: "cannot start"}[info.Kind]
		*m.log = append(*m.log, fmt.Sprintf("%s: %s", m.host.name, what))
	})
}
func (m *mute) Next() (time.Time, bool) { return time.Time{}, false }
func (m *mute) Advance()                {}

// pair returns two hosts of which the first one opens an association.
func pair() (w *World, a, b *Host, log *[]string) {
	w, log = NewWorld(1), new([]string)
	w.Net.DelayMax = 20 * time.Millisecond
	program := func(h *Host) program { return &mute{host: h, log: log} }
	a, b = w.addHost("a", program), w.addHost("b", program)
	a.Start()
	b.Start()
	a.say("1")
	w.Run(time.Second)
	return w, a, b, log
}

// say sends to the other host, over an association that it opens if need be.
func (h *Host) say(text string) {
	p := h.proc.program.(*mute).port
	id, _ := p.Connect([]netip.AddrPort{h.w.otherThan(h)}, nil)
	_ = p.SendControl(id, 0, []byte(text))
}

func (w *World) otherThan(h *Host) netip.AddrPort {
	for _, o := range w.hosts {
		if o != h {
			return netip.AddrPortFrom(o.ip, 1)
		}
	}
	panic("alone")
}

func TestAssociations(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*World, *Host, *Host)
		want string
	}{
		"order": {func(_ *World, a, b *Host) { a.say("2"); a.say("3"); a.say("4") }, "b: got 2, b: got 3, b: got 4"},
		"a short break delays": {func(w *World, a, b *Host) {
			w.Cut(a, b, true)
			a.say("2")
			w.Run(time.Second)
			a.say("3")
			w.Cut(a, b, false)
		}, "b: got 2, b: got 3"},
		"a long break ends it": {func(w *World, a, b *Host) { w.Cut(b, a, true); w.Run(time.Minute) }, "a: lost, b: lost"},
		"killed":               {func(_ *World, _, b *Host) { b.Crash(Killed) }, "a: lost"},
		"powered off, noticed": {func(w *World, a, b *Host) { b.Crash(PoweredOff); w.Run(time.Minute); a.say("2"); w.Run(time.Minute) },
			"a: lost, a: cannot start"},
		"restarted at once": {func(w *World, a, b *Host) { b.Crash(PoweredOff); b.Start(); b.say("2") }, "a: restart, b: up, a: got 2"},
		"hangs": {func(w *World, a, b *Host) {
			b.Hang(false)
			a.say("2")
			w.Run(time.Minute)
			b.Crash(Killed)
		}, "a: lost"},
		"hangs and goes on": {func(w *World, a, b *Host) {
			b.Hang(false)
			a.say("2")
			w.Run(time.Minute)
			b.Resume()
		}, "b: got 2"},
		"both call": {func(w *World, a, b *Host) {
			w.Break(a, b)
			w.Run(time.Second)
			a.say("2")
			b.say("3")
		}, "a: lost, b: lost, b: up, a: up, b: got 2, a: got 3"},
		"does not read": {func(w *World, a, b *Host) {
			b.Hang(false)
			for _, h := range []*Host{a, b} {
				_ = h.proc.program.(*mute).port.SetParams(1, assoc.Params{SendBuffer: 10, ReceiveBuffer: 10})
			}
			var err error
			for range driver.MaxWaiting + 20 {
				p := a.proc.program.(*mute).port
				if e := p.SendControl(1, 0, []byte("x")); e != nil {
					err = e
				}
			}
			if err != driver.ErrNotRead {
				w.fail("no bound")
			}
		}, ""},
	} {
		w, a, b, log := pair()
		*log = nil
		c.do(w, a, b)
		w.Run(10 * time.Second)
		have := strings.Join(*log, ", ")
		if name == "both call" || name == "a long break ends it" || name == "restarted at once" { // in any order
			if len(have) != len(c.want) {
				t.Errorf("%s: %s", name, have)
			}
		} else if have != c.want {
			t.Errorf("%s: %s", name, have)
		}
		for _, what := range w.Broken() {
			t.Errorf("%s: %s", name, what)
		}
	}
}

// A seed gives the same world every time.
func TestSeedsReplay(t *testing.T) {
	for name, build := range map[string]func(uint64) *Chaos{"chaos": NewChaos, "sessions": NewSessions} {
		t.Run(name, func(t *testing.T) { replay(t, build) })
	}
}

func replay(t *testing.T, build func(uint64) *Chaos) {
	play := func() (lines []string) {
		s := build(3)
		s.Trace = func(l Line) { lines = append(lines, l.String()) }
		s.Watch(bounds)
		s.Play(5, time.Minute)
		return lines
	}
	if diff := cmp.Diff(play(), play()); diff != "" {
		t.Error(diff)
	}
}

// The checks see what is wrong: registrars that lose all updates and tables.
func TestChecksSee(t *testing.T) {
	w := NewWorld(1)
	r1 := w.AddRegistrar("r1", registrar.Config{}, func() []*Host { return nil })
	r2 := w.AddRegistrar("r2", registrar.Config{}, func() []*Host { return []*Host{r1} })
	pe := w.AddEndpoint("pe1", Role{Handle: "p", Element: protocol.Element{ID: 1}}, endpoint.Config{}, r1)
	w.Watch(bounds)
	r1.Start()
	w.Run(time.Second)
	r2.Start()
	w.Run(time.Second)
	w.Copies = func(from, to *Host, _ uint32, b []byte) int {
		if from == r1 && to == r2 && (enrp.Type(b[0]) == enrp.TypeHandleUpdate || enrp.Type(b[0]) == enrp.TypeHandleTableResponse) {
			return 0
		}
		return 1
	}
	pe.Start()
	w.Run(10 * time.Minute)
	if got := strings.Join(w.Broken(), "\n"); !strings.Contains(got, "missing: pe1 at r2") {
		t.Errorf("found %q", got)
	}
}

// Clocks that are off and drift come back to the same instant.
func TestClock(t *testing.T) {
	for _, c := range []clock{{}, {offset: time.Hour, drift: 1000}, {offset: -time.Minute, drift: -1000}} {
		for _, d := range []time.Duration{0, 1, time.Millisecond, time.Hour, 1000 * time.Hour} {
			at := Epoch.Add(d)
			back := c.world(c.local(at))
			if c.local(back).Before(c.local(at)) || back.Sub(at).Abs() > time.Millisecond {
				t.Errorf("%+v: %v became %v", c, at, back)
			}
		}
	}
}
