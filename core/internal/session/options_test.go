package session

import (
	"errors"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// TestResolve: nonsense is found, and what is at the edge of it is not.
func TestResolve(t *testing.T) {
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		o    Options
		good bool
	}{
		"nothing":                  {Options{}, true},
		"send buffer":              {Options{SendBuffer: -1}, false},
		"receive buffer":           {Options{ReceiveBuffer: -1}, false},
		"equal timeouts":           {Options{RTOInitial: ms, RTOMin: ms, RTOMax: ms}, true},
		"minimum below 0":          {Options{RTOInitial: ms, RTOMin: -1, RTOMax: ms}, false},
		"maximum below minimum":    {Options{RTOInitial: 2 * ms, RTOMin: 2 * ms, RTOMax: ms}, false},
		"initial below minimum":    {Options{RTOInitial: ms, RTOMin: 2 * ms, RTOMax: 3 * ms}, false},
		"initial above maximum":    {Options{RTOInitial: 4 * ms, RTOMin: 2 * ms, RTOMax: 3 * ms}, false},
		"path retransmissions":     {Options{PathRetransmits: -1}, false},
		"retransmissions":          {Options{AssocRetransmits: -1}, false},
		"the largest codepoint":    {Options{DSCP: 63}, true},
		"no codepoint":             {Options{DSCP: 64}, false},
		"negative codepoint":       {Options{DSCP: -1}, false},
		"replay":                   {Options{Replay: true}, true},
		"no failover":              {Options{NoFailover: true}, true},
		"replay without failover":  {Options{Replay: true, NoFailover: true}, false},
		"all notifications":        {Options{Notifications: NotifyAll}, true},
		"more notifications":       {Options{Notifications: NotifyAll + 1}, false},
		"no heartbeats":            {Options{Heartbeat: -1}, true},
		"for ever, without limits": {Options{FailoverLimit: -1, SendLimit: -1}, true},
	} {
		if _, err := tc.o.Resolve(); (err == nil) != tc.good || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDefaults fill in what is not set, and raise buffers that are too small.
func TestDefaults(t *testing.T) {
	o, err := Options{}.Resolve()
	ok(t, err)
	d := assoc.Default()
	want := Options{
		FailoverLimit: 15 * time.Second, SendLimit: -1, SendBuffer: d.SendBuffer, ReceiveBuffer: d.ReceiveBuffer,
		RTOInitial: d.RTOInitial, RTOMin: d.RTOMin, RTOMax: d.RTOMax, Heartbeat: d.HeartbeatInterval,
		PathRetransmits: d.PathMaxRetrans, AssocRetransmits: d.AssocMaxRetrans,
	}
	if o != want {
		t.Errorf("%+v, want %+v", o, want)
	}
	if again, err := o.Resolve(); err != nil || again != o {
		t.Errorf("resolved twice: %+v, %v", again, err)
	}
	chosen := Options{
		FailoverLimit: 1, SendLimit: 2, SendBuffer: MinBuffer + 1, ReceiveBuffer: MinBuffer + 2, RTOInitial: 4, RTOMin: 3, RTOMax: 5,
		Heartbeat: 6, PathRetransmits: 7, AssocRetransmits: 8, DSCP: 9,
	}
	if o, err := chosen.Resolve(); err != nil || o != chosen {
		t.Errorf("%+v, %v", o, err)
	}
	small := Options{SendBuffer: 1, ReceiveBuffer: 4095}
	if o, err := small.Resolve(); err != nil || o.SendBuffer != 4096 || o.ReceiveBuffer != 4096 {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestParams are what the transport is told of options; where it cannot lend, one half of the receive
// buffer is the session's.
func TestParams(t *testing.T) {
	o := Options{
		SendBuffer: 10000, ReceiveBuffer: 20000, RTOInitial: 4, RTOMin: 3, RTOMax: 5, Heartbeat: 6, PathRetransmits: 7, AssocRetransmits: 8, DSCP: 9,
	}
	want := assoc.Params{
		SendBuffer: 10000, ReceiveBuffer: 20000, RTOInitial: 4, RTOMin: 3, RTOMax: 5, HeartbeatInterval: 6, PathMaxRetrans: 7, AssocMaxRetrans: 8, DSCP: 9,
	}
	b := newBench(t)
	if got := b.params(o); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	b.cfg.Options = o
	endpoint := want
	endpoint.MaxMessage, endpoint.OutStreams = 1<<20, Streams
	if got := b.EndpointParams(); got != endpoint {
		t.Errorf("%+v, want %+v", got, endpoint)
	}
	b.cfg.MaxMessage = 1 // of the program: the messages of ASAP are longer
	if got := b.EndpointParams().MaxMessage; got != 1<<16-1 {
		t.Errorf("the endpoint carries messages of %d bytes", got)
	}
	b.port.set = nil
	b.Attach(b.port, b.port, true)
	if len(b.port.set) != 0 {
		t.Errorf("where it lends: %+v", b.port.set)
	}
	b.Attach(b.port, b.port, false)
	want.ReceiveBuffer = 10000
	if got := b.params(o); got != want || len(b.port.set) != 1 || b.port.set[0] != (assoc.Params{SendBuffer: 10000, ReceiveBuffer: 10000}) {
		t.Errorf("%+v, %+v", got, b.port.set)
	}
	o.DSCP = 0
	if got := b.params(o).DSCP; got != -1 {
		t.Errorf("no codepoint is %d, which is that of before", got)
	}
}

// TestLeaveTiming: any of the options that tune the detection of failures leaves it to the program.
func TestLeaveTiming(t *testing.T) {
	for name, o := range map[string]Options{
		"initial": {RTOInitial: 350 * time.Millisecond}, "minimum": {RTOMin: 50 * time.Millisecond}, "maximum": {RTOMax: time.Second},
		"heartbeat": {Heartbeat: 2 * time.Second}, "path": {PathRetransmits: 9}, "association": {AssocRetransmits: 9},
	} {
		o, err := o.Resolve()
		ok(t, err)
		if o.leaveTiming() {
			t.Errorf("%s: it is chosen", name)
		}
	}
	o, err := Options{DSCP: 1, SendBuffer: 1, Replay: true, SendLimit: 1, FailoverLimit: 1}.Resolve()
	ok(t, err)
	if !o.leaveTiming() {
		t.Error("nothing is chosen")
	}
}

// TestSetOptions: those of a session count at once, those of the Table for the sessions to come.
func TestSetOptions(t *testing.T) {
	b := newBench(t)
	ss, other := b.user(t, Options{}), b.takesOver(7)
	o := ss.Options()
	b.posted, b.port.set = nil, nil
	o.RTOMax = time.Second
	ok(t, b.SetOptions(b.now, ss, o))
	wantPosted(t, b)
	if len(b.port.set) != 1 || b.port.set[0] != b.params(o) || ss.Options() != o || other.Options() == o || b.Options() == o {
		t.Errorf("%+v", b.port.set)
	}
	o.FailoverLimit = time.Minute
	ok(t, b.SetOptions(b.now, ss, o))
	wantPosted(t, b, endpoint.SetFailoverLimit{Session: ss.ID(), Limit: time.Minute})
	ok(t, b.SetOptions(b.now, other, o)) // an element's session has no such limit
	wantPosted(t, b)
	b.lost()
	b.port.set = nil
	o.DSCP = 7
	ok(t, b.SetOptions(b.now, ss, o))
	ok(t, b.SetDefaults(o))
	if len(b.port.set) != 1 || b.port.set[0].DSCP != 7 || b.Options() != o || ss.Options() != o {
		t.Errorf("without an association: %+v", b.port.set)
	}
	unattached := New(Config{})
	if err := unattached.SetDefaults(o); err != nil || unattached.Options() != o {
		t.Errorf("%v", err)
	}
}

// TestOptionsThatCannotBe: what the transport refuses changes nothing.
func TestOptionsThatCannotBe(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.Attach(refusing{b.port, assoc.ErrInvalid}, b.port, true)
	o := ss.Options()
	o.DSCP = 7
	if err := b.SetOptions(b.now, ss, o); !errors.Is(err, assoc.ErrInvalid) || ss.Options().DSCP != 0 {
		t.Errorf("%v, %+v", err, ss.Options())
	}
	if err := b.SetDefaults(o); !errors.Is(err, assoc.ErrInvalid) || b.Options().DSCP != 0 {
		t.Errorf("%v, %+v", err, b.Options())
	}
}

// TestSetOptionsWhenLost: the options of a session change also when its association has
// ended and the end was not told yet; they are those of the next one.
func TestSetOptionsWhenLost(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.Attach(refusing{b.port, assoc.ErrNotConnected}, b.port, true)
	o := ss.Options()
	o.DSCP, o.SendBuffer = 7, MinBuffer
	ok(t, b.SetOptions(b.now, ss, o))
	if ss.Options() != o {
		t.Errorf("%+v", ss.Options())
	}
}

// refusing is a transport that takes no parameters.
type refusing struct {
	*scriptedPort
	why error
}

func (r refusing) SetParams(assoc.ID, assoc.Params) error { return r.why }
