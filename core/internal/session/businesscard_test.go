package session

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

var preferred = []protocol.PEID{8, 9}

// wantPosted compares what was posted to the machine of ASAP since the last call.
func wantPosted(t *testing.T, b *bench, want ...endpoint.Event) {
	t.Helper()
	options := cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateErrors(), cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})}
	if diff := cmp.Diff(want, b.posted, options); diff != "" {
		t.Errorf("posted (-want +got):\n%s", diff)
	}
	b.posted = nil
}

// at is where an element serves over SCTP.
func at(addrs ...string) protocol.Transport {
	tr := protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl}
	for _, a := range addrs {
		ap := netip.MustParseAddrPort(a)
		tr.Port, tr.Addrs = ap.Port(), append(tr.Addrs, ap.Addr())
	}
	return tr
}

// prefersBench serves with preferred elements, and has asked for their addresses.
func prefersBench(t *testing.T) (*bench, endpoint.Token) {
	b := newBench(t)
	b.SetService(Service{Serving: true, Registered: true, Pool: "pool", Preferred: preferred})
	b.arrives(7, "hello")
	token := ownTokens | 1
	wantPosted(t, b, endpoint.SendBusinessCard{Assoc: 7}, endpoint.Resolve{Token: token, Handle: "pool"})
	return b, token
}

// TestPreferredElements are sent when their addresses are known, and not to who is gone or when
// there is no answer; nothing is remembered then (ASAP-3.9-04).
func TestPreferredElements(t *testing.T) {
	card := endpoint.SendBusinessCard{Assoc: 7, Prefer: preferred}
	for name, tc := range map[string]struct {
		before func(b *bench)
		answer func(token endpoint.Token) endpoint.Effect
		want   []endpoint.Event
	}{
		"found": {func(*bench) {}, func(token endpoint.Token) endpoint.Effect { return endpoint.Resolved{Token: token} }, []endpoint.Event{card}},
		"no answer": {func(*bench) {}, func(token endpoint.Token) endpoint.Effect {
			return endpoint.ResolveFailed{Token: token, Err: errGone}
		}, nil},
		"too late": {func(b *bench) { b.ends(7, nil) }, func(token endpoint.Token) endpoint.Effect { return endpoint.Resolved{Token: token} }, nil},
		"ending":   {func(b *bench) { b.Finish(b.now, b.Sessions()[0]) }, func(token endpoint.Token) endpoint.Effect { return endpoint.Resolved{Token: token} }, nil},
	} {
		b, token := prefersBench(t)
		tc.before(b)
		b.posted = nil
		if !b.Perform(b.now, tc.answer(token)) {
			t.Errorf("%s: it is not the Table's", name)
		}
		wantPosted(t, b, tc.want...)
		if b.Size().Lookups != 0 || b.Perform(b.now, tc.answer(token)) {
			t.Errorf("%s: the look-up is still remembered", name)
		}
	}
}

// TestLookupsAreTheTablesOwn: the answers for others are none, and each look-up has its own.
func TestLookupsAreTheTablesOwn(t *testing.T) {
	b, token := prefersBench(t)
	for _, other := range []endpoint.Token{1, token + 1, 0} {
		if b.Perform(b.now, endpoint.Resolved{Token: other}) || b.Perform(b.now, endpoint.ResolveFailed{Token: other}) {
			t.Errorf("the look-up %x is not the Table's", other)
		}
	}
	b.arrives(8, "hello")
	wantPosted(t, b, endpoint.SendBusinessCard{Assoc: 8}, endpoint.Resolve{Token: token + 1, Handle: "pool"})
	if b.Size().Lookups != 2 {
		t.Errorf("%+v", b.Size())
	}
}

// TestRecommend: an element that is served by another one tells it what to fail back to, where
// there is a control channel.
func TestRecommend(t *testing.T) {
	for name, tc := range map[string]struct {
		service Service
		use     protocol.TransportUse
		asks    bool
	}{
		"recommends":     {Service{Registered: true, Pool: "mine", Preferred: preferred}, protocol.DataAndControl, true},
		"no element":     {Service{Pool: "mine", Preferred: preferred}, protocol.DataAndControl, false},
		"data only":      {Service{Registered: true, DataOnly: true, Preferred: preferred}, protocol.DataAndControl, false},
		"data only peer": {Service{Registered: true, Preferred: preferred}, protocol.DataOnly, false},
		"nobody":         {Service{Registered: true}, protocol.DataAndControl, false},
	} {
		b := newBench(t)
		b.SetService(tc.service)
		ss, err := b.Open(b.now, "pool", 0)
		ok(t, err)
		where := at("192.0.2.1:7")
		where.Use = tc.use
		b.servedAt(ss, where)
		asked := slices.ContainsFunc(b.posted, func(e endpoint.Event) bool { _, is := e.(endpoint.Resolve); return is })
		if asked != tc.asks {
			t.Errorf("%s: asked %v", name, asked)
		}
	}
}

