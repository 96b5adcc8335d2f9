package transporttest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// patience is how long anything may take before the suite calls it hung. No
// test passes or fails by being quicker.
const patience = 30 * time.Second

// message is what one side sent, or what the other got or got back.
type message struct {
	stream    uint16
	ppid      uint32
	unordered bool
	context   uint64
	unsent    bool
	data      string
}

// history is what an endpoint told about one association.
type history struct {
	id       assoc.ID
	up       *assoc.RecvInfo
	restarts int
	shutting bool // ShutdownEvent
	got      []message
	failed   []message
	end      *assoc.RecvInfo
	parts    map[partKey][]byte // pieces of messages that are not complete
}

// node is an endpoint with all that Recv returned.
type node struct {
	w    *world
	name string
	ep   transport.Endpoint

	pumping sync.Mutex // held while reading
	buf     []byte

	mu      sync.Mutex
	changed chan struct{} // closed at every change
	paused  bool
	echo    bool // send every message back
	shared  bool // others call Recv too, so part of the history is missing
	all     map[assoc.ID]*history
	order   []assoc.ID // in the order of appearance
	backlog map[assoc.ID][]message
	relaxed map[assoc.ID]int // calls of writable
}

func newNode(w *world, name string, ep transport.Endpoint) *node {
	n := &node{
		w: w, name: name, ep: ep, buf: make([]byte, 64<<10), changed: make(chan struct{}),
		all: map[assoc.ID]*history{}, backlog: map[assoc.ID][]message{}, relaxed: map[assoc.ID]int{},
	}
	ep.Notify(n.pump, n.writable)
	return n
}

// pump reads all there is; it is the readable hook.
func (n *node) pump() {
	n.pumping.Lock()
	defer n.pumping.Unlock()
	for {
		n.mu.Lock()
		paused := n.paused
		n.mu.Unlock()
		if paused {
			return
		}
		var info assoc.RecvInfo
		size, err := n.ep.Recv(n.buf, &info)
		if err != nil {
			if !errors.Is(err, assoc.ErrWouldBlock) && !errors.Is(err, net.ErrClosed) {
				n.w.Errorf("%s: Recv: %v", n.name, err)
			}
			return
		}
		n.note(info, n.buf[:size])
	}
}

