package session

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// TestWhoseMessage sorts by PPID and by what the endpoint is (ASAP-5-05); what nobody is to have
// counts no more against the window, and is told rarely.
func TestWhoseMessage(t *testing.T) {
	const dropped = "data that belongs to no session is dropped"
	for name, tc := range map[string]struct {
		service Service
		before  func(b *bench)
		ppid    uint32
		kept    bool
		told    []string
		rare    bool
	}{
		"an element's":     {service: Service{Serving: true}, kept: true},
		"no element's":     {rare: true},
		"served elsewhere": {service: Service{Serving: true, Foreign: true}, rare: true},
		"closing":          {service: Service{Serving: true}, before: func(b *bench) { b.BeginClose(b.now) }, told: []string{"abort 1"}, rare: true},
		"a registrar's":    {service: Service{Serving: true}, ppid: protocol.PPIDENRP, told: []string{"abort 1"}},
		"ending": {service: Service{Serving: true}, before: func(b *bench) {
			ss, _ := b.Open(b.now, "pool", 0)
			_ = b.Send(b.now, ss, []byte("x"), &SendInfo{})
			b.port.full = true
			b.served(ss)
			b.Finish(b.now, ss)
			b.port.calls = nil
		}, rare: true},
		"shut down": {service: Service{Serving: true}, before: func(b *bench) {
			b.arrives(1, "hello")
			b.Finish(b.now, b.Sessions()[0])
			b.port.calls = nil
		}, rare: true},
		"in a session": {service: Service{Serving: true}, before: func(b *bench) { b.arrives(1, "hello") }, ppid: protocol.PPIDENRP, kept: true},
	} {
		b := newBench(t)
		b.SetService(tc.service)
		if tc.before != nil {
			tc.before(b)
		}
		b.Logs()
		lent := b.port.lent
		b.port.lent += 4000
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.Message, Assoc: 1, PPID: tc.ppid}, make([]byte, 4000))
		if kept := b.port.lent == lent+4000; kept != tc.kept {
			t.Errorf("%s: %d bytes are owed", name, b.port.lent)
		}
		b.port.told(t, tc.told...)
		logs := b.Logs()
		if rare := slices.ContainsFunc(logs, func(l Log) bool { return l.Rare && l.Text == dropped }); rare != tc.rare {
			t.Errorf("%s: %v", name, logs)
		}
		if b.Logs() != nil {
			t.Errorf("%s: told twice", name)
		}
	}
}

// TestControlReceived passes ASAP's messages on, and reports what was wrong with them
// (ASAP-2.2.14-01).
func TestControlReceived(t *testing.T) {
	report := []protocol.Cause{{Code: protocol.CauseUnrecognizedMessage}}
	message := asap.EndpointKeepAlive{Handle: "pool"}
	for name, tc := range map[string]struct {
		m      asap.Message
		report []protocol.Cause
		told   []string
		want   []endpoint.Event
	}{
		"good":    {message, nil, nil, []endpoint.Event{endpoint.Received{Assoc: 3, Message: message}}},
		"strange": {message, report, []string{"control 3"}, []endpoint.Event{endpoint.Received{Assoc: 3, Message: message}}},
		"bad":     {nil, report, []string{"control 3"}, nil},
		"nothing": {nil, nil, nil, nil},
	} {
		for _, way := range []string{"Handle", "Control"} {
			b := newBench(t)
			b.cfg.Decode = func(*assoc.RecvInfo, []byte) (asap.Message, []protocol.Cause) { return tc.m, tc.report }
			info := &assoc.RecvInfo{Kind: assoc.Message, Assoc: 3, PPID: protocol.PPIDASAP}
			if way == "Handle" {
				b.port.lent = 4000
				b.Handle(b.now, info, make([]byte, 4000))
			} else {
				b.Control(b.now, info, nil)
			}
			b.port.told(t, tc.told...)
			wantPosted(t, b, tc.want...)
			if b.port.lent != 0 || b.Len() != 0 {
				t.Errorf("%s by %s: %d bytes are owed, %d sessions", name, way, b.port.lent, b.Len())
			}
		}
	}
}

// TestAssocUp tells the machine of associations that are no session's, with the addresses of this
// host for somebody on it; and one that has just been made of all that stand.
func TestAssocUp(t *testing.T) {
	local, host, peer := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1")}, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:2")}
	b := newBench(t)
	b.cfg.Here = func(of []netip.AddrPort) []netip.AddrPort {
		if slices.Equal(of, local) {
			return host
		}
		return nil
	}
	b.port.local, b.port.peer = local, peer
	up := func(id assoc.ID) endpoint.Event {
		return endpoint.AssocUp{Assoc: id, Local: local, Host: host, Peer: peer}
	}
	for _, id := range []assoc.ID{9, 4} {
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: id, Incoming: true}, nil)
		wantPosted(t, b, up(id))
	}
	b.arrives(7, "hello") // a session's, and not up
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.ShutdownEvent, Assoc: 5}, nil)
	b.posted = nil
	b.PostStanding(b.now)
	wantPosted(t, b, up(4), up(9))
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 7}, nil)
	b.posted = nil
	b.PostStanding(b.now)
	wantPosted(t, b, up(4), up(9))
	if !b.Standing(4) || b.Standing(1) {
		t.Error("which associations stand is not known")
	}
}

