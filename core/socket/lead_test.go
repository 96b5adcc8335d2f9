package socket

import (
	"testing"

	"golang.org/x/sys/unix"
)

// led makes a socket that threads lead which wait for it.
func (s *site) led() *Socket {
	s.Helper()
	cfg := s.config
	cfg.Led = true
	sock, err := NewSocket(cfg, "ip4")
	s.ok(err)
	s.Cleanup(func() { sock.Close() })
	s.ok(sock.Bind(anyPort))
	return sock
}

// alone is a test that does not run beside others: they would allocate.
type alone struct{ testing.TB }

// receive waits and leads, as rsp_recvmsg does.
func (s *site) receive(sock *Socket, b []byte, info *RecvInfo) int {
	s.Helper()
	n, err := sock.TryRecv(b, info, RecvMessages)
	if err != ErrWouldBlock {
		s.ok(err)
		return n
	}
	l, fds := sock.Lead()
	if l == nil {
		s.Fatal("nobody else leads")
	}
	for polled := [1]unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}; err == ErrWouldBlock; {
		if _, err := unix.Poll(polled[:], 10); err == nil {
			l.Step(1)
		}
		n, err = sock.TryRecv(b, info, RecvMessages)
	}
	s.ok(err)
	sock.Leave(l) // nobody recalls it: it is led again at once, or closed
	return n
}

// TestLedRoundTrip: two that wait in turn read for themselves, and a round trip allocates
// room for its messages alone.
func TestLedRoundTrip(t *testing.T) {
	s := newSite(alone{t})
	pe, pu := s.led(), s.led()
	s.ok(pe.Register(s.ctx, "led", Registration{}))
	s.ok(pu.Connect(s.ctx, "led"))
	question, b := make([]byte, 64), make([]byte, 100)
	var info RecvInfo
	trip := func() {
		s.ok(pu.TrySend(question, nil))
		n := s.receive(pe, b, &info)
		s.ok(pe.TrySend(b[:n], &SendInfo{Session: info.Session}))
		if n := s.receive(pu, b, nil); n != len(question) {
			t.Fatalf("%d bytes came back", n)
		}
	}
	const most = 2 // each message in its session's inbox
	if n := testing.AllocsPerRun(2000, trip); n > most && !underRace {
		t.Errorf("%v allocations per round trip, both ends; want %d at most", n, most)
	}
}

// TestOthersWait: nothing stays lent where somebody else waits, and a call that does not
// wait reads what is.
func TestOthersWait(t *testing.T) {
	s := newSite(t)
	pe, pu := s.led(), s.led()
	s.ok(pe.Register(s.ctx, "others", Registration{}))
	s.ok(pu.Connect(s.ctx, "others"))
	l, _ := pe.Lead()
	if other, _ := pe.Lead(); l == nil || other != nil {
		t.Fatalf("%v leads, and %v", l, other)
	}
	if pe.Leave(l) {
		t.Error("lent though another one waits")
	}
	pe.Leave(nil)
	if pe.ReadLent() {
		t.Error("reads what is not lent")
	}
	for l, _ = pe.Lead(); !pe.Leave(l); l, _ = pe.Lead() { // that was no short wait: a busy machine
	}
	s.ok(pu.TrySend([]byte("x"), nil))
	b := make([]byte, 10)
	for n, err := pe.TryRecv(b, nil, 0); err != nil; n, err = pe.TryRecv(b, nil, 0) {
		if err != ErrWouldBlock || !pe.ReadLent() {
			t.Fatal(n, err)
		}
	}
	if l.Recall(true); l.Recall(true) {
		t.Error("lent for ever")
	}
	if unopened := (&Socket{}); unopened.ReadLent() {
		t.Error("reads for a socket that has no address")
	}
}
