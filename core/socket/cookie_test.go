package socket

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/session"
)

// pe starts an element as a socket, with options of its own.
func (w *world) pe(pool string, change func(*Config), r Registration) (*process, *Socket) {
	w.Helper()
	p := w.process()
	cfg := p.config()
	if change != nil {
		change(&cfg)
	}
	s, err := NewSocket(cfg, "ip4")
	w.ok(err)
	w.Cleanup(func() { s.Close() })
	w.ok(s.Register(w.ctx, pool, r))
	return p, s
}

func (w *world) pu(pool string, change func(*Config)) *Socket {
	w.Helper()
	cfg := w.process().config()
	if change != nil {
		change(&cfg)
	}
	s, err := NewSocket(cfg, "ip4")
	w.ok(err)
	w.Cleanup(func() { s.Close() })
	w.ok(s.Connect(w.ctx, pool))
	return s
}

// got is what TryRecv returned, in a line.
func got(info RecvInfo, b []byte) string {
	n := info.Notification
	switch {
	case info.CookieEcho:
		return "echo " + string(b)
	case n == nil:
		return string(b)
	}
	s := n.Type.String()
	if n.Type == FailoverBegun || n.Type == FailoverCompleted {
		s += fmt.Sprintf(" doubt %d", n.InDoubt)
	}
	if n.Type == FailoverCompleted {
		s += fmt.Sprintf(" resent %d", n.Resent)
	}
	return s
}

// read reads all that a socket has.
func (w *world) read(s *Socket) (lines []string, session SessionID) {
	w.Helper()
	synctest.Wait()
	buf := make([]byte, 100_000)
	for {
		var info RecvInfo
		n, err := s.TryRecv(buf, &info, 0)
		if errors.Is(err, ErrWouldBlock) {
			return lines, session
		}
		w.ok(err)
		lines, session = append(lines, got(info, buf[:n])), info.Session
	}
}

func (w *world) reads(what string, s *Socket, want ...string) SessionID {
	w.Helper()
	lines, session := w.read(s)
	if diff := cmp.Diff(want, lines, cmpopts.EquateEmpty()); diff != "" {
		w.Fatalf("%s (-want +got):\n%s", what, diff)
	}
	return session
}

func (w *world) send(s *Socket, to SessionID, lines ...string) {
	w.Helper()
	for _, l := range lines {
		w.ok(s.TrySend([]byte(l), &SendInfo{Session: to}))
	}
}

// TestCookieGoesFirst: the last cookie is what the next element receives first,
// whatever kind of cookie the pool uses (ASAP-3.8-02, ASAP-3.8-03, ASAP-3.8-04,
// OVR-2.5-01, OVR-4.2-02).
// ASAP-3.8-01.
func TestCookieGoesFirst(t *testing.T) {
	kinds := map[string]func(*Config){
		"plain":  nil,
		"sealed": func(c *Config) { c.PoolKey = bytes.Repeat([]byte{7}, 32) },
		"replay": func(c *Config) { c.Replay = true },
	}
	for name, change := range kinds {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				w.process().registrar()
				p1, e1 := w.pe("c", change, Registration{})
				pu := w.pu("c", change)
				w.send(pu, 0, "one", "two")
				id := w.reads("first element", e1, "one", "two")
				long := strings.Repeat("\xff\x00state", 5000)
				w.ok(e1.SendCookie(id, []byte("old")))
				w.ok(e1.SendCookie(id, []byte(long)))
				synctest.Wait()
				_, e2 := w.pe("c", change, Registration{})
				p1.kill()
				w.send(pu, 0, "three")
				time.Sleep(time.Second)
				id = w.reads("second element", e2, "echo "+long, "three")
				w.ok(e2.SendCookie(id, []byte("\x00RC\x01looks like one of ours, which is no matter at all")))
				p3, e3 := w.pe("c", change, Registration{})
				_ = p3
				w.ok(e2.Close())
				time.Sleep(time.Second)
				w.reads("third element", e3, "echo "+"\x00RC\x01looks like one of ours, which is no matter at all")
			})
		})
	}
}

// TestCookiesAreRefusedWhereTheyCannotGo (ASAP-5-06).
func TestCookiesAreRefusedWhereTheyCannotGo(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("c", nil, Registration{})
		pu := w.pu("c", nil)
		w.send(pu, 0, "x")
		id := w.reads("element", pe, "x")
		if err := pe.SendCookie(id, make([]byte, MaxCookie+1)); !errors.Is(err, ErrMessageSize) {
			t.Errorf("too large: %v", err)
		}
		if err := pe.SendCookie(id+7, nil); !errors.Is(err, ErrNotConnected) {
			t.Errorf("no session: %v", err)
		}
		if err := pu.SendCookie(0, []byte("x")); !errors.Is(err, ErrInvalid) {
			t.Errorf("from a pool user: %v", err)
		}
		_, only := w.pe("d", nil, Registration{DataOnly: true})
		pu = w.pu("d", nil)
		w.send(pu, 0, "x")
		id = w.reads("element", only, "x")
		if err := only.SendCookie(id, []byte("x")); !errors.Is(err, ErrInvalid) {
			t.Errorf("data only: %v", err)
		}
	})
}

// TestBadCookiesAreRejected: forged, of another pool key, without one, expired
// (ASAP-3.8-05).
// SEC-2.16-02.
func TestBadCookiesAreRejected(t *testing.T) {
	key := func(b byte) func(*Config) {
		return func(c *Config) {
			c.PoolKey, c.CookieLife, c.Notifications = bytes.Repeat([]byte{b}, 32), time.Hour, NotifyCookies
		}
	}
	none := func(c *Config) { c.Notifications = NotifyCookies }
	for _, tc := range []struct {
		name          string
		first, second func(*Config)
		after         time.Duration
		want          error
	}{
		{"good", key(1), key(1), time.Minute, nil},
		{"another key", key(1), key(2), 0, session.ErrCookieForged},
		{"not encrypted", none, key(1), 0, session.ErrCookieForged},
		{"no key here", key(1), none, 0, session.ErrCookieSealed},
		{"expired", key(1), key(1), 2 * time.Hour, session.ErrCookieExpired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run(t, func(w *world) {
				w.ctx = w.T.Context()
				w.process().registrar()
				p, e1 := w.pe("c", tc.first, Registration{})
				pu := w.pu("c", nil)
				w.send(pu, 0, "x")
				w.ok(e1.SendCookie(w.reads("element", e1, "x"), []byte("state")))
				time.Sleep(tc.after)
				_, e2 := w.pe("c", tc.second, Registration{})
				p.kill()
				w.send(pu, 0, "y")
				time.Sleep(time.Second)
				var info RecvInfo
				_, err := e2.TryRecv(nil, &info, RecvPeek)
				w.ok(err)
				if tc.want == nil {
					w.reads("second", e2, "echo state", "y")
					return
				}
				w.reads("second", e2, "CookieRejected", "y")
				if !errors.Is(info.Notification.Err, tc.want) {
					t.Errorf("because %v, want %v", info.Notification.Err, tc.want)
				}
			})
		})
	}
}
