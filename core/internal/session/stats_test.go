package session

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

func TestPutFirst(t *testing.T) {
	a, b, c := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1"), netip.MustParseAddrPort("192.0.2.3:1")
	for first, want := range map[netip.AddrPort][]netip.AddrPort{
		a: {a, b, c}, b: {b, a, c}, c: {c, a, b}, {}: {a, b, c}, netip.MustParseAddrPort("192.0.2.9:1"): {a, b, c},
	} {
		if got := putFirst([]netip.AddrPort{a, b, c}, first); !slices.Equal(got, want) {
			t.Errorf("%v first: %v", first, got)
		}
	}
}

// TestStats: what waits here and in the transport, what it has measured on the path that data goes to,
// and who is at the ends.
func TestStats(t *testing.T) {
	a, z, local := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1"), netip.MustParseAddrPort("192.0.2.9:1")
	b := newBench(t)
	b.port.local, b.port.peer = []netip.AddrPort{local}, []netip.AddrPort{a, z}
	b.port.status = &assoc.Status{
		Primary: 1, Unacked: 2, Unsent: 3, QueuedBytes: 999, QueuedPayload: 50, Unread: 7, Retransmissions: 4,
		Paths: []assoc.PathStatus{{Addr: a, SRTT: 1, RTO: 2, MTU: 3}, {Addr: z, SRTT: time.Second, RTO: 2 * time.Second, MTU: 1400}},
	}
	ss := b.user(t, Options{})
	b.takes(ss)
	b.port.full = true
	b.arrives(1, "answer")
	want := Stats{
		Status:  Status{ID: ss.ID(), Peer: Name{"pool", 1}, Addrs: []netip.AddrPort{z, a}, Connected: true, Unread: 1},
		State:   Established,
		Local:   []netip.AddrPort{local},
		Sending: Queue{5, 50}, Receiving: Queue{1, 13},
		RTT: time.Second, RTO: 2 * time.Second, MTU: 1400, Retransmissions: 4,
	}
	if got := b.Stats(ss); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if mine, theirs := b.Ends(ss); !slices.Equal(mine, want.Local) || !slices.Equal(theirs, want.Addrs) {
		t.Errorf("between %v and %v", mine, theirs)
	}
	if st := b.Status(ss); !slices.Equal(st.Addrs, b.port.peer) || !st.Connected {
		t.Errorf("%+v", st)
	}
	b.port.status.Primary = 2 // no such path
	if got := b.Stats(ss); got.RTT != 0 || got.MTU != 0 || !slices.Equal(got.Addrs, b.port.peer) {
		t.Errorf("%+v", got)
	}
	b.lost()
	ok(t, b.Send(b.now, ss, []byte("four"), &SendInfo{}))
	want = Stats{Status: Status{ID: ss.ID(), Peer: Name{"pool", 1}, Queued: 4, Unread: 2}, State: Moving, Sending: Queue{1, 4}, Receiving: Queue{2, 6}}
	if got := b.Stats(ss); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if mine, theirs := b.Ends(ss); mine != nil || theirs != nil {
		t.Errorf("between %v and %v", mine, theirs)
	}
	b.port.full = false
	b.served(ss)
	if got := b.Stats(ss); got.Failovers != 1 || got.Queued != 0 {
		t.Errorf("%+v", got)
	}
}

// TestStatsOfReplay: what is kept is in the transport as well, and counts once.
func TestStatsOfReplay(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{Replay: true})
	b.port.status = &assoc.Status{Unacked: 1, QueuedPayload: 50, Paths: []assoc.PathStatus{{}}}
	ok(t, b.Send(b.now, ss, []byte("one"), &SendInfo{}))
	ok(t, b.Send(b.now, ss, []byte("two"), &SendInfo{}))
	if got := b.Stats(ss); got.Sending != (Queue{2, 6}) || got.Uncovered != 2 {
		t.Errorf("%+v", got)
	}
	b.lost()
	ok(t, b.Send(b.now, ss, []byte("three"), &SendInfo{}))
	if got := b.Stats(ss); got.Sending != (Queue{3, 11}) || got.Uncovered != 3 {
		t.Errorf("%+v", got)
	}
}

// TestStates have names, and what has none is unknown.
func TestStates(t *testing.T) {
	var names []string
	for s := range State(7) {
		names = append(names, s.String())
	}
	if want := []string{"unknown", "connecting", "established", "moving", "ending", "ended", "unknown"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	names = nil
	for n := range NotificationType(10) {
		names = append(names, n.String())
	}
	if want := []string{"nothing", "SessionAdded", "SessionRemoved", "FailoverBegun", "FailoverCompleted", "Shutdown", "CookieRejected", "Undelivered", "SendReady", "nothing"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

// TestReadable while there is something to be read, and when it is over; and what it does meanwhile.
func TestReadable(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	for _, step := range []struct {
		name     string
		do       func()
		readable bool
		state    State
	}{
		{"looked for", func() {}, false, Connecting},
		{"found", func() { b.chosen(ss, at("192.0.2.1:7")) }, false, Connecting},
		{"served", func() { b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 1}, nil) }, false, Established},
		{"answered", func() { b.arrives(1, "x") }, true, Established},
		{"read", func() { b.takes(ss) }, false, Established},
		{"lost", func() { b.lost() }, false, Moving},
		{"waiting", func() { ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{})); b.Finish(b.now, ss) }, true, Ending},
		{"ended", func() { b.Abort(b.now, ss) }, true, Ended},
	} {
		if step.name == "looked for" {
			o := ss.Options()
			o.Notifications = 0
			ok(t, b.SetOptions(b.now, ss, o))
		}
		if step.do(); ss.Readable() != step.readable || ss.State() != step.state || ss.Over() != (step.state >= Ending) {
			t.Errorf("%s: readable %v, %v", step.name, ss.Readable(), ss.State())
		}
	}
}