// TestBothConnect: where both ends connect at the same moment and the peer's association stands, the
// element is passed over: it is a pool user of this endpoint (ASAP-3.5-05).
func TestBothConnect(t *testing.T) {
	b := newBench(t)
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.chosen(ss, at("192.0.2.1:7"))
	b.posted = nil
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 1, Incoming: true}, nil)
	wantPosted(t, b, endpoint.SessionLost{Session: ss.ID(), Err: errMutual, ByUser: true}, endpoint.AssocUp{Assoc: 1})
	if ss.Assoc() != 0 || ss.State() != Connecting {
		t.Errorf("%v on %d", ss.State(), ss.Assoc())
	}
	b.arrives(1, "hello")
	if got := b.Sessions(); len(got) != 2 || got[1].Own() || got[1].Assoc() != 1 {
		t.Errorf("%d sessions", len(got))
	}
}

// TestPeerShutsDown: nothing more can be sent, of which the program is told once.
func TestPeerShutsDown(t *testing.T) {
	b := newBench(t)
	b.arrives(1, "hello")
	ss := b.Sessions()[0]
	b.takes(ss)
	for range 2 {
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.ShutdownEvent, Assoc: 1}, nil)
	}
	if got := b.takes(ss); !slices.Equal(got, []string{"Shutdown"}) || ss.State() != Ending {
		t.Errorf("told %q, %v", got, ss.State())
	}
	if err := b.Send(b.now, ss, []byte("x"), &SendInfo{}); !errors.Is(err, ErrNotConnected) {
		t.Errorf("sending: %v", err)
	}
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.ShutdownEvent, Assoc: 2}, nil) // of no session
	b.port.calls = nil
	b.ends(1, nil)
	b.port.told(t, "forget 1")
	if got := b.takes(ss); !slices.Equal(got, []string{"SessionRemoved"}) || ss.Err() != nil || !b.Moved() {
		t.Errorf("told %q, %v", got, ss.Err())
	}
}

// TestPeerRestarts: it knows nothing of the session, which ends or fails over.
func TestPeerRestarts(t *testing.T) {
	restart := func(b *bench, id assoc.ID) {
		b.posted, b.port.calls = nil, nil
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.Restart, Assoc: id}, nil)
	}
	b := newBench(t)
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 2, Incoming: true}, nil)
	restart(b, 2)
	wantPosted(t, b, endpoint.AssocRestarted{Assoc: 2})

	b.arrives(1, "hello")
	ss := b.Sessions()[0]
	restart(b, 1)
	wantPosted(t, b)
	b.port.told(t)
	if got := b.takes(ss); !slices.Equal(got, []string{"SessionAdded", "hello", "SessionRemoved"}) || !errors.Is(ss.Err(), errRestarted) {
		t.Errorf("told %q, %v", got, ss.Err())
	}
	b.arrives(1, "hello again")
	if got := b.Sessions(); len(got) != 1 || got[0] == ss {
		t.Error("the new process has no session of its own")
	}

	b = newBench(t)
	user := b.user(t, Options{})
	restart(b, 1)
	b.port.told(t, "abort 1")
	if user.Over() {
		t.Error("a pool user's session has ended")
	}

	b = newBench(t)
	o, err := Options{FailBack: true}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	b.arrives(1, "hello")
	b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 1, Handle: "users"})
	restart(b, 1)
	b.port.told(t, "abort 1")
	if b.Sessions()[0].Over() {
		t.Error("one that goes on with another element of the pool has ended")
	}
}

// TestReturnedMessages go to the next element, or back to the program with the reason.
func TestReturnedMessages(t *testing.T) {
	for name, tc := range map[string]struct {
		own     bool
		options Options
		info    assoc.RecvInfo
		why     error // it is given back
		resent  []string
	}{
		"a pool user's":     {own: true, resent: []string{"2 x"}},
		"replayed":          {own: true, options: Options{Replay: true}, resent: []string{"2 x"}},
		"too old":           {own: true, info: assoc.RecvInfo{Context: bounded}, why: errExpired},
		"ASAP's":            {own: true, info: assoc.RecvInfo{PPID: protocol.PPIDASAP}},
		"an element's":      {why: errGone},
		"an element's, old": {info: assoc.RecvInfo{Context: bounded}, why: errExpired},
	} {
		b := newBench(t)
		tc.options.Notifications = NotifyAll
		var ss *Session
		if tc.own {
			ss = b.user(t, tc.options)
		} else {
			b.arrives(1, "hello")
			b.port.next = 1
			ss = b.Sessions()[0]
		}
		ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{PPID: 5}))
		b.takes(ss)
		b.port.sent = nil
		tc.info.Kind, tc.info.Assoc = assoc.SendFailed, 1
		b.Handle(b.now, &tc.info, []byte("x"))
		var info RecvInfo
		data, err := b.Take(b.now, ss, &info)
		if back := err == nil && info.Notification.Type == Undelivered && string(data) == "x"; back != (tc.why != nil) || back && (info.Notification.Err != tc.why || info.PE != ss.Peer().PE) {
			t.Errorf("%s: given back %v, %+v", name, back, info.Notification)
		}
		if !tc.own {
			continue
		}
		b.lost()
		b.served(ss)
		b.port.took(t, tc.resent...)
		if st := b.Status(ss); (st.Queued == 1) != tc.options.Replay { // which keeps it until a cookie covers it
			t.Errorf("%s: %+v", name, st)
		}
	}
}
