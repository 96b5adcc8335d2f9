package session

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// scriptedPort is a transport that writes down what it is told.
type scriptedPort struct {
	sent  []string           // data: association and bytes
	infos []assoc.SendInfo   // how it was sent
	calls []string           // everything else
	set   []assoc.Params     // SetParams, all associations
	to    [][]netip.AddrPort // whom Connect was to reach

	lent    int   // bytes that were received and not returned
	full    bool  // Send has no room
	broken  error // what Send says otherwise
	waiting bool  // control messages are
	stuck   bool  // it cannot hold one association alone

	rto         time.Duration
	status      *assoc.Status // instead of rto
	local, peer []netip.AddrPort

	next    assoc.ID // that Connect returns
	refuses error    // what Connect says
	control error    // what SendControl says
}

func (p *scriptedPort) note(format string, args ...any) error {
	p.calls = append(p.calls, fmt.Sprintf(format, args...))
	return nil
}

func (p *scriptedPort) Send(b []byte, info *assoc.SendInfo) error {
	if p.full {
		return assoc.ErrWouldBlock
	}
	if p.broken != nil {
		return p.broken
	}
	p.sent = append(p.sent, fmt.Sprintf("%d %s", info.Assoc, b))
	p.infos = append(p.infos, *info)
	return nil
}

func (p *scriptedPort) Connect(to []netip.AddrPort, params *assoc.Params) (assoc.ID, error) {
	p.to, p.set = append(p.to, to), append(p.set, *params)
	_ = p.note("connect")
	return p.next, p.refuses
}

func (p *scriptedPort) Status(assoc.ID) (assoc.Status, error) {
	if p.status != nil {
		return *p.status, nil
	}
	return assoc.Status{Paths: []assoc.PathStatus{{RTO: p.rto}}}, nil
}

func (p *scriptedPort) AssocAddrs(assoc.ID) (local, peer []netip.AddrPort, err error) {
	return p.local, p.peer, nil
}

func (p *scriptedPort) SendControl(id assoc.ID, _ uint32, _ []byte) error {
	_ = p.note("control %d", id)
	return p.control
}

func (p *scriptedPort) SetParams(_ assoc.ID, params assoc.Params) error {
	p.set = append(p.set, params)
	return nil
}

func (p *scriptedPort) PauseReceive(id assoc.ID) bool {
	_ = p.note("pause %d", id)
	return !p.stuck
}

func (p *scriptedPort) ResumeReceive(id assoc.ID) bool {
	_ = p.note("resume %d", id)
	return !p.stuck
}

func (p *scriptedPort) Shutdown(id assoc.ID) error        { return p.note("shutdown %d", id) }
func (p *scriptedPort) Abort(id assoc.ID, _ string) error { return p.note("abort %d", id) }
func (p *scriptedPort) Flush(id assoc.ID)                 { _ = p.note("flush %d", id) }
func (p *scriptedPort) Forget(id assoc.ID)                { _ = p.note("forget %d", id) }
func (p *scriptedPort) Waiting(assoc.ID) bool             { return p.waiting }
func (p *scriptedPort) Return(_ assoc.ID, bytes, _ int)   { p.lent -= bytes }

// told compares what the transport was told since the last call, but for data.
func (p *scriptedPort) told(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(p.calls, want) {
		t.Errorf("the transport was told %q, want %q", p.calls, want)
	}
	p.calls = nil
}

// took compares the data that the transport took since the last call.
func (p *scriptedPort) took(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(p.sent, want) {
		t.Errorf("the transport took %q, want %q", p.sent, want)
	}
	p.sent, p.infos = nil, nil
}

// bench is the Table of a pool element on such a transport.
type bench struct {
	*Table
	port   *scriptedPort
	now    time.Time
	posted []endpoint.Event
}

func newBench(t *testing.T) *bench {
	b := &bench{now: time.Unix(1e9, 0), port: &scriptedPort{}}
	o, err := Options{Notifications: NotifyAll}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	b.Table = New(Config{
		Options: o, MaxMessage: 1 << 20, CookieLife: time.Hour, PerSession: true,
		Post:   func(e endpoint.Event) { b.posted = append(b.posted, e) },
		Encode: func(_ assoc.ID, m asap.Message) ([]byte, error) { return asap.Append(nil, m) },
		Decode: func(_ *assoc.RecvInfo, data []byte) (asap.Message, []protocol.Cause) {
			m, report, _ := asap.Parse(data)
			return m, report
		},
		Random: func([]byte) {},
	})
	b.Attach(b.port, b.port, true)
	b.SetService(Service{Serving: true, Registered: true, Pool: "pool"})
	return b
}

