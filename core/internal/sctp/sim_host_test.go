package sctp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// A host owns one engine, and another one after a restart.
type host struct {
	w     *world
	index int
	name  string
	addr  netip.AddrPort // UDP and SCTP
	cfg   sctp.Config
	ep    *sctp.Endpoint
	life  int // which engine
	dead  bool
	spins int

	assocs  map[assoc.ID]*simAssoc // of this life
	order   []*simAssoc            // of all lives
	paused  bool                   // the application does not read
	readBuf []byte
	obs     *observer

	app app
}

// app is what the program above an engine does.
type app interface {
	up(a *simAssoc)
	got(a *simAssoc, m *message)
	writable(a *simAssoc)
	ended(a *simAssoc)
}

// simAssoc is what a host knows about one association: the books in which
// exactly-once is kept.
type simAssoc struct {
	h        *host
	life     int
	id       assoc.ID
	peer     *host
	incoming bool
	isUp     bool
	terminal assoc.Kind
	shutting bool // ShutdownEvent, or own Shutdown or Abort
	tx       *txEpoch
	rx       *rxEpoch
	accepted []*message
	lastFail int64 // position of the last SendFailed in accepted
	partial  []byte
	blocked  bool
	out      uint16
	restarts int
}

// An epoch of a sender ends when its peer restarts.
type txEpoch struct {
	a       *simAssoc
	ordered map[uint16][]*message
	next    map[uint16]int // next ordered message to be delivered, by stream
	to      *rxEpoch
}

type rxEpoch struct {
	a    *simAssoc
	from *txEpoch
}

type message struct {
	n         uint32
	pos       int64 // in accepted
	epoch     *txEpoch
	stream    uint16
	unordered bool
	size      int
	reply     int  // > 0: the receiver answers with this many bytes
	early     bool // accepted before the association was up
	onWire    bool
	delivered int
	failed    int
	unsent    bool
	at        time.Time
}

func (m *message) String() string {
	return fmt.Sprintf("message %d of %s (assoc %d, stream %d, unordered %v, %d bytes)", m.n, m.epoch.a.h.name, m.epoch.a.id, m.stream, m.unordered, m.size)
}

