package socket

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// tap sees every message that a process hands to SCTP.
type tap struct {
	transport.Endpoint
	mu   sync.Mutex
	sent []tapped
}

type tapped struct {
	assoc.SendInfo
	data    []byte
	message asap.Message // PPID 11
}

func (e *tap) Send(b []byte, info *assoc.SendInfo) error {
	err := e.Endpoint.Send(b, info)
	if err == nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		m := tapped{SendInfo: *info, data: slices.Clone(b)}
		if info.PPID == protocol.PPIDASAP {
			m.message, _, _ = asap.Parse(b)
		}
		e.sent = append(e.sent, m)
	}
	return err
}

// tap is to be called before the process opens an endpoint.
func (p *process) tap() *tap {
	t := &tap{}
	open := p.host.open
	p.host.open = func(cfg transport.Config) (ep transport.Endpoint, kind string, err error) {
		t.Endpoint, kind, err = open(cfg)
		return t, kind, err
	}
	return t
}

// types are the kinds of ASAP messages that were sent, in alphabetic order.
func (e *tap) types(t *testing.T) []string {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, m := range e.sent {
		switch {
		case m.PPID != protocol.PPIDASAP:
		case m.message == nil || m.Stream != 0 || m.Unordered || len(m.data)%4 != 0:
			t.Errorf("%x on stream %d, unordered %v: no single ASAP message, or one that can be overtaken", m.data, m.Stream, m.Unordered)
		default:
			out = append(out, fmt.Sprintf("%T", m.message)[len("asap."):])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// of returns the messages of one kind.
func of[M asap.Message](e *tap) (out []tapped) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.sent {
		if _, is := m.message.(M); is {
			out = append(out, m)
		}
	}
	return out
}

// TestRolesOnTheWire: each role sends what is its part, each message alone in
// one of SCTP's, with PPID 11, ordered on stream 0 (ASAP-5-01, ASAP-5-02,
// ASAP-5-07). Registrar ASAP-4-03, element ASAP-4-02, pool user ASAP-4-01.
func TestRolesOnTheWire(t *testing.T) {
	run(t, func(w *world) {
		rp, up := w.process(), w.process()
		r, u := rp.tap(), up.tap()
		rp.registrar()
		var elements []*process
		var taps []*tap
		var sockets []*Socket
		for range 2 {
			p := w.process()
			taps = append(taps, p.tap())
			s := p.socket()
			w.ok(s.Register(w.ctx, "roles", Registration{}))
			elements, sockets = append(elements, p), append(sockets, s)
		}
		pu := up.socket()
		w.ok(pu.Connect(w.ctx, "roles"))
		w.send(pu, 0, "x")
		synctest.Wait()
		serving := 0
		if n, _ := pu.PeerName(0); n.PE != w.nameOf(sockets[0]) {
			serving = 1
		}
		id := w.reads("element", sockets[serving], "x")
		w.ok(sockets[serving].SendCookie(id, []byte("state")))
		time.Sleep(2 * time.Minute) // keep-alives
		elements[serving].kill()
		time.Sleep(time.Minute)
		w.reads("other element", sockets[1-serving], "echo state")
		w.ok(sockets[1-serving].Deregister(w.ctx))
		synctest.Wait()
		for _, c := range []struct {
			role string
			tap  *tap
			want []string
		}{
			{"pool user", u, []string{"CookieEcho", "EndpointUnreachable", "HandleResolution"}},
			{"element", taps[serving], []string{"BusinessCard", "Cookie", "EndpointKeepAliveAck", "Registration"}},
			{"other element", taps[1-serving], []string{"BusinessCard", "Cookie", "Deregistration", "EndpointKeepAliveAck", "Registration"}},
			{"registrar", r, []string{"DeregistrationResponse", "EndpointKeepAlive", "HandleResolutionResponse", "RegistrationResponse"}},
		} {
			if diff := cmp.Diff(c.want, c.tap.types(t)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.role, diff)
			}
		}
	})
}

// TestElementUsesItsRegistration: what an element that is a pool user too asks
// and reports goes over the association of its registration (ASAP-3.3-02,
// ASAP-3.5-03, ASAP-4-04).
func TestElementUsesItsRegistration(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p1, _ := w.pe("served", nil, Registration{})
		w.pe("served", nil, Registration{})
		p := w.process()
		seen := p.tap()
		both := p.socket()
		w.ok(both.Register(w.ctx, "both", Registration{}))
		w.ok(both.Connect(w.ctx, "served"))
		w.send(both, 0, "x")
		synctest.Wait()
		p1.kill()
		time.Sleep(20 * time.Second)
		w.send(both, 0, "y")
		time.Sleep(20 * time.Second)
		registered := of[asap.Registration](seen)
		if len(registered) == 0 {
			t.Fatal("no registration seen")
		}
		for _, m := range append(of[asap.HandleResolution](seen), of[asap.EndpointUnreachable](seen)...) {
			if m.Assoc != registered[0].Assoc {
				t.Errorf("%v went over association %d, the registration over %d", m.message, m.Assoc, registered[0].Assoc)
			}
		}
		if len(of[asap.HandleResolution](seen)) == 0 {
			t.Error("nothing was resolved")
		}
	})
}

// TestHowMessagesTravel: unordered where that is asked for (ASAP-6.5.5-05), and
// all of a session to the element of the message before, while that lives
// (ASAP-6.5.5-03).
func TestHowMessagesTravel(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		for range 5 {
			w.pe("travel", nil, Registration{})
		}
		p := w.process()
		seen := p.tap()
		pu := p.socket()
		w.ok(pu.Connect(w.ctx, "travel"))
		for i := range 20 {
			w.ok(pu.TrySend([]byte("x"), &SendInfo{Unordered: i%2 == 1, Stream: uint16(i % 3), PPID: uint32(i + 100)}))
			time.Sleep(time.Second)
		}
		n := 0
		seen.mu.Lock()
		defer seen.mu.Unlock()
		for _, m := range seen.sent {
			if m.message != nil || m.PPID == protocol.PPIDASAP {
				continue
			}
			if m.Unordered != (n%2 == 1) || m.Stream != uint16(n%3) || m.PPID != uint32(n+100) || m.Assoc != pu.table.Own().Assoc() {
				t.Errorf("message %d: %+v, the session is on association %d", n, m.SendInfo, pu.table.Own().Assoc())
			}
			n++
		}
		if n != 20 {
			t.Errorf("%d messages seen", n)
		}
	})
}
