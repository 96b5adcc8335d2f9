package session

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

var (
	key  = bytes.Repeat([]byte{1}, 32)
	born = time.Unix(1e9, 0)
)

func salt(b []byte) { copy(b, "a salt of sixteen bytes") }

// cookies are those that a Table has sent since the last call.
func (b *bench) cookies() (out [][]byte) {
	for _, e := range b.posted {
		if c, is := e.(endpoint.SendCookie); is {
			out = append(out, c.Data)
		}
	}
	b.posted = nil
	return out
}

// TestCookieTimes: a cookie counts to the last millisecond of its life, and one from the future
// only as far as clocks may be apart; one that nobody sealed has no times that count.
func TestCookieTimes(t *testing.T) {
	for name, tc := range map[string]struct {
		made, expires time.Duration // after now
		err           error
	}{
		"now":                       {0, time.Hour, nil},
		"old":                       {-time.Hour, time.Hour, nil},
		"in its last moment":        {-time.Hour, 0, nil},
		"expired":                   {-time.Hour, -time.Millisecond, ErrCookieExpired},
		"from a clock that is fast": {clockSkew, time.Hour, nil},
		"from the future":           {clockSkew + time.Millisecond, time.Hour, ErrCookieExpired},
		"for ever, from the future": {1000 * time.Hour, 2000 * time.Hour, ErrCookieExpired},
	} {
		e := cookieFrame{made: born.Add(tc.made), expires: born.Add(tc.expires), state: []byte("x")}
		if _, err := openCookie(e.seal(key, "pool", salt), key, "pool", born); !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
		if _, err := openCookie(e.seal(nil, "pool", nil), nil, "pool", born); err != nil {
			t.Errorf("%s, not sealed: %v", name, err)
		}
	}
	if clockSkew != 5*time.Minute {
		t.Errorf("clocks may be %v apart", clockSkew)
	}
}

// TestCookieFrame: what a frame says comes out of it again, sealed or not.
func TestCookieFrame(t *testing.T) {
	for _, sealed := range [][]byte{nil, key} {
		for _, flags := range []uint8{0, frameEmpty, frameMove, frameLeft, frameEmpty | frameLeft} {
			e := cookieFrame{flags: flags | frameSealed, covered: 1<<40 + 3, made: born, expires: born.Add(time.Minute), state: []byte("state")}
			b := e.seal(sealed, "pool", salt)
			head, is := readCookieFrame(b)
			got, err := openCookie(b, sealed, "pool", born)
			if !is || err != nil {
				t.Fatalf("flags %x: %v, %v", flags, is, err)
			}
			for _, f := range []cookieFrame{head, got} {
				if f.flags&^frameSealed != flags || (f.flags&frameSealed != 0) != (sealed != nil) || f.covered != e.covered || !f.made.Equal(e.made) || !f.expires.Equal(e.expires) {
					t.Errorf("flags %x: %+v", flags, f)
				}
			}
			if string(got.state) != "state" || CarriesState(b) != (flags&frameEmpty == 0) {
				t.Errorf("flags %x: state %q", flags, got.state)
			}
			if want := frameHead + len("state"); sealed == nil && len(b) != want || sealed != nil && bytes.Contains(b, []byte("state")) {
				t.Errorf("flags %x: %q", flags, b)
			}
		}
	}
	empty := cookieFrame{}
	if _, is := readCookieFrame(empty.seal(nil, "pool", nil)); !is {
		t.Error("a head alone is no frame")
	}
	if _, is := readCookieFrame(empty.seal(nil, "pool", nil)[:frameHead-1]); is {
		t.Error("less than a head is a frame")
	}
}