// payload is the content of message n: any mixture of two would show.
func payload(n uint32, size int) []byte {
	b := make([]byte, size)
	x := n*2654435761 + 12345
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func (w *world) addHost(cfg sctp.Config, addr netip.AddrPort, a app) *host {
	h := &host{w: w, index: len(w.hosts), addr: addr, cfg: cfg, app: a, readBuf: make([]byte, 300_000)}
	h.name = string(rune('A' + h.index%26))
	w.hosts = append(w.hosts, h)
	w.byAddr[addr.Addr()] = h
	h.obs = newObserver(h)
	h.boot()
	return h
}

func (h *host) boot() {
	h.life++
	h.dead = false
	h.assocs = map[assoc.ID]*simAssoc{}
	cfg := h.cfg
	cfg.Port = h.addr.Port()
	cfg.Rand = newSeeded(h.w.rng.Uint64())
	h.ep = sctp.New(cfg)
}

// crash ends the engine without a word; boot starts the next.
func (h *host) crash() {
	h.dead = true
	for _, a := range h.order {
		if a.life == h.life && a.terminal == 0 {
			a.shutting = true
		}
	}
}

func (h *host) addAssoc(id assoc.ID, peer *host) *simAssoc {
	a := &simAssoc{h: h, life: h.life, id: id, peer: peer, lastFail: -1}
	a.newEpochs()
	h.assocs[id] = a
	h.order = append(h.order, a)
	return a
}

func (a *simAssoc) newEpochs() {
	a.tx = &txEpoch{a: a, ordered: map[uint16][]*message{}, next: map[uint16]int{}}
	a.rx = &rxEpoch{a: a}
}

// live says that the application may still use the association.
func (a *simAssoc) live() bool {
	return a.terminal == 0 && !a.shutting && a.life == a.h.life && !a.h.dead
}

// The engine's verbs; each is followed by everything it caused.

func (h *host) input(from netip.AddrPort, data []byte) {
	h.obs.input(data)
	h.ep.Input(h.w.now, sctp.Packet{Peer: from, Local: h.addr.Addr(), Data: data})
	h.settle(causeInput)
}

func (h *host) unreachable(to netip.AddrPort, quoted []byte) {
	if !h.dead {
		h.ep.Unreachable(h.w.now, to, quoted)
		h.settle(causeOther)
	}
}

func (h *host) advance() {
	h.ep.Advance(h.w.now)
	h.settle(causeTimer)
}

func (h *host) connect(peer *host, p *assoc.Params) *simAssoc {
	id, err := h.ep.Connect(h.w.now, []netip.AddrPort{peer.addr}, p)
	var a *simAssoc
	switch {
	case err == nil:
		if h.assocs[id] != nil {
			h.w.fail("%s: Connect uses id %d twice", h.name, id)
			return nil
		}
		a = h.addAssoc(id, peer)
		if h.w.early {
			a.out = min(h.cfg.Params.OutStreams, h.cfg.Params.InStreams)
			h.app.up(a)
		}
	case errors.Is(err, assoc.ErrAlreadyExists):
		if a = h.assocs[id]; a == nil && !h.paused {
			h.w.fail("%s: Connect names the unknown association %d", h.name, id)
		}
	default:
		h.w.fail("%s: Connect: %v", h.name, err)
	}
	h.settle(causeAPI)
	return a
}

// send gives the engine one message; false = try again when writable.
func (a *simAssoc) send(stream uint16, unordered bool, size, reply int) bool {
	w := a.h.w
	m := &message{
		n: uint32(len(w.msgs)), pos: int64(len(a.accepted)), epoch: a.tx, stream: stream,
		unordered: unordered, size: size, reply: reply, early: !a.isUp, at: w.now,
	}
	// The wire is watched from within settle, so the books come first.
	w.msgs = append(w.msgs, m)
	err := a.h.ep.Send(w.now, payload(m.n, size), &assoc.SendInfo{
		Assoc: a.id, Stream: stream, PPID: m.n, Unordered: unordered, Context: uint64(m.n),
	})
	if err != nil {
		w.msgs = w.msgs[:m.n]
		if !errors.Is(err, assoc.ErrWouldBlock) && (a.live() || !errors.Is(err, assoc.ErrPipe) && !errors.Is(err, assoc.ErrNotConnected)) {
			w.fail("%s: Send on association %d: %v", a.h.name, a.id, err)
		}
		a.blocked = errors.Is(err, assoc.ErrWouldBlock)
		a.h.settle(causeAPI)
		return false
	}
	if !a.live() {
		w.fail("%s: Send on ended association %d succeeds", a.h.name, a.id)
	}
	a.accepted = append(a.accepted, m)
	if !unordered {
		a.tx.ordered[stream] = append(a.tx.ordered[stream], m)
	}
	a.h.settle(causeAPI)
	return true
}

func (a *simAssoc) shutdown() {
	if !a.live() {
		return
	}
	a.shutting = true
	if err := a.h.ep.Shutdown(a.h.w.now, a.id); err != nil {
		a.h.w.fail("%s: Shutdown of association %d: %v", a.h.name, a.id, err)
	}
	a.h.settle(causeAPI)
}

func (a *simAssoc) abort() {
	if !a.live() {
		return
	}
	a.shutting = true
	if err := a.h.ep.Abort(a.h.w.now, a.id, "enough"); err != nil {
		a.h.w.fail("%s: Abort of association %d: %v", a.h.name, a.id, err)
	}
	a.h.settle(causeAPI)
}

type cause int

const (
	causeInput cause = iota
	causeTimer
	causeAPI
	causeRead
	causeOther
)

// settle takes everything out of the engine after a call and checks it.
func (h *host) settle(c cause) {
	h.takePackets(c)
	for !h.paused && h.w.err == nil && h.readOne() {
		h.takePackets(causeRead)
	}
	for {
		id, ok := h.ep.Writable()
		if !ok {
			break
		}
		if a := h.assocs[id]; a != nil && a.blocked {
			a.blocked = false
			h.w.after(0, func() {
				if a.live() {
					h.app.writable(a)
				}
			})
		}
	}
	h.checkState()
}

func (h *host) takePackets(c cause) {
	h.obs.beginBurst(c)
	var p sctp.Packet
	for n := 0; h.w.err == nil && h.ep.Output(h.w.now, &p); n++ {
		if n > 10_000 {
			h.w.fail("%s: Output does not end", h.name)
		}
		data := slices.Clone(p.Data)
		fresh := h.obs.output(data)
		h.w.carry(h, p.Peer, data)
		if fresh {
			h.checkFlight(p.Peer)
		}
	}
	h.obs.endBurst(c)
}

// checkFlight: whoever just sent new data had room for it (SCTP-7-05). A
// window that was cut below what already flies is no excuse to send more.
func (h *host) checkFlight(to netip.AddrPort) {
	for _, a := range h.order {
		if a.life != h.life || a.terminal != 0 || a.peer.addr.Addr() != to.Addr() {
			continue
		}
		s, err := h.ep.Status(a.id)
		if err != nil {
			continue
		}
		for _, p := range s.Paths {
			if largest := h.cfg.Params.MTU - 28 - 12; p.InFlight > p.Cwnd+largest-1 {
				h.w.fail("%s: new data, now %d bytes in flight, cwnd %d (SCTP-7-05)", h.name, p.InFlight, p.Cwnd)
			}
		}
	}
}

// checkState holds what must be true between calls (SCTP-7-03, 7-05).
func (h *host) checkState() {
	w := h.w
	if w.err != nil {
		return
	}
	_, armed := h.ep.Next()
	alive := 0
	for _, a := range h.order {
		if a.life != h.life || a.terminal != 0 {
			continue
		}
		s, err := h.ep.Status(a.id)
		if err != nil {
			if !h.paused {
				w.fail("%s: association %d has no status and no end", h.name, a.id)
			}
			continue
		}
		alive++
		if !armed && (s.State != "ESTABLISHED" || s.Unacked+s.Unsent > 0) {
			w.fail("%s: association %d in %s with %d unacked, %d unsent messages and no timer (SCTP-7-03)", h.name, a.id, s.State, s.Unacked, s.Unsent)
		}
		for _, p := range s.Paths {
			if p.InFlight < 0 {
				w.fail("%s: %d bytes in flight", h.name, p.InFlight)
			}
			if p.Cwnd < p.MTU-60 {
				w.fail("%s: cwnd %d below one packet (SCTP-7-05)", h.name, p.Cwnd)
			}
			if s.Unacked == 0 && p.InFlight != 0 {
				w.fail("%s: %d bytes in flight and nothing unacked", h.name, p.InFlight)
			}
		}
	}
	if alive == 0 && !h.paused && armed {
		w.fail("%s: a timer is armed without any association (SCTP-7-09)", h.name)
	}
}
