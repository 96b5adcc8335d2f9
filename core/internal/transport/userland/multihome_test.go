package userland

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// deaf makes a socket drop everything that arrives, without an ICMP message,
// as a cut cable does; false undoes it.
func (s *socket) deaf(t *testing.T, on bool) {
	t.Helper()
	var err error
	control := s.conn.Control(func(fd uintptr) {
		if !on {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
			return
		}
		drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: 1, Filter: &drop[0]})
	})
	if control != nil || err != nil {
		t.Fatal(control, err)
	}
}

// end is an endpoint whose events the test takes one by one.
type end struct {
	*Endpoint
	t      *testing.T
	ready  chan struct{}
	buf    []byte
	events []assoc.RecvInfo // that next passed over
}

func newEnd(t *testing.T, params assoc.Params, local ...string) *end {
	t.Helper()
	e, err := Listen(transport.Config{Local: addrs(local...), Params: params})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	n := &end{Endpoint: e, t: t, ready: make(chan struct{}, 1), buf: make([]byte, 1<<20)}
	e.Notify(func() {
		select {
		case n.ready <- struct{}{}:
		default:
		}
	}, func(assoc.ID) {})
	return n
}

// next waits for an event that is wanted.
func (n *end) next(what string, want func(*assoc.RecvInfo) bool) (assoc.RecvInfo, []byte) {
	n.t.Helper()
	if i := slices.IndexFunc(n.events, func(i assoc.RecvInfo) bool { return want(&i) }); i >= 0 {
		info := n.events[i]
		n.events = slices.Delete(n.events, i, i+1)
		return info, nil
	}
	limit := time.After(20 * time.Second)
	for {
		var info assoc.RecvInfo
		k, err := n.Recv(n.buf, &info)
		switch {
		case err == nil && want(&info):
			return info, n.buf[:k]
		case err == nil:
			n.events = append(n.events, info)
			continue
		case err != assoc.ErrWouldBlock:
			n.t.Fatal(err)
		}
		select {
		case <-n.ready:
		case <-limit:
			n.t.Fatalf("no %s; events %+v", what, n.events)
		}
	}
}

func (n *end) kind(k assoc.Kind) assoc.RecvInfo {
	n.t.Helper()
	info, _ := n.next(fmt.Sprintf("event of kind %d", k), func(i *assoc.RecvInfo) bool { return i.Kind == k })
	return info
}

func (n *end) path(s assoc.PathState, addr string) {
	n.t.Helper()
	n.next(fmt.Sprintf("state %d of %s", s, addr), func(i *assoc.RecvInfo) bool {
		return i.Kind == assoc.PeerAddrChange && i.PathState == s && i.From.Addr() == netip.MustParseAddr(addr)
	})
}

func (n *end) tell(id assoc.ID, text string) {
	n.t.Helper()
	if err := n.Send([]byte(text), &assoc.SendInfo{Assoc: id}); err != nil {
		n.t.Fatal(err)
	}
}

func (n *end) hears(want string) {
	n.t.Helper()
	if _, b := n.next("message", func(i *assoc.RecvInfo) bool { return i.Kind == assoc.Message }); string(b) != want {
		n.t.Fatalf("got %q, want %q", b, want)
	}
}

// Two addresses on each side are two paths: the client learns the server's
// second one; when the first falls silent data goes on over the second without
// the association being lost, and returns when it is back (SCTP-3-122,
// SCTP-3-123, SCTP-3-125).
func TestTwoAddressesOnEachSide(t *testing.T) {
	params := assoc.Params{
		RTOInitial: 50 * time.Millisecond, RTOMin: 20 * time.Millisecond, RTOMax: 50 * time.Millisecond,
		HeartbeatInterval: 50 * time.Millisecond,
	}
	client := newEnd(t, params, "127.0.0.1:0", "127.0.0.2:0")
	server := newEnd(t, params, "127.0.0.3:0", "127.0.0.4:0")
	id, err := client.Connect(server.LocalAddrs()[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	client.path(assoc.PathConfirmed, "127.0.0.4")
	sid := server.kind(assoc.CommUp).Assoc
	server.path(assoc.PathConfirmed, "127.0.0.2")
	talk := func(text string) {
		t.Helper()
		client.tell(id, text)
		server.hears(text)
		server.tell(sid, text)
		client.hears(text)
	}
	talk("over the first")

	cut := func(on bool) {
		client.sockets[0].deaf(t, on)
		server.sockets[0].deaf(t, on)
	}
	cut(true)
	talk("over the second")
	client.path(assoc.PathUnreachable, "127.0.0.3")
	server.path(assoc.PathUnreachable, "127.0.0.1")
	talk("over the second again")
	s, err := client.Status(id)
	if err != nil || len(s.Paths) != 2 || s.Paths[0].Active || !s.Paths[1].Active {
		t.Errorf("%+v, %v", s, err)
	}
	cut(false)
	client.path(assoc.PathAvailable, "127.0.0.3")
	server.path(assoc.PathAvailable, "127.0.0.1")
	talk("over the first again")
	for _, n := range []*end{client, server} {
		for _, info := range n.events {
			if info.Kind == assoc.CommLost {
				t.Errorf("lost: %+v", info)
			}
		}
	}
}