// TestCookieRefused: why.
func TestCookieRefused(t *testing.T) {
	e := cookieFrame{covered: 5, made: born, expires: born.Add(time.Hour), state: []byte("state")}
	sealed, open := e.seal(key, "pool", salt), e.seal(nil, "pool", nil)
	changed := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 0x80
		return b
	}
	for name, tc := range map[string]struct {
		b, key []byte
		pool   string
		err    error
	}{
		"another key":         {sealed, bytes.Repeat([]byte{2}, 32), "pool", ErrCookieForged},
		"another pool":        {sealed, key, "loop", ErrCookieForged},
		"no key":              {sealed, nil, "pool", ErrCookieSealed},
		"not sealed":          {open, key, "pool", ErrCookieForged},
		"a program's own":     {[]byte("state"), key, "pool", ErrCookieForged},
		"without its salt":    {sealed[:frameHead+frameSalt-1], key, "pool", ErrCookieFormat},
		"nothing but a salt":  {sealed[:frameHead+frameSalt], key, "pool", ErrCookieForged},
		"more flags":          {changed(4), key, "pool", ErrCookieForged},
		"covers more":         {changed(8), key, "pool", ErrCookieForged},
		"a later end":         {changed(24), key, "pool", ErrCookieForged},
		"another salt":        {changed(frameHead), key, "pool", ErrCookieForged},
		"damaged at its end":  {changed(len(sealed) - 1), key, "pool", ErrCookieForged},
		"as it was":           {sealed, key, "pool", nil},
		"open, without a key": {open, nil, "pool", nil},
	} {
		if got, err := openCookie(tc.b, tc.key, tc.pool, born); !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) || err == nil && string(got.state) != "state" {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
	}
	a, b := e.seal(key, "pool", salt), e.seal(key, "pool", func(b []byte) { copy(b, "another") })
	if bytes.Equal(a[frameHead+frameSalt:], b[frameHead+frameSalt:]) {
		t.Error("the salt does not change the encryption")
	}
}

// TestSendCookieRefused says why, and takes the largest state.
func TestSendCookieRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(b *bench, ss *Session)
		size    int
		err     error
	}{
		"the largest":       {func(*bench, *Session) {}, 60000, nil},
		"empty":             {func(*bench, *Session) {}, 0, nil},
		"too large":         {func(*bench, *Session) {}, 60001, ErrMessageSize},
		"data only":         {func(b *bench, _ *Session) { b.SetService(Service{Serving: true, DataOnly: true}) }, 1, ErrInvalid},
		"the user has gone": {func(b *bench, _ *Session) { b.ends(1, nil) }, 1, ErrNotConnected},
		"the user ends it": {func(b *bench, _ *Session) {
			b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.ShutdownEvent, Assoc: 1}, nil)
		}, 1, ErrNotConnected},
		"no room": {func(b *bench, _ *Session) { b.port.waiting = true }, 1, ErrWouldBlock},
	} {
		b := newBench(t)
		b.arrives(1, "hello")
		ss := b.Sessions()[0]
		tc.prepare(b, ss)
		b.posted = nil
		err := b.SendCookie(b.now, ss, make([]byte, tc.size))
		if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
		if sent := len(b.cookies()); (sent == 1) != (err == nil) || ss.Full() != (tc.err == ErrWouldBlock) {
			t.Errorf("%s: %d cookies, full %v", name, sent, ss.Full())
		}
	}
	b := newBench(t)
	if err := b.SendCookie(b.now, b.user(t, Options{}), nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("by a pool user: %v", err)
	}
}

// TestCookieStandsForWhatWasTaken: a plain state goes as it is; with a key, with Replay, or when it
// looks like one of ours it is framed, and says how many messages were taken and how long it counts.
func TestCookieStandsForWhatWasTaken(t *testing.T) {
	for name, tc := range map[string]struct {
		state  string
		key    []byte
		replay bool
		framed bool
	}{
		"plain":           {"state", nil, false, false},
		"looks like ours": {frameMagic, nil, false, true},
		"key":             {"state", key, false, true},
		"replay":          {"state", nil, true, true},
	} {
		b := newBench(t)
		o, err := Options{Replay: tc.replay}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		b.SetService(Service{Serving: true, Pool: "pool", PoolKey: tc.key})
		for range 3 {
			b.arrives(1, "hello")
		}
		ss := b.Sessions()[0]
		var info RecvInfo
		for range 2 {
			_, err := b.Take(b.now, ss, &info)
			ok(t, err)
		}
		b.posted = nil
		ok(t, b.SendCookie(b.now, ss, []byte(tc.state)))
		sent := b.cookies()[0]
		if f, is := readCookieFrame(sent); is != tc.framed || is && (f.covered != 2 || !f.made.Equal(b.now) || !f.expires.Equal(b.now.Add(time.Hour))) {
			t.Errorf("%s: %v %+v", name, is, f)
		}
		if e, err := openCookie(sent, tc.key, "pool", b.now); err != nil || string(e.state) != tc.state {
			t.Errorf("%s: %q, %v", name, e.state, err)
		}
	}
}