// set changes a node's settings.
func (n *node) set(change func(*node)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

// pause stops reading; resume goes on.
func (n *node) pause() { n.set(func(n *node) { n.paused = true }) }

func (n *node) resume() {
	n.set(func(n *node) { n.paused = false })
	n.pump()
}

// echoes makes a node send every message back.
func (n *node) echoes() *node {
	n.set(func(n *node) { n.echo = true })
	return n
}

// note records what Recv returned and holds it against the order that package
// assoc promises.
func (n *node) note(info assoc.RecvInfo, data []byte) {
	n.mu.Lock()
	if n.shared {
		n.mu.Unlock()
		return
	}
	h := n.all[info.Assoc]
	if h == nil {
		h = &history{id: info.Assoc, parts: map[partKey][]byte{}}
		n.all[info.Assoc] = h
		n.order = append(n.order, info.Assoc)
	}
	if h.end != nil {
		n.w.Errorf("%s: association %d: kind %d after its end (kind %d)", n.name, info.Assoc, info.Kind, h.end.Kind)
	}
	if h.up == nil && info.Kind != assoc.CommUp && info.Kind != assoc.CannotStart && info.Kind != assoc.SendFailed {
		n.w.Errorf("%s: association %d: kind %d before CommUp", n.name, info.Assoc, info.Kind)
	}
	if info.Assoc == 0 {
		n.w.Errorf("%s: kind %d of no association", n.name, info.Kind)
	}
	whole := n.record(h, info, data)
	answer := whole && n.echo
	if answer {
		n.backlog[h.id] = append(n.backlog[h.id], h.got[len(h.got)-1])
	}
	close(n.changed)
	n.changed = make(chan struct{})
	n.mu.Unlock()
	if answer {
		n.drain(info.Assoc)
	}
}

// partKey tells apart the messages that may arrive, or come back, in pieces at one
// time.
type partKey struct {
	kind      assoc.Kind
	stream    uint16
	unordered bool
}

// record returns whether a whole message arrived.
func (n *node) record(h *history, info assoc.RecvInfo, data []byte) (whole bool) {
	m := message{stream: info.Stream, ppid: info.PPID, unordered: info.Unordered, context: info.Context, unsent: info.Unsent}
	switch info.Kind {
	case assoc.Message, assoc.SendFailed:
		key := partKey{info.Kind, info.Stream, info.Unordered}
		part := append(h.parts[key], data...)
		if info.More {
			h.parts[key] = part
			return false
		}
		m.data = string(part)
		delete(h.parts, key)
		if info.Kind == assoc.SendFailed {
			h.failed = append(h.failed, m)
			return false
		}
		h.got = append(h.got, m)
		return true
	case assoc.CommUp:
		if h.up != nil {
			n.w.Errorf("%s: association %d: a second CommUp", n.name, h.id)
		}
		h.up = &info
	case assoc.Restart:
		h.restarts++
	case assoc.ShutdownEvent:
		h.shutting = true
	case assoc.CommLost, assoc.ShutdownComplete:
		if h.up == nil {
			n.w.Errorf("%s: association %d ended with kind %d before it was up", n.name, h.id, info.Kind)
		}
		h.end = &info
	case assoc.CannotStart:
		if h.up != nil {
			n.w.Errorf("%s: association %d: CannotStart after CommUp", n.name, h.id)
		}
		h.end = &info
	case assoc.PartialAborted:
		key := partKey{assoc.Message, info.Stream, info.Unordered}
		if len(h.parts[key]) == 0 {
			n.w.Errorf("%s: association %d: a message that has not begun is not completed", n.name, h.id)
		}
		delete(h.parts, key)
	case assoc.PeerAddrChange, assoc.RemoteError:
	default:
		n.w.Errorf("%s: Recv returned kind %d", n.name, info.Kind)
	}
	return false
}

// drain sends what is to be echoed, as far as there is room.
func (n *node) drain(id assoc.ID) {
	for {
		n.mu.Lock()
		if len(n.backlog[id]) == 0 {
			n.mu.Unlock()
			return
		}
		m := n.backlog[id][0]
		n.mu.Unlock()
		if err := n.trySend(id, m); errors.Is(err, assoc.ErrWouldBlock) {
			return
		}
		n.mu.Lock()
		n.backlog[id] = n.backlog[id][1:]
		n.mu.Unlock()
	}
}

// writable is the hook of that name.
func (n *node) writable(id assoc.ID) {
	n.mu.Lock()
	n.relaxed[id]++
	close(n.changed)
	n.changed = make(chan struct{})
	n.mu.Unlock()
	n.pumping.Lock() // one drain at a time
	defer n.pumping.Unlock()
	n.drain(id)
}

func (n *node) trySend(id assoc.ID, m message) error {
	return n.ep.Send([]byte(m.data), &assoc.SendInfo{
		Assoc: id, Stream: m.stream, PPID: m.ppid, Unordered: m.unordered, Context: m.context,
	})
}

// send sends a message, waiting for room.
func (n *node) send(id assoc.ID, m message) {
	n.w.Helper()
	for {
		n.mu.Lock()
		before := n.relaxed[id]
		n.mu.Unlock()
		err := n.trySend(id, m)
		if err == nil {
			return
		}
		if !errors.Is(err, assoc.ErrWouldBlock) {
			n.w.Fatalf("%s: send of %d bytes: %v", n.name, len(m.data), err)
		}
		n.await("room to send", func() bool { return n.relaxed[id] > before })
	}
}

// await waits until cond holds; it is called with the node's lock.
func (n *node) await(what string, cond func() bool) {
	n.w.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		n.mu.Lock()
		if cond() {
			n.mu.Unlock()
			return
		}
		changed := n.changed
		n.mu.Unlock()
		select {
		case <-changed:
		case <-timeout.C:
			n.w.Fatalf("%s: no %s within %v; %s", n.name, what, patience, n.describe())
		}
	}
}

// look returns what is known about an association at this moment.
func (n *node) look(id assoc.ID) history {
	n.mu.Lock()
	defer n.mu.Unlock()
	return *n.history(id)
}

// history is look for those who have the lock.
func (n *node) history(id assoc.ID) *history {
	if h := n.all[id]; h != nil {
		return h
	}
	return &history{id: id}
}

func (n *node) awaitUp(id assoc.ID) {
	n.w.Helper()
	n.await("CommUp", func() bool { h := n.history(id); return h.up != nil || h.end != nil })
	if h := n.look(id); h.up == nil {
		n.w.Fatalf("%s: association could not start: %v", n.name, h.end.Err)
	}
}

func (n *node) awaitEnd(id assoc.ID) history {
	n.w.Helper()
	n.await("end of the association", func() bool { return n.history(id).end != nil })
	return n.look(id)
}

// awaitPeers waits for the count-th association to come up and returns the
// IDs of all of them.
func (n *node) awaitPeers(count int) (ids []assoc.ID) {
	n.w.Helper()
	n.await(fmt.Sprintf("%d associations", count), func() bool {
		ids = ids[:0]
		for _, id := range n.order {
			if n.all[id].up != nil {
				ids = append(ids, id)
			}
		}
		return len(ids) >= count
	})
	return ids
}

func (n *node) awaitMessages(id assoc.ID, count int) []message {
	n.w.Helper()
	n.await(fmt.Sprintf("%d messages", count), func() bool {
		h := n.history(id)
		return len(h.got) >= count || h.end != nil
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.history(id); len(h.got) < count {
		n.w.Fatalf("%s: association ended (kind %d, %v) after %d of %d messages", n.name, h.end.Kind, h.end.Err, len(h.got), count)
	}
	return slices.Clone(n.history(id).got)
}

// describe says what is known, for a test that has hung.
func (n *node) describe() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	for _, id := range n.order {
		h := n.all[id]
		status, err := n.ep.Status(id)
		fmt.Fprintf(&b, "\n  association %d: up %v, %d messages, %d failed, shutting %v, end %v; status %+v, %v",
			id, h.up != nil, len(h.got), len(h.failed), h.shutting, h.end, status, err)
	}
	return b.String()
}