// arrives lets a message come on an association.
func (b *bench) arrives(id assoc.ID, data string) {
	b.port.lent += len(data)
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.Message, Assoc: id}, []byte(data))
}

// echoes lets a pool user bring a cookie.
func (b *bench) echoes(id assoc.ID, cookie string) {
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: id, Incoming: true}, nil)
	b.Perform(b.now, endpoint.CookieEchoReceived{Assoc: id, Data: []byte(cookie)})
}

// later lets time pass.
func (b *bench) later(d time.Duration) {
	for end := b.now.Add(d); ; {
		at, ok := b.Next()
		if !ok || at.After(end) {
			b.now = end
			return
		}
		b.now = at
		b.Advance(at)
	}
}

// takes reads all that a session has.
func (b *bench) takes(ss *Session) (out []string) {
	for {
		var info RecvInfo
		data, err := b.Take(b.now, ss, &info)
		switch {
		case errors.Is(err, ErrWouldBlock):
			return out
		case info.Notification != nil:
			out = append(out, info.Notification.Type.String())
		case info.CookieEcho:
			out = append(out, "echo "+string(data))
		default:
			out = append(out, string(data))
		}
	}
}

// ok fails a test for an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoMoreThanSoManyWaitForAccept: then those that come with a message are aborted,
// and those that come with a cookie.
func TestNoMoreThanSoManyWaitForAccept(t *testing.T) {
	b := newBench(t)
	b.SetService(Service{Pool: "pool"})
	ok(t, b.Listen(b.now, 10))
	b.SetService(Service{Serving: true, Pool: "pool"})
	for id := range assoc.ID(MaxWaiting) {
		b.arrives(id+1, "hello")
	}
	b.port.calls = nil
	b.arrives(5001, "hello")
	b.echoes(5002, "a state")
	if want := []string{"abort 5001", "abort 5002"}; !slices.Equal(b.port.calls, want) || b.Len() != MaxWaiting {
		t.Errorf("%v, %d sessions", b.port.calls, b.Len())
	}
	ss := b.Accept(b.now)
	if got := b.takes(ss); !slices.Equal(got, []string{"SessionAdded", "hello"}) {
		t.Errorf("the first one has %v", got)
	}
	b.echoes(5003, "a state")
	if b.Len() != MaxWaiting+1 {
		t.Error("there is room for one more")
	}
}

// TestWhatIsReadIsGivenBack: what the program has read counts no more against the
// window but for little, however large the buffer is: others may leave the session
// no more than a small share of memory, and it must not be full of what nobody keeps.
func TestWhatIsReadIsGivenBack(t *testing.T) {
	b := newBench(t)
	for range 200 {
		b.arrives(1, "a message")
		b.takes(b.Sessions()[0])
		if b.port.lent >= 2<<10 {
			t.Fatalf("%d bytes are owed", b.port.lent)
		}
	}
}

// TestDraining ends a session when nothing more is to be expected of it, and not
// before it was read.
func TestDraining(t *testing.T) {
	const listens = 500 * time.Millisecond
	stop := func(b *bench) { b.Perform(b.now, endpoint.CookieEchoReceived{Assoc: 1}) }
	for name, tc := range map[string]struct {
		rto  time.Duration
		do   func(b *bench, ss *Session)
		from time.Duration // when it ends, at the earliest
	}{
		"answered, and the user has stopped": {0, func(b *bench, ss *Session) {
			b.takes(ss)
			_ = b.Send(b.now, ss, []byte("answer"), &SendInfo{})
			stop(b)
		}, drainPause},
		"answered, and the user does not listen": {0, func(b *bench, ss *Session) { b.takes(ss); _ = b.Send(b.now, ss, []byte("answer"), &SendInfo{}) }, listens},
		"on a slow path":                         {time.Second, func(b *bench, ss *Session) { b.takes(ss); _ = b.Send(b.now, ss, []byte("answer"), &SendInfo{}) }, 3 * time.Second},
		"not answered":                           {0, func(b *bench, ss *Session) { b.takes(ss); stop(b) }, drainPatience},
		"not read":                               {0, func(b *bench, _ *Session) { stop(b) }, time.Hour},
		"a message comes in the last moment": {0, func(b *bench, ss *Session) {
			b.takes(ss)
			_ = b.Send(b.now, ss, []byte("answer"), &SendInfo{})
			stop(b)
			b.later(drainPause)
			b.arrives(1, "wait")
		}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.port.rto = tc.rto
			b.arrives(1, "request")
			ss := b.Sessions()[0]
			b.Drain(b.now)
			tc.do(b, ss)
			b.later(tc.from - time.Millisecond)
			if ss.Over() {
				t.Fatal("it has ended too early")
			}
			if b.later(drainLook + 2*time.Millisecond); tc.from < time.Hour && !ss.Over() {
				t.Error("it does not end")
			}
		})
	}
}

