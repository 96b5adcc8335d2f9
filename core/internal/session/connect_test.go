package session

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// TestOpen: one session at a time; when it has ended the next one may begin, and what was left
// unread of the old one is dropped.
func TestOpen(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", time.Minute)
	ok(t, err)
	wantPosted(t, b, endpoint.OpenSession{Session: ss.ID(), Handle: "pool", Wait: time.Minute},
		endpoint.SetFailoverLimit{Session: ss.ID(), Limit: 15 * time.Second})
	if !ss.Own() || b.Own() != ss || ss.Peer() != (Name{Pool: "pool"}) || ss.State() != Connecting || ss.Stood() {
		t.Errorf("%v, own %v", ss.State(), ss.Own())
	}
	if _, err := b.Open(b.now, "other", 0); !errors.Is(err, ErrConnected) || b.Len() != 1 {
		t.Errorf("a second one: %v", err)
	}
	b.served(ss)
	b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
	if len(b.Sessions()) != 1 {
		t.Fatal("there is something to be read")
	}
	next, err := b.Open(b.now, "other", 0)
	ok(t, err)
	if got := b.Sessions(); !slices.Equal(got, []*Session{next}) || b.Own() != next || next.ID() == ss.ID() {
		t.Errorf("%d sessions", len(got))
	}
}

// TestConnectElement: with whom, how, and what becomes of it when that cannot be.
func TestConnectElement(t *testing.T) {
	tcp := at("192.0.2.1:7")
	tcp.Protocol = protocol.TCP
	full := errors.New("no sockets left")
	for name, tc := range map[string]struct {
		at      protocol.Transport
		refuses error
		user    bool // the element is a pool user of this endpoint
		lost    *endpoint.SessionLost
	}{
		"reached":          {at: at("192.0.2.1:7")},
		"another protocol": {at: tcp, lost: &endpoint.SessionLost{}},
		"refused":          {at: at("192.0.2.1:7"), refuses: full, lost: &endpoint.SessionLost{Err: full}},
		"mutual":           {at: at("192.0.2.1:7"), refuses: assoc.ErrAlreadyExists, user: true, lost: &endpoint.SessionLost{Err: errMutual, ByUser: true}},
		"a registrar":      {at: at("192.0.2.1:7"), refuses: assoc.ErrAlreadyExists, lost: &endpoint.SessionLost{Err: errMutual, ByUser: true}},
	} {
		b := newBench(t)
		ss, err := b.Open(b.now, "pool", 0)
		ok(t, err)
		if tc.user {
			b.arrives(1, "hello")
		}
		b.posted, b.port.set, b.port.refuses = nil, nil, tc.refuses
		b.chosen(ss, tc.at)
		if tc.lost == nil {
			wantPosted(t, b)
			if want := [][]netip.AddrPort{{netip.MustParseAddrPort("192.0.2.1:7")}}; !slices.EqualFunc(b.port.to, want, slices.Equal) || !b.port.set[0].Exclusive || ss.Assoc() != 1 || ss.State() != Connecting {
				t.Errorf("%s: to %v, association %d", name, b.port.to, ss.Assoc())
			}
			continue
		}
		if len(b.posted) != 1 || ss.Assoc() != 0 {
			t.Fatalf("%s: %v, association %d", name, b.posted, ss.Assoc())
		}
		got := b.posted[0].(endpoint.SessionLost)
		if got.Session != ss.ID() || got.ByUser != tc.lost.ByUser || got.Err == nil || tc.lost.Err != nil && !errors.Is(got.Err, tc.lost.Err) {
			t.Errorf("%s: %+v", name, got)
		}
		b.port.refuses = nil
		b.served(ss) // the next one
		if ss.State() != Established {
			t.Errorf("%s: then it is %v", name, ss.State())
		}
	}
}

// TestElementOfNobody: an element that was chosen for a session which has ended is left alone.
func TestElementOfNobody(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
	b.chosen(ss, at("192.0.2.1:7"))
	b.Perform(b.now, endpoint.UsePE{Session: 99})
	b.port.told(t)
}

// TestConnectAfterTheOldOne: while an association with the element is being shut down the new one
// waits for its end.
func TestConnectAfterTheOldOne(t *testing.T) {
	b := newBench(t)
	old := b.user(t, Options{})
	b.Finish(b.now, old)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.port.refuses, b.port.next, b.posted = assoc.ErrAlreadyExists, 0, nil
	b.chosen(ss, at("192.0.2.1:7"))
	wantPosted(t, b)
	if ss.Assoc() != 0 {
		t.Errorf("association %d", ss.Assoc())
	}
	b.port.refuses, b.port.next = nil, 2
	b.ends(1, nil)
	if ss.Assoc() != 2 {
		t.Errorf("association %d", ss.Assoc())
	}
	wantPosted(t, b, endpoint.AssocLost{Assoc: 1})
}

