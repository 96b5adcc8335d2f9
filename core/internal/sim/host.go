package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// Host is one machine in the world with one process: a registrar, or an ASAP
// endpoint. The process may die and be started again, hang, and be cut off.
type Host struct {
	w    *World
	name string
	ip   netip.Addr
	off  bool // the machine is off: nobody says that the process is gone

	short int // how many of its ports were used once only

	memory int  // how large its buffers may be; 0: as large as they like
	hung   bool // the process does nothing
	frozen bool // and its transport neither

	clock   clock
	proc    *process // nil while none runs
	state   *[]byte  // a registrar's state file, nil if it keeps none
	start   func() program
	Traffic Traffic
}

// Traffic counts ASAP and ENRP messages and their bytes.
type Traffic struct{ SentASAP, SentENRP, ReceivedASAP, ReceivedENRP Count }

func (t *Traffic) sent(ppid uint32) *Count {
	if ppid == protocol.PPIDENRP {
		return &t.SentENRP
	}
	return &t.SentASAP
}

// Count is a number of messages and of their bytes.
type Count struct{ Messages, Bytes int }

func (c *Count) add(b []byte) {
	c.Messages++
	c.Bytes += len(b)
}

// program is what a process runs: a machine and its shell.
type program interface {
	begin()
	Next() (time.Time, bool)
	Advance()
}

// process is one life of a program.
type process struct {
	host    *Host
	program program
	ports   []*port
	ears    [groups]func(from netip.AddrPort, b []byte)
	dead    bool
	waiting []func() // what arrived while it hung
	timer   timerq.Timer[func()]
}

// maxHosts is what a host's number in its address leaves room for.
const maxHosts = 1 << 24

func (w *World) addHost(name string, start func(*Host) program) *Host {
	n := len(w.hosts) + 1
	if n >= maxHosts {
		panic("sim: too many hosts")
	}
	h := &Host{w: w, name: name, ip: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})}
	h.start = func() program { return start(h) }
	w.hosts = append(w.hosts, h)
	w.byIP[h.ip] = h
	return h
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Alive says whether a process runs there, hung or not.
func (h *Host) Alive() bool { return h.proc != nil }

// well says whether a process runs there and does its work.
func (h *Host) well() bool { return h.proc != nil && !h.hung }

func (h *Host) now() time.Time { return h.clock.local(h.w.now) }

func (h *Host) newRand() *rand.Rand { return rand.New(rand.NewPCG(h.w.rnd.Uint64(), 2)) }

// Start starts the host's process, if none runs.
func (h *Host) Start() {
	if h.proc != nil {
		return
	}
	wasOff := h.off
	h.off = false
	p := &process{host: h}
	p.timer.Value = p.due
	h.proc = p
	p.program = h.start()
	if wasOff {
		h.w.pathsOf(h)
	}
	p.do(p.program.begin)
	h.w.look()
}

// Death is how a process ends.
type Death uint8

// Ways to die.
const (
	Killed     Death = iota // the kernel tells its peers
	Vanished                // its peers notice when they send something
	PoweredOff              // nobody tells them, they wait in vain
)

// exit ends the process by its own will.
func (p *process) exit() {
	if !p.dead {
		p.host.Crash(Killed)
	}
}

// Crash ends the host's process.
func (h *Host) Crash(how Death) {
	p := h.proc
	if p == nil {
		return
	}
	p.dead, h.proc = true, nil
	h.hung, h.frozen = false, false
	h.off = how == PoweredOff
	h.w.events.Stop(&p.timer)
	for _, q := range p.ports {
		q.close(how)
	}
	if h.off {
		h.w.pathsOf(h)
	}
	h.w.look()
}

// Hang stops the process; what arrives waits for it. With frozen its
// transport stops too, as one in user space does.
func (h *Host) Hang(frozen bool) {
	if h.proc == nil || h.hung {
		return
	}
	h.hung, h.frozen = true, frozen
	h.w.events.Stop(&h.proc.timer)
	if frozen {
		h.w.pathsOf(h)
	}
	h.w.look()
}

// Resume lets a process that hung go on: with its timers, or with what has
// arrived.
func (h *Host) Resume() {
	if !h.hung {
		return
	}
	frozen := h.frozen
	h.hung, h.frozen = false, false
	if frozen {
		h.w.pathsOf(h)
	}
	p := h.proc
	if h.w.rnd.IntN(2) == 0 {
		p.due()
	}
	for len(p.waiting) > 0 && !p.dead {
		do := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.do(do)
	}
	p.rearm()
	h.w.look()
}

// do lets the process do something, when it can.
func (p *process) do(f func()) {
	switch {
	case p.dead:
	case p.host.hung:
		p.waiting = append(p.waiting, f)
	default:
		f()
		p.rearm()
	}
}

func (p *process) rearm() {
	at, ok := p.program.Next()
	if !ok || p.dead || p.host.hung {
		p.host.w.events.Stop(&p.timer)
		return
	}
	due := p.host.clock.world(at)
	if due.Before(p.host.w.now) {
		due = p.host.w.now
	}
	if !p.timer.Armed() || !p.timer.At().Equal(due) {
		p.host.w.events.Set(&p.timer, due)
	}
}

func (p *process) due() {
	if !p.dead {
		p.program.Advance()
		p.rearm()
	}
}