// TestCardHolder: who sends a card is the element at its addresses.
func TestCardHolder(t *testing.T) {
	tcp := at("192.0.2.9:7")
	tcp.Protocol = protocol.TCP
	card := []protocol.Element{{ID: 1, User: at("192.0.2.1:7")}, {ID: 2, User: tcp}, {ID: 3, User: at("192.0.2.3:7", "192.0.2.4:7")}}
	for _, tc := range []struct {
		peer string
		want protocol.PEID
	}{{"192.0.2.1:7", 1}, {"192.0.2.4:7", 3}, {"192.0.2.9:7", 0}, {"192.0.2.1:8", 0}} {
		b := newBench(t)
		b.port.peer = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.99:7"), netip.MustParseAddrPort(tc.peer)}
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 1, Incoming: true}, nil)
		b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 1, Handle: "users", Elements: card})
		b.arrives(1, "hello")
		ss := b.Sessions()[0]
		if want := (Name{"users", tc.want}); ss.Peer() != want {
			t.Errorf("from %s: %v, want %v", tc.peer, ss.Peer(), want)
		}
		b.port.peer = nil
		b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 1, Handle: "others", Elements: card})
		if want := (Name{Pool: "others"}); ss.Peer() != want {
			t.Errorf("a later card: %v", ss.Peer())
		}
	}
}

// TestCardOfAnElement does not change whom a pool user's session is with.
func TestCardOfAnElement(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: ss.Assoc(), Handle: "another"})
	b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 99, Handle: "another"})
	if want := (Name{"pool", 1}); ss.Peer() != want {
		t.Errorf("%v, want %v", ss.Peer(), want)
	}
}

// TestFollowCard: what the pool user did not get goes to the element of its pool that takes its
// place, in order, and that is a failover like any other (OVR-4.2-04).
func TestFollowCard(t *testing.T) {
	b := newBench(t)
	o, err := Options{FailBack: true, Notifications: NotifyAll, FailoverLimit: 7 * time.Second}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	card := []protocol.Element{{ID: 5, User: at("192.0.2.5:7")}}
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 1, Incoming: true}, nil)
	b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 1, Handle: "users", Elements: card})
	b.arrives(1, "hello")
	ss := b.Sessions()[0]
	for _, text := range []string{"one", "two"} {
		ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
	}
	b.port.sent, b.posted = nil, nil
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.SendFailed, Assoc: 1}, []byte("two"))
	b.ends(1, assoc.ErrAborted)
	wantPosted(t, b, endpoint.FollowCard{Session: ss.ID(), Handle: "users", Card: card, Limit: 7 * time.Second, Err: assoc.ErrAborted}, endpoint.AssocLost{Assoc: 1, Err: assoc.ErrAborted})
	if !ss.Own() || ss.State() != Moving || ss.Assoc() != 0 {
		t.Errorf("it is %v, own %v", ss.State(), ss.Own())
	}
	b.served(ss)
	b.port.took(t, "1 two")
	if got := b.takes(ss); !slices.Equal(got, []string{"SessionAdded", "hello", "FailoverBegun", "FailoverCompleted"}) {
		t.Errorf("told %q", got)
	}
}

// TestFollowsNobody: without FailBack, with NoFailover, after the user's own end, or when he is no
// element the session ends with its association.
func TestFollowsNobody(t *testing.T) {
	for name, tc := range map[string]struct {
		options Options
		pool    protocol.PoolHandle
		why     error
	}{
		"no FailBack": {Options{}, "users", assoc.ErrAborted},
		"NoFailover":  {Options{FailBack: true, NoFailover: true}, "users", assoc.ErrAborted},
		"in order":    {Options{FailBack: true}, "users", nil},
		"no element":  {Options{FailBack: true}, "", assoc.ErrAborted},
	} {
		b := newBench(t)
		tc.options.Notifications = NotifyAll
		o, err := tc.options.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 1, Incoming: true}, nil)
		if tc.pool != "" {
			b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 1, Handle: tc.pool})
		}
		b.arrives(1, "hello")
		ss := b.Sessions()[0]
		b.ends(1, tc.why)
		if !ss.Ended() || ss.Own() || !errors.Is(ss.Err(), tc.why) {
			t.Errorf("%s: it goes on, or ended with %v", name, ss.Err())
		}
		if got := b.takes(ss); !slices.Equal(got, []string{"SessionAdded", "hello", "SessionRemoved"}) {
			t.Errorf("%s: told %q", name, got)
		}
	}
}
