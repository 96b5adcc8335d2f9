package session

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// settles does the same again and again, and fails if that leaves more and more in the heap: at most
// most bytes each time.
func settles(t *testing.T, most float64, again func(i int)) {
	t.Helper()
	const warm, rounds = 200, 2000
	for i := range warm {
		again(i)
	}
	before := heap()
	for i := range rounds {
		again(warm + i)
	}
	if grown := (heap() - before) / rounds; grown > most {
		t.Errorf("each time leaves %.0f bytes", grown)
	}
}

// heap is how much of it is in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// forget drops what the Table was told to do: it is the bench that keeps it.
func (b *bench) forget() {
	b.posted, b.port.sent, b.port.infos, b.port.calls, b.port.set, b.port.to = nil, nil, nil, nil, nil, nil
	b.Changed(func(Change) {})
	b.Logs()
	b.Moved()
}

// TestSessionsAreForgotten: of thousands of sessions that came and went, however they ended, nothing is
// left.
func TestSessionsAreForgotten(t *testing.T) {
	ends := []func(b *bench, ss *Session, id assoc.ID){
		func(b *bench, ss *Session, id assoc.ID) { b.takes(ss); b.ends(id, nil); b.takes(ss) },
		func(b *bench, ss *Session, id assoc.ID) { b.ends(id, assoc.ErrAborted); b.takes(ss) },
		func(b *bench, ss *Session, id assoc.ID) { b.Finish(b.now, ss); b.ends(id, nil) },
		func(b *bench, ss *Session, id assoc.ID) { b.Abort(b.now, ss); b.ends(id, assoc.ErrLocalAbort) },
		func(b *bench, ss *Session, id assoc.ID) {
			b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.Restart, Assoc: id}, nil)
			b.Abort(b.now, ss)
			b.ends(id, nil)
		},
		func(b *bench, ss *Session, id assoc.ID) {
			b.Drain(b.now)
			b.later(2 * time.Second)
			b.takes(ss)
			b.later(2 * time.Second)
			b.EndDrain(b.now, true)
			b.ends(id, nil)
		},
	}
	for name, make := range map[string]func(b *bench, id assoc.ID) *Session{
		"element's": func(b *bench, id assoc.ID) *Session {
			b.echoes(id, "state")
			b.arrives(id, "hello")
			all := b.Sessions()
			return all[len(all)-1]
		},
		"pool user's": func(b *bench, id assoc.ID) *Session {
			ss, err := b.Open(b.now, "pool", 0)
			ok(t, err)
			b.port.next = id - 1
			ok(t, b.Send(b.now, ss, []byte("hello"), &SendInfo{}))
			b.served(ss)
			b.port.full = true
			_ = b.Send(b.now, ss, []byte("hello"), &SendInfo{})
			b.port.full = false
			b.arrives(id, "answer")
			return ss
		},
	} {
		for _, accepts := range []bool{false, true} {
			if accepts && name != "element's" {
				continue
			}
			b := newBench(t)
			b.SetService(Service{})
			if accepts {
				ok(t, b.Listen(b.now, 1))
			}
			b.SetService(Service{Serving: true, Registered: true, Pool: "pool", Preferred: preferred})
			id := assoc.ID(0)
			settles(t, 100, func(i int) {
				id++
				ss := make(b, id)
				if accepts && b.Accept(b.now) != ss {
					t.Fatal("another one is taken")
				}
				ends[i%len(ends)](b, ss, id)
				if ss.own && !ss.Ended() {
					b.Perform(b.now, endpoint.SessionFailed{Session: ss.ID(), Err: errGone})
					b.takes(ss)
				}
				b.Perform(b.now, endpoint.ResolveFailed{Token: ownTokens | b.lastToken, Err: errGone})
				if s := b.Size(); s != (Size{}) {
					t.Fatalf("%s, end %d: %+v are left", name, i%len(ends), s)
				}
				b.forget()
			})
		}
	}
}

// TestQueuesAreGivenBack: a session that goes on for long, through failovers, keeps no more of what it
// has sent and received than is still to be.
func TestQueuesAreGivenBack(t *testing.T) {
	for name, o := range map[string]Options{"plain": {}, "replay": {Replay: true}, "gate": {HoldFailover: true}} {
		b := newBench(t)
		ss := b.user(t, o)
		sent := uint64(0)
		settles(t, 20, func(i int) {
			for range 10 {
				ok(t, b.Send(b.now, ss, make([]byte, 100), &SendInfo{}))
				b.arrives(b.port.next, "answer")
				sent++
			}
			b.Handle(b.now, &assoc.RecvInfo{Kind: assoc.SendFailed, Assoc: b.port.next}, make([]byte, 100))
			if i%3 == 0 {
				b.lost()
				ok(t, b.Send(b.now, ss, make([]byte, 100), &SendInfo{}))
				sent++
				b.served(ss)
			}
			b.takes(ss)
			b.Resume(b.now, ss)
			b.takes(ss)
			f := cookieFrame{covered: sent}
			b.Perform(b.now, endpoint.CookieReceived{Session: ss.ID(), Data: f.seal(nil, "", nil)})
			b.forget()
			if i%3 != 0 { // what came back goes to the next element
				return
			}
			if st := b.Stats(ss); st.Sending.Messages > 0 || st.Unread > 0 {
				t.Fatalf("%s: %+v", name, st)
			}
		})
		if n := cap(ss.kept.items) + cap(ss.toSend.items) + cap(ss.returned.items) + cap(ss.inbox.items); n > 500 {
			t.Errorf("%s: room for %d messages", name, n)
		}
	}
}

// TestArrivalsAreForgotten: who is told which session is next keeps no list of those that are gone, also
// if nobody receives but from one session.
func TestArrivalsAreForgotten(t *testing.T) {
	for name, read := range map[string]func(b *bench, ss *Session){
		"from all": func(b *bench, _ *Session) {
			for {
				if _, err := b.Receive(b.now, nil, nil, RecvDiscard); errors.Is(err, ErrWouldBlock) {
					return
				}
			}
		},
		"from one": func(b *bench, ss *Session) { b.takes(ss); b.Arrived() },
		"none":     func(b *bench, ss *Session) { b.Abort(b.now, ss); b.Arrived() },
	} {
		b := shared(t)
		settles(t, 20, func(int) {
			b.arrives(1, "hello")
			ss := b.Sessions()[0]
			read(b, ss)
			b.Abort(b.now, ss)
			b.ends(1, nil)
			b.forget()
		})
		if n := cap(b.arrivals.items); n > 100 {
			t.Errorf("%s: room for %d", name, n)
		}
	}
}

// TestElementsAreTriedForEver: a session that finds no element for a long time keeps nothing of those it
// has tried.
func TestElementsAreTriedForEver(t *testing.T) {
	b := newBench(t)
	ss := b.user(t, Options{FailoverLimit: -1})
	settles(t, 20, func(int) {
		b.chosen(ss, protocol.Transport{Protocol: protocol.SCTP})
		b.ends(b.port.next, assoc.ErrTimeout)
		b.takes(ss)
		b.forget()
		if s := b.Size(); s.Sessions != 1 || s.Associations > 1 {
			t.Fatalf("%+v", s)
		}
	})
}
