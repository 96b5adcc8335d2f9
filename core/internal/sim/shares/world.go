package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

const (
	pool = protocol.PoolHandle("pool")

	// firstUser is the association of the first PU with the registrar; smaller
	// ones are those of PEs.
	firstUser assoc.ID = 1_000
	// served is the first association of a session with its PE.
	served assoc.ID = 1_000_000
)

// world is one registrar, the PEs of one pool and PUs: the machines that ship,
// one event after the other, over a network that takes no time.
type world struct {
	now     time.Time
	rand    *rand.Rand
	events  timerq.Queue[func()]
	todo    []func()
	server  *registrar.Registrar
	pes     []*pe
	users   []*pu
	session endpoint.SessionID
	serving map[endpoint.SessionID]*pe
}

// pe is an element, which registers again when its load has changed.
type pe struct {
	kind     int // of its pool
	policy   protocol.Policy
	capacity int // sessions at which its load is 100 %
	sessions int // now
	chosen   int // sessions that it was chosen for
	told     int // sessions when it registered last
	busy     float64
	most     int
}

// pu is a user with many sessions.
type pu struct {
	at      assoc.ID
	machine *endpoint.Endpoint
}

var server = netip.MustParseAddrPort("192.0.2.1:3863")

func address(id assoc.ID) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(id >> 16), byte(id >> 8), byte(id)}), 7)
}

// newWorld registers the elements of a pool. staleCache is that of the PUs.
func newWorld(seed uint64, elements []*pe, users int, staleCache time.Duration) *world {
	w := &world{
		now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), rand: rand.New(rand.NewPCG(seed, 5356)),
		pes: elements, serving: map[endpoint.SessionID]*pe{},
	}
	cfg := registrar.Shipped()
	cfg.Rand, cfg.ServerID = rand.New(rand.NewPCG(seed, 1)), 1
	cfg.KeepAlive.Interval = -1
	cfg.Limits.ReportRate = -1
	var err error
	if w.server, err = registrar.New(cfg); err != nil {
		panic(err)
	}
	w.tell(registrar.Start{})
	for i := range elements {
		w.up(assoc.ID(i+1), 0)
		w.register(i)
	}
	for i := range users {
		at := firstUser + assoc.ID(i)
		w.users = append(w.users, &pu{at, endpoint.New(endpoint.Config{
			Rand: rand.New(rand.NewPCG(seed, uint64(at))), Registrars: [][]netip.AddrPort{{server}},
			StaleCache: staleCache, Subscribe: staleCache > 0,
		})})
	}
	return w
}

func (w *world) up(id assoc.ID, token registrar.Token) {
	w.tell(registrar.AssocUp{Link: link(id), Token: token, Local: []netip.AddrPort{server}, Peer: []netip.AddrPort{address(id)}})
}

func link(id assoc.ID) registrar.Link {
	return registrar.Link{Channel: registrar.ASAPOverSCTP, Assoc: id}
}

// register says what the load of an element is now.
func (w *world) register(i int) {
	e, at := w.pes[i], address(assoc.ID(i+1))
	p := e.policy
	if e.capacity > 0 {
		p.Load = uint32(min(float64(e.sessions)/float64(e.capacity), 1) * math.MaxUint32)
	}
	e.told = e.sessions
	w.tell(registrar.ASAPReceived{Link: link(assoc.ID(i + 1)), Message: asap.Registration{Handle: pool, Element: protocol.Element{
		ID: protocol.PEID(i + 1), Life: 36_000, Policy: p,
		User: protocol.Transport{Protocol: protocol.SCTP, Port: at.Port(), Addrs: []netip.Addr{at.Addr()}},
	}}})
}

// open begins a session of a user and returns it.
func (w *world) open(u *pu) endpoint.SessionID {
	w.session++
	id := w.session
	w.step(u, endpoint.OpenSession{Session: id, Handle: pool})
	if w.serving[id] == nil {
		panic(fmt.Sprintf("session %d has no element", id))
	}
	return id
}

func (w *world) end(u *pu, id endpoint.SessionID) {
	w.serving[id].sessions--
	delete(w.serving, id)
	w.step(u, endpoint.CloseSession{Session: id})
}

// tell passes an event to the registrar and does what follows.
func (w *world) tell(e registrar.Event) {
	w.server.Step(w.now, e)
	for _, f := range w.server.Drain() {
		if f, ok := f.(registrar.SendASAP); ok && f.Link.Assoc >= firstUser {
			u := w.users[f.Link.Assoc-firstUser]
			w.todo = append(w.todo, func() { w.step(u, endpoint.Received{Assoc: u.at, Message: f.Message}) })
		}
	}
	w.work()
}

// step passes an event to a user and does what follows.
func (w *world) step(u *pu, e endpoint.Event) {
	u.machine.Step(w.now, e)
	w.perform(u)
	w.work()
}

func (w *world) work() {
	for len(w.todo) > 0 {
		next := w.todo[0]
		w.todo = w.todo[1:]
		next()
	}
}

func (w *world) perform(u *pu) {
	for _, f := range u.machine.Drain() {
		switch f := f.(type) {
		case endpoint.Connect:
			w.todo = append(w.todo, func() {
				w.up(u.at, 0)
				w.step(u, endpoint.Connecting{Token: f.Token, Assoc: u.at})
				w.step(u, endpoint.AssocUp{Assoc: u.at, Local: []netip.AddrPort{address(u.at)}, Peer: []netip.AddrPort{server}})
			})
		case endpoint.Send:
			if f.Assoc == u.at {
				w.todo = append(w.todo, func() { w.tell(registrar.ASAPReceived{Link: link(u.at), Message: f.Message}) })
			}
		case endpoint.UsePE:
			w.use(u, f)
		case endpoint.SessionFailed:
			panic(f.Err)
		}
	}
}

func (w *world) use(u *pu, f endpoint.UsePE) {
	e := w.pes[f.Element.ID-1]
	e.chosen++
	e.sessions++
	e.most = max(e.most, e.sessions)
	w.serving[f.Session] = e
	w.todo = append(w.todo, func() {
		w.step(u, endpoint.SessionUp{Session: f.Session, Assoc: served + assoc.ID(f.Session)})
	})
}

// after does something later.
func (w *world) after(d time.Duration, do func()) {
	w.events.Set(&timerq.Timer[func()]{Value: do}, w.now.Add(d))
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); ; {
		at, ok := w.events.Next()
		if !ok || at.After(end) {
			w.pass(end)
			return
		}
		w.pass(at)
		for _, u := range w.users {
			if due, ok := u.machine.Next(); ok && !due.After(w.now) {
				u.machine.Advance(w.now)
				w.perform(u)
				w.work()
			}
		}
		w.server.Advance(w.now)
		w.events.Due(w.now).Value()
	}
}

// pass moves the clock and counts how busy the elements are.
func (w *world) pass(to time.Time) {
	for _, e := range w.pes {
		e.busy += float64(float64(e.sessions) * to.Sub(w.now).Seconds()) // not fused: the same everywhere
	}
	w.now = to
}