// TestTellLeft repeats the last state with the news, or has only the news.
func TestTellLeft(t *testing.T) {
	for name, tc := range map[string]struct {
		state string
		flags uint8
	}{"a state": {"state", frameLeft}, "none": {"", frameLeft | frameEmpty}} {
		b := newBench(t)
		b.arrives(1, "hello")
		ss := b.Sessions()[0]
		b.takes(ss)
		if tc.state != "" {
			ok(t, b.SendCookie(b.now, ss, []byte(tc.state)))
		}
		for range 2 { // what was said once does not stick to the state
			b.posted = nil
			b.now = b.now.Add(time.Minute)
			b.TellLeft(b.now)
			sent := b.cookies()
			if f, is := readCookieFrame(sent[0]); len(sent) != 1 || !is || f.flags != tc.flags || string(f.state) != tc.state || !f.made.Equal(b.now) {
				t.Errorf("%s: %+v", name, f)
			}
		}
		b.SetService(Service{Serving: true, DataOnly: true})
		b.TellLeft(b.now)
		b.ends(1, nil)
		b.SetService(Service{Serving: true})
		b.TellLeft(b.now)
		if len(b.cookies()) != 0 {
			t.Errorf("%s: told where there is no way", name)
		}
	}
}

// TestCookieToAPoolUser: what its head says is done; other cookies say nothing.
func TestCookieToAPoolUser(t *testing.T) {
	for name, tc := range map[string]struct {
		cookie  []byte
		left    bool
		moves   bool
		covered int
	}{
		"plain":          {cookie: []byte("state")},
		"state":          {cookie: (&cookieFrame{covered: 2}).seal(nil, "", nil), covered: 2},
		"sealed":         {cookie: (&cookieFrame{covered: 2}).seal(key, "", salt), covered: 2},
		"nothing":        {cookie: (&cookieFrame{covered: 2, flags: frameEmpty}).seal(nil, "", nil)},
		"left":           {cookie: (&cookieFrame{flags: frameEmpty | frameLeft}).seal(nil, "", nil), left: true},
		"left, state":    {cookie: (&cookieFrame{covered: 1, flags: frameLeft}).seal(nil, "", nil), left: true, covered: 1},
		"move":           {cookie: (&cookieFrame{flags: frameEmpty | frameMove}).seal(nil, "", nil), left: true, moves: true},
		"move and state": {cookie: (&cookieFrame{covered: 3, flags: frameMove}).seal(nil, "", nil), left: true, moves: true, covered: 3},
	} {
		b := newBench(t)
		ss := b.user(t, Options{Replay: true})
		for range 3 {
			ok(t, b.Send(b.now, ss, []byte("x"), &SendInfo{}))
		}
		b.takes(ss)
		b.posted, b.port.calls = nil, nil
		b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: tc.cookie})
		left := slices.Contains(b.posted, endpoint.Event(endpoint.PELeft{Session: ss.ID()}))
		if left != tc.left || b.Status(ss).Uncovered != 3-tc.covered {
			t.Errorf("%s: left %v, %+v", name, left, b.Status(ss))
		}
		told := b.takes(ss)
		if moves := slices.Equal(told, []string{"Shutdown"}) && ss.State() == Ending && slices.Equal(b.port.calls, []string{"control 1"}); moves != tc.moves {
			t.Errorf("%s: moves %v, told %q", name, moves, told)
		}
		if !tc.moves {
			continue
		}
		b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: tc.cookie}) // once is enough
		b.port.told(t, "control 1")
		ok(t, b.Send(b.now, ss, []byte("later"), &SendInfo{}))
		if len(b.port.sent) != 3 {
			t.Errorf("%s: it was sent to who wants no more", name)
		}
	}
}