// TestWhoComesWhileDraining is asked to move when he has his state, which is what he
// takes along.
func TestWhoComesWhileDraining(t *testing.T) {
	b := newBench(t)
	b.Drain(b.now)
	b.echoes(1, "a state")
	b.later(0)
	var cookies []string
	for _, e := range b.posted {
		if c, is := e.(endpoint.SendCookie); is {
			f, _ := readCookieFrame(c.Data)
			cookies = append(cookies, fmt.Sprintf("%s %v %v", f.state, f.flags&frameMove != 0, f.flags&frameEmpty != 0))
		}
	}
	if want := []string{"a state true false"}; !slices.Equal(cookies, want) {
		t.Errorf("%v, want %v", cookies, want)
	}
}

// user opens a session of a pool user, which is served by an element at once.
func (b *bench) user(t *testing.T, o Options) *Session {
	t.Helper()
	o.Notifications = NotifyAll
	o, err := o.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.served(ss)
	return ss
}

// served gives a session its next element.
func (b *bench) served(ss *Session) {
	b.servedAt(ss, protocol.Transport{Protocol: protocol.SCTP})
}

func (b *bench) servedAt(ss *Session, at protocol.Transport) {
	b.chosen(ss, at)
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: b.port.next}, nil)
}

// chosen has a session connect to its next element.
func (b *bench) chosen(ss *Session, at protocol.Transport) {
	b.port.next++
	b.Perform(b.now, endpoint.UsePE{Session: ss.ID(), Element: protocol.Element{ID: protocol.PEID(b.port.next), User: at}})
}

// ends ends an association; nil: in order.
func (b *bench) ends(id assoc.ID, why error) {
	kind := assoc.CommLost
	if why == nil {
		kind = assoc.ShutdownComplete
	}
	b.Handle(b.now, &assoc.RecvInfo{Kind: kind, Assoc: id, Err: why}, nil)
}

// lost ends the association of a session, which gives some messages back.
func (b *bench) lost(messages ...string) {
	for _, m := range messages {
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.SendFailed, Assoc: b.port.next}, []byte(m))
	}
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommLost, Assoc: b.port.next, Err: assoc.ErrAborted}, nil)
}

// TestGate: after a failover nothing is sent until the program has read of it, then only
// what it sends now, and after Resume the rest. Of two failovers the second counts.
func TestGate(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{HoldFailover: true})
	send := func(text string) { ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{})) }
	sent := func(want ...string) {
		t.Helper()
		if !slices.Equal(b.port.sent, want) {
			t.Errorf("sent %q, want %q", b.port.sent, want)
		}
		b.port.sent = nil
	}
	send("one")
	sent("1 one")
	b.takes(ss)
	b.lost("one")
	b.served(ss)
	send("two")
	sent()
	if got := b.takes(ss); !slices.Equal(got, []string{"FailoverBegun", "FailoverCompleted"}) {
		t.Errorf("told %q", got)
	}
	send("repair")
	sent("2 repair")
	b.lost("repair")
	b.served(ss)
	b.Resume(b.now, ss) // for the one that is lost by now
	sent()
	b.takes(ss)
	send("repair again")
	b.Resume(b.now, ss)
	sent("3 repair again", "3 repair", "3 one", "3 two")
}

// TestReplayCountsFromTheCookie: what the cookie covers is not sent again, all else is, in
// order.
func TestReplayCountsFromTheCookie(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{Replay: true})
	for _, text := range []string{"one", "two", "three"} {
		ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
	}
	frame := cookieFrame{covered: 2}
	b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: frame.seal(nil, "pool", nil)})
	b.port.sent = nil
	if st := b.Status(ss); st.Uncovered != 1 || st.Queued != len("three") {
		t.Errorf("%+v", st)
	}
	b.lost("two", "three")
	b.served(ss)
	if want := []string{"2 three"}; !slices.Equal(b.port.sent, want) {
		t.Errorf("sent %q, want %q", b.port.sent, want)
	}
	frame.covered = 9 // more than was sent: a cookie cannot cover that
	b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: frame.seal(nil, "pool", nil)})
	if st := b.Status(ss); st.Uncovered != 1 {
		t.Errorf("%+v", st)
	}
}

