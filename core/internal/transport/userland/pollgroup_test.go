package userland_test

import (
	"bytes"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// member is an endpoint in a poll group whose hook can be stopped.
type member struct {
	*userland.Endpoint
	got     chan string
	entered chan struct{} // a message arrived while stop was set
	stop    chan struct{} // what its hook waits for then
}

func newMember(t *testing.T, stop chan struct{}) *member {
	e, err := userland.Listen(transport.Config{Local: []netip.AddrPort{onLoopback}, Led: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	m := &member{Endpoint: e, got: make(chan string, 100), entered: make(chan struct{}, 100), stop: stop}
	buf := make([]byte, 100)
	e.Notify(func() {
		var info assoc.RecvInfo
		for {
			n, err := e.Recv(buf, &info)
			if err != nil {
				return
			}
			if info.Kind != assoc.Message {
				continue
			}
			if m.stop != nil {
				m.entered <- struct{}{}
				<-m.stop
			}
			m.got <- string(buf[:n])
		}
	}, nil)
	return m
}

// tell sends a message from one member to another. The association is set up
// if there is none.
func tell(t *testing.T, from, to *member, text string) {
	t.Helper()
	id, err := from.Connect(to.LocalAddrs(), nil)
	if err != nil && id == 0 {
		t.Fatal(err)
	}
	if err := from.Send([]byte(text), &assoc.SendInfo{Assoc: id}); err != nil {
		t.Fatal(err)
	}
}

func (m *member) hears(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-m.got:
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%q did not come", want)
	}
}

// TestHookKeepsPollGroupWaiting: hooks that do not return keep no other endpoint
// from being read, and what arrives meanwhile is read afterwards.
func TestHookKeepsPollGroupWaiting(t *testing.T) {
	stop := make(chan struct{})
	a, b := newMember(t, nil), newMember(t, nil)
	stuck := make([]*member, 4*runtime.GOMAXPROCS(0)) // several in each poll group
	release := sync.OnceFunc(func() { close(stop) })
	defer release()
	for i := range stuck {
		stuck[i] = newMember(t, stop)
		tell(t, a, stuck[i], "first")
	}
	for _, m := range stuck {
		select {
		case <-m.entered:
		case <-time.After(20 * time.Second):
			t.Fatal("hooks keep an endpoint from being read")
		}
		tell(t, a, m, "second")
	}
	tell(t, a, b, "question")
	b.hears(t, "question")
	tell(t, b, a, "answer")
	a.hears(t, "answer")
	release()
	stacks := make([]byte, 1<<20)
	if stacks = stacks[:runtime.Stack(stacks, true)]; !bytes.Contains(stacks, []byte(transporttest.SharedReader)) {
		t.Errorf("no goroutine is in %s: the suite cannot tell shared readers from what a test left", transporttest.SharedReader)
	}
	for _, m := range stuck {
		m.hears(t, "first")
		m.hears(t, "second")
		tell(t, a, m, "third")
		m.hears(t, "third")
	}
}

// TestPollGroupMembersComeAndGo: endpoints that open and close all the time keep
// none of the others from being read.
func TestPollGroupMembersComeAndGo(t *testing.T) {
	a, b := newMember(t, nil), newMember(t, nil)
	for range 50 {
		c := newMember(t, nil)
		tell(t, a, c, "hello")
		tell(t, a, b, "x")
		c.hears(t, "hello")
		c.Close()
		b.hears(t, "x")
	}
}
