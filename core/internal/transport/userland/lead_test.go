package userland

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// ledPair is an endpoint that can be led, and a peer that sends it messages.
type ledPair struct {
	t       *testing.T
	e, peer *Endpoint
	to      assoc.ID
	from    chan assoc.ID // by which name the endpoint knows the peer
	got     chan struct{} // a message came
}

func newLedPair(t *testing.T) *ledPair {
	p := &ledPair{t: t, got: make(chan struct{}, 1), from: make(chan assoc.ID, 1)}
	for _, e := range []**Endpoint{&p.e, &p.peer} {
		opened, err := Listen(transport.Config{Local: addrs("127.0.0.1:0"), Led: e == &p.e})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { opened.Close() })
		*e = opened
	}
	up := make(chan struct{})
	p.peer.Notify(p.taker(p.peer, assoc.CommUp, func(assoc.ID) { close(up) }), nil)
	p.e.Notify(p.taker(p.e, assoc.Message, func(id assoc.ID) {
		select {
		case p.from <- id:
		default:
		}
		p.got <- struct{}{}
	}), nil)
	var err error
	if p.to, err = p.peer.Connect(p.e.LocalAddrs(), nil); err != nil {
		t.Fatal(err)
	}
	within(t, up)
	return p
}

// taker takes all there is, and calls f when it is of a kind.
func (p *ledPair) taker(e *Endpoint, kind assoc.Kind, f func(assoc.ID)) func() {
	b := make([]byte, 100)
	take := func() {
		var info assoc.RecvInfo
		for _, err := e.Recv(b, &info); err == nil; _, err = e.Recv(b, &info) {
			if info.Kind == kind {
				f(info.Assoc)
			}
		}
	}
	take()
	return take
}

// send has a datagram for the endpoint lie in its socket.
func (p *ledPair) send() {
	p.t.Helper()
	if err := p.peer.Send([]byte("x"), &assoc.SendInfo{Assoc: p.to}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *ledPair) unread(fds []int) bool {
	polled := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
	n, err := unix.Poll(polled, 0)
	return err == nil && n == 1
}

// stays says that a message is not read, though there is time.
func (p *ledPair) stays(what string, fds []int) {
	p.t.Helper()
	p.send()
	for range 100 {
		time.Sleep(100 * time.Microsecond)
		select {
		case <-p.got:
			p.t.Fatal(what + ": the endpoint reads itself")
		default:
		}
	}
	if !p.unread(fds) {
		p.t.Fatal(what + ": nothing is there to read")
	}
}

// lead leads, for so short a time that more may be expected.
func (p *ledPair) lead() []int {
	p.t.Helper()
	fds, ok := p.e.Lead()
	if !ok || len(fds) != 1 {
		p.t.Fatalf("leads %v, %v", fds, ok)
	}
	return fds
}

// yieldAfter ends a lead as if it had lasted so long.
func (p *ledPair) yieldAfter(d time.Duration) (lent bool) {
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	p.e.lead.Yield(time.Time{})
	p.e.lead.Take(clock())
	return p.e.lead.Yield(clock().Add(d))
}

// TestLed: the endpoint reads nothing itself from Lead on until Recall, or until a Yield
// after a long wait.
func TestLed(t *testing.T) {
	p := newLedPair(t)
	fds := p.lead()
	if _, ok := p.e.Lead(); ok {
		t.Error("two lead")
	}
	if p.e.ReadLent() {
		t.Error("another one reads what is led")
	}
	p.stays("led", fds)
	p.e.Step(0)
	if !p.unread(fds) {
		t.Error("reads what nobody said was ready")
	}
	p.e.Step(1)
	within(t, p.got)
	if p.e.Recall(false) {
		t.Error("somebody has to recall what is led")
	}
	if !p.yieldAfter(0) {
		t.Fatal("not lent after a short wait")
	}
	p.stays("lent", fds)
	if !p.e.ReadLent() || p.unread(fds) {
		t.Error("what is lent is not read when somebody looks")
	}
	within(t, p.got)
	if !p.e.Recall(true) {
		t.Error("recalled though it was just led")
	}
	p.stays("lent after the first look", fds)
	if p.e.Recall(true) {
		t.Error("still lent after two looks")
	}
	within(t, p.got)
	if p.e.ReadLent() {
		t.Error("reads what is not lent")
	}
	p.send()
	within(t, p.got)

	p.lead()
	p.yieldAfter(0)
	fds = p.lead() // has it for nothing
	p.stays("led again", fds)
	if p.yieldAfter(time.Hour) {
		t.Error("lent after a long wait")
	}
	within(t, p.got)

	p.lead()
	p.yieldAfter(0)
	p.send()
	if p.e.Recall(false) {
		t.Error("still lent")
	}
	within(t, p.got)
}

// TestClosedIsNotLed: an endpoint that is closed reads again itself, for what its
// associations have to say to each other in the end.
func TestClosedIsNotLed(t *testing.T) {
	p := newLedPair(t)
	p.send()
	within(t, p.got)
	over := make(chan struct{}, 1)
	p.peer.Notify(p.taker(p.peer, assoc.ShutdownComplete, func(assoc.ID) { over <- struct{}{} }), nil)
	p.lead()
	if err := p.e.Shutdown(<-p.from); err != nil {
		t.Fatal(err)
	}
	p.e.Close()
	within(t, over)
	if p.e.Yield() {
		t.Error("lent when closed")
	}
	if _, ok := p.e.Lead(); ok {
		t.Error("led when closed")
	}
	if p.e.Recall(true) {
		t.Error("to be recalled when closed")
	}
}

// TestAloneIsNotLed: the runtime's poller would look at the socket all the same.
func TestAloneIsNotLed(t *testing.T) {
	e, err := listen(transport.Config{Local: addrs("127.0.0.1:0")}, func() bool { loners.Add(1); return true })
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if fds, ok := e.Lead(); ok {
		t.Errorf("led: %v", fds)
	}
}

// TestStepReadsABatch: a flood keeps nobody who leads.
func TestStepReadsABatch(t *testing.T) {
	p := newLedPair(t)
	flood, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.e.sockets[0].local))
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	fds := p.lead()
	const batches = 3
	for range batches * readBatch {
		if _, err := flood.Write([]byte("no packet")); err != nil {
			t.Fatal(err)
		}
	}
	for i := range batches {
		if !p.unread(fds) {
			t.Fatalf("nothing is left after %d steps", i)
		}
		p.e.Step(1)
	}
	if p.unread(fds) {
		t.Error("something is left after the last step")
	}
}