// TestInDoubt counts what a transport took and has not given back, without what was
// answered.
func TestInDoubt(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	for _, text := range []string{"one", "two", "three", "four"} {
		ok(t, b.Send(b.now, ss, []byte(text), &SendInfo{}))
	}
	b.arrives(1, "answer to one")
	b.lost("four")
	b.served(ss)
	var info RecvInfo
	for {
		_, err := b.Take(b.now, ss, &info)
		ok(t, err)
		if n := info.Notification; n != nil && n.Type == FailoverCompleted {
			if n.InDoubt != 2 || n.Resent != 1 || n.Old != 1 || n.New != 2 {
				t.Errorf("%+v", *n)
			}
			break
		}
	}
	if b.Status(ss).Failovers != 1 || b.port.sent[len(b.port.sent)-1] != "2 four" {
		t.Errorf("%+v, sent %q", b.Status(ss), b.port.sent)
	}
}

// TestRoom: a session that refused a message has room again when the transport says so,
// is told so once, and gives up a peer that takes nothing for SendLimit.
func TestRoom(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{SendLimit: time.Minute})
	b.takes(ss)
	refused := func() {
		t.Helper()
		if err := b.Send(b.now, ss, []byte("x"), &SendInfo{}); !errors.Is(err, ErrWouldBlock) || ss.Writable() {
			t.Errorf("%v, writable %v", err, ss.Writable())
		}
	}
	b.port.full = true
	refused()
	refused()
	b.port.full = false
	b.Writable(b.now, 1)
	if got := b.takes(ss); !slices.Equal(got, []string{"SendReady"}) || !ss.Writable() {
		t.Errorf("told %q", got)
	}
	b.port.full = true
	refused()
	b.port.calls = nil
	b.later(59 * time.Second)
	if len(b.port.calls) > 0 {
		t.Errorf("too early: %v", b.port.calls)
	}
	b.later(2 * time.Second)
	if !slices.Equal(b.port.calls, []string{"abort 1"}) {
		t.Errorf("%v", b.port.calls)
	}
	b.lost()
	if !ss.Ended() || !errors.Is(ss.Err(), ErrSendLimit) {
		t.Errorf("it goes on: %v", ss.Err())
	}
}

// TestNothingIsLeftOfSessions that have ended and were read: no session, association or
// deadline.
func TestNothingIsLeftOfSessions(t *testing.T) {
	b := newBench(t)
	for id := range assoc.ID(50) {
		b.echoes(id+100, "state")
		b.arrives(id+100, "hello")
		ss := b.Sessions()[0]
		b.takes(ss)
		b.Finish(b.now, ss)
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.ShutdownComplete, Assoc: id + 100}, nil)
	}
	for range 50 {
		ss := b.user(t, Options{})
		b.Abort(b.now, ss)
		b.lost()
	}
	if s := b.Size(); s != (Size{}) || !b.Quiet() {
		t.Errorf("left: %+v", s)
	}
	changes := 0
	b.Changed(func(Change) { changes++ })
	b.Changed(func(Change) { t.Error("told twice") })
	if changes == 0 {
		t.Error("nothing was told")
	}
}

// TestFailBackWhileDraining: a session that goes on with another element of its pool
// user's pool is drained no more, and so with NoFailover it does not go on.
func TestFailBackWhileDraining(t *testing.T) {
	for _, stays := range []bool{true, false} {
		b := newBench(t)
		o, err := Options{FailBack: true, NoFailover: !stays}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommUp, Assoc: 1, Incoming: true}, nil)
		b.Perform(b.now, endpoint.BusinessCardReceived{Assoc: 1, Handle: "users"})
		b.arrives(1, "hello")
		ss := b.Sessions()[0]
		b.takes(ss)
		b.Drain(b.now)
		b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.CommLost, Assoc: 1, Err: assoc.ErrAborted}, nil)
		b.EndDrain(b.now, false)
		b.later(time.Minute)
		if ss.Over() == stays || ss.Own() != stays {
			t.Errorf("NoFailover %v: over %v, goes on %v", !stays, ss.Over(), ss.Own())
		}
	}
}

// TestObserved tells everything, whatever the program wants to know, and of whom it was.
func TestObserved(t *testing.T) {
	b := newBench(t)
	b.cfg.Observe = true
	o, err := Options{}.Resolve()
	ok(t, err)
	ok(t, b.SetDefaults(o))
	ss, err := b.Open(b.now, "pool", 0)
	ok(t, err)
	b.served(ss)
	ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{Lifetime: time.Second}))
	b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.SendFailed, Assoc: 1, Context: bounded}, []byte("x"))
	b.lost()
	b.served(ss)
	var got []string
	for _, o := range b.Observed() {
		got = append(got, fmt.Sprint(o.Type, " ", uint32(o.Peer.PE)))
	}
	if want := []string{"SessionAdded 1", "Undelivered 1", "FailoverBegun 1", "FailoverCompleted 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