// TestCookieOfNobody: no session, one that has ended.
func TestCookieOfNobody(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{})
	b.ends(1, assoc.ErrAborted)
	b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
	b.posted = nil
	for _, id := range []ID{ss.ID(), 99} {
		b.Perform(b.now, endpoint.CookieReceived{Session: id, Data: (&cookieFrame{flags: frameLeft}).seal(nil, "", nil)})
	}
	wantPosted(t, b)
}

// TestCookieEcho begins a session with the state that the pool user brings, once, and only where
// there is a way for cookies.
func TestCookieEcho(t *testing.T) {
	frame := func(e cookieFrame) string { return string(e.seal(nil, "pool", nil)) }
	for name, tc := range map[string]struct {
		cookie  string
		want    []string
		covered uint64
		flags   uint8
	}{
		"plain":  {"state", []string{"SessionAdded", "echo state"}, 0, 0},
		"framed": {frame(cookieFrame{covered: 7, state: []byte("state")}), []string{"SessionAdded", "echo state"}, 7, 0},
		"empty":  {frame(cookieFrame{covered: 7, flags: frameEmpty | frameLeft}), []string{"SessionAdded"}, 7, frameEmpty},
	} {
		b := newBench(t)
		o, err := Options{Replay: true, Notifications: NotifyAll}.Resolve()
		ok(t, err)
		ok(t, b.SetDefaults(o))
		b.echoes(1, tc.cookie)
		b.echoes(1, "once more")
		ss := b.Sessions()[0]
		if got := b.takes(ss); !slices.Equal(got, tc.want) || b.Len() != 1 {
			t.Errorf("%s: %q, %d sessions", name, got, b.Len())
		}
		b.arrives(1, "hello")
		b.takes(ss)
		b.posted = nil
		b.TellLeft(b.now) // what was brought goes on, what was said to the user before does not
		ok(t, b.SendCookie(b.now, ss, []byte("new")))
		sent := b.cookies()
		old, _ := readCookieFrame(sent[0])
		latest, _ := readCookieFrame(sent[1])
		if old.covered != tc.covered || old.flags != tc.flags|frameLeft || latest.covered != tc.covered+1 {
			t.Errorf("%s: the cookies cover %d (flags %x) and %d", name, old.covered, old.flags, latest.covered)
		}
	}
	for name, s := range map[string]Service{"not serving": {}, "data only": {Serving: true, DataOnly: true}} {
		b := newBench(t)
		b.SetService(s)
		if b.echoes(1, "state"); b.Len() != 0 {
			t.Errorf("%s: a session has begun", name)
		}
	}
	b := newBench(t)
	b.Perform(b.now, endpoint.CookieEchoReceived{Assoc: 5})
	b.arrives(1, "hello")
	b.Finish(b.now, b.Sessions()[0])
	b.Perform(b.now, endpoint.CookieEchoReceived{Assoc: 1})
	if b.Len() != 0 {
		t.Error("a session has begun on an association that ends, or is none")
	}
}

// TestCookieRejected: the program is told why, and the session begins without a state.
func TestCookieRejected(t *testing.T) {
	b := newBench(t)
	b.SetService(Service{Serving: true, Pool: "pool", PoolKey: key})
	old := cookieFrame{covered: 9, made: b.now.Add(-2 * time.Hour), expires: b.now.Add(-time.Hour), state: []byte("state")}
	b.echoes(1, string(old.seal(key, "pool", salt)))
	ss := b.Sessions()[0]
	var info RecvInfo
	for _, want := range []NotificationType{SessionAdded, CookieRejected} {
		_, err := b.Take(b.now, ss, &info)
		ok(t, err)
		if n := info.Notification; n == nil || n.Type != want || (want == CookieRejected) != errors.Is(n.Err, ErrCookieExpired) {
			t.Errorf("%+v, want %v", n, want)
		}
	}
	if got := b.takes(ss); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if logs := b.Logs(); !slices.ContainsFunc(logs, func(l Log) bool {
		return l.Level == endpoint.Warn && strings.Contains(l.Text+fmt.Sprint(l.Args...), "rejected")
	}) {
		t.Errorf("%v", logs)
	}
	b.posted = nil
	ok(t, b.SendCookie(b.now, ss, []byte("new")))
	if f, _ := readCookieFrame(b.cookies()[0]); f.covered != 0 {
		t.Errorf("it covers %d messages", f.covered)
	}
}