// TestSessionFailed: it gives back what was not sent, and ends; who had none before is told no
// more than why.
func TestSessionFailed(t *testing.T) {
	why := errors.New("nobody is there")
	for _, stood := range []bool{true, false} {
		b := newBench(t)
		b.cfg.Explain = func(err error, _ protocol.PoolHandle) error { return errors.Join(ErrNoElement, err) }
		o, err := Options{Notifications: NotifyAll}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		ss, err := b.Open(b.now, "pool", 0)
		ok(t, err)
		want, aborted := []string{"Undelivered", "Undelivered"}, "abort 1"
		if stood {
			b.served(ss)
			b.ends(1, assoc.ErrAborted)
			want, aborted = []string{"SessionAdded", "FailoverBegun", "Undelivered", "Undelivered", "SessionRemoved"}, "abort 2"
		}
		for _, text := range []string{"one", "two"} {
			ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
		}
		b.Failure()
		b.chosen(ss, at("192.0.2.1:7"))
		b.port.calls, b.posted = nil, nil
		b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: why})
		b.port.told(t, aborted)
		wantPosted(t, b, endpoint.CloseSession{Session: ss.ID()})
		if !errors.Is(ss.Err(), why) || !errors.Is(ss.Err(), ErrNoElement) || b.Status(ss).Queued != 0 {
			t.Errorf("it ended with %v", ss.Err())
		}
		if failure := b.Failure(); (failure != nil) != stood || b.Failure() != nil {
			t.Errorf("stood %v: failure %v", stood, failure)
		}
		if got := b.takes(ss); !slices.Equal(got, want) {
			t.Errorf("stood %v: told %q, want %q", stood, got, want)
		}
		b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: why}) // ended already
		b.Perform(b.now, endpoint.SessionFailed{Session: 99, Err: why})
		wantPosted(t, b)
	}
}

// TestWaits tells why a session waits.
func TestWaits(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	if ss.Waits() != nil {
		t.Error("it knows too early")
	}
	if !b.Perform(b.now, endpoint.Waits{Session: ss.ID(), Handle: "pool", Err: errGone}) || !errors.Is(ss.Waits(), errGone) {
		t.Errorf("it waits for %v", ss.Waits())
	}
	if b.Perform(b.now, endpoint.Waits{Handle: "pool", Err: errGone}) {
		t.Error("a Resolve is not the Table's")
	}
	if !b.Perform(b.now, endpoint.Waits{Session: 99, Err: errGone}) {
		t.Error("a session is")
	}
}

// TestConnectRegistrar opens an association with buffers of its own, and says when it stands
// already.
func TestConnectRegistrar(t *testing.T) {
	to := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:3863")}
	up := func(b *bench) {
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 5, Incoming: true}, nil)
		b.posted = nil
	}
	for name, tc := range map[string]struct {
		before  func(b *bench)
		refuses error
		want    []endpoint.Event
	}{
		"new":     {func(*bench) {}, nil, []endpoint.Event{endpoint.Connecting{Token: 3, Assoc: 5}}},
		"exists":  {up, assoc.ErrAlreadyExists, []endpoint.Event{endpoint.Connecting{Token: 3, Assoc: 5}, endpoint.AssocUp{Assoc: 5}}},
		"not up":  {func(*bench) {}, assoc.ErrAlreadyExists, []endpoint.Event{endpoint.Connecting{Token: 3, Assoc: 5}}},
		"refused": {up, assoc.ErrNoResources, []endpoint.Event{endpoint.ConnectFailed{Token: 3, Err: assoc.ErrNoResources}}},
	} {
		b := newBench(t)
		tc.before(b)
		b.port.next, b.port.refuses, b.port.set = 5, tc.refuses, nil
		if !b.Perform(b.now, endpoint.Connect{Token: 3, Addrs: to}) {
			t.Error("it is not the Table's")
		}
		wantPosted(t, b, tc.want...)
		if p := b.port.set[0]; p.SendBuffer != 256<<10 || p.ReceiveBuffer != 256<<10 || p.Exclusive || !slices.Equal(b.port.to[0], to) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestControl: what the machine of ASAP says, and what becomes of it if it cannot be sent.
func TestControl(t *testing.T) {
	for name, tc := range map[string]struct {
		message asap.Message
		control error
		told    []string
		failed  bool
	}{
		"sent":       {asap.EndpointKeepAliveAck{Handle: "pool"}, nil, []string{"control 5"}, false},
		"gone":       {asap.EndpointKeepAliveAck{Handle: "pool"}, assoc.ErrNotConnected, []string{"control 5"}, true},
		"never read": {asap.EndpointKeepAliveAck{Handle: "pool"}, driver.ErrNotRead, []string{"control 5", "abort 5"}, true},
		"too large":  {asap.Cookie{Data: make([]byte, 1<<16)}, nil, nil, true},
	} {
		b := newBench(t)
		b.port.control = tc.control
		if !b.Perform(b.now, endpoint.Send{Assoc: 5, Message: tc.message}) {
			t.Error("it is not the Table's")
		}
		b.port.told(t, tc.told...)
		if failed := len(b.posted) == 1 && b.posted[0].(endpoint.SendFailed).Assoc == 5; failed != tc.failed || failed && b.posted[0].(endpoint.SendFailed).Err == nil {
			t.Errorf("%s: %v", name, b.posted)
		}
	}
	b := newBench(t)
	b.Perform(b.now, endpoint.Shutdown{Assoc: 1})
	b.Perform(b.now, endpoint.Abort{Assoc: 2})
	b.port.told(t, "shutdown 1", "abort 2")
	if b.Perform(b.now, endpoint.HomeLost{}) {
		t.Error("that is nothing to do for sessions")
	}
}
