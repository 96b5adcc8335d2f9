package main

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newTestSignal(t *testing.T) *signal {
	t.Helper()
	s, err := newSignal()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.close()
		unix.Close(s.app)
	})
	return s
}

// events is what poll(2) says about the program's end.
func events(t *testing.T, fd int) int16 {
	t.Helper()
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLOUT}}
	if _, err := unix.Poll(p, 0); err != nil {
		t.Fatal(err)
	}
	return p[0].Revents
}

func TestSignalShowsState(t *testing.T) {
	s := newTestSignal(t)
	steps := []struct {
		do   func()
		want int16
	}{
		{func() {}, unix.POLLOUT},
		{func() { s.setReadable(true) }, unix.POLLIN | unix.POLLOUT},
		{func() { s.setReadable(true) }, unix.POLLIN | unix.POLLOUT},
		{func() { s.setWritable(false) }, unix.POLLIN},
		{func() { s.setWritable(false) }, unix.POLLIN},
		{func() { s.setReadable(false) }, 0},
		{func() { s.setReadable(false) }, 0},
		{func() { s.setWritable(true) }, unix.POLLOUT},
		{func() { s.setWritable(true) }, unix.POLLOUT},
	}
	for round := range 3 { // the states come back as often as one likes
		for i, step := range steps {
			step.do()
			if got := events(t, s.app); got != step.want {
				t.Fatalf("round %d, step %d: poll says %#x, want %#x", round, i, got, step.want)
			}
		}
	}
}

func TestClosedSignalHangsUp(t *testing.T) {
	s := newTestSignal(t)
	s.setWritable(false)
	s.close()
	s.setReadable(true) // late hooks do no harm
	s.setWritable(true)
	if got := events(t, s.app); got&unix.POLLHUP == 0 {
		t.Errorf("poll says %#x, want POLLHUP", got)
	}
	s.close()
}

// TestClosedSignalHangsUpEverywhere: also where a forked child still has the core's end.
func TestClosedSignalHangsUpEverywhere(t *testing.T) {
	s := newTestSignal(t)
	child, err := unix.FcntlInt(uintptr(s.core), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(child)
	s.close()
	if got := events(t, s.app); got&unix.POLLHUP == 0 {
		t.Errorf("poll says %#x, want POLLHUP", got)
	}
}

// TestDrainOfAGoneProgram: what the program closed is emptied to its end, and no further.
func TestDrainOfAGoneProgram(t *testing.T) {
	s := newTestSignal(t)
	s.setWritable(false)
	if err := unix.Shutdown(s.app, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		s.setWritable(true)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on for ever")
	}
}

// precious puts another file at a number. What it returns looks, when all is done,
// whether the bytes in it are still there and no others have gone out.
func precious(t *testing.T, at int) (check func()) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if pair[1] == at {
		pair[0], pair[1] = pair[1], pair[0]
	}
	t.Cleanup(func() { unix.Close(pair[1]) })
	if pair[0] != at {
		if err := unix.Dup3(pair[0], at, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		unix.Close(pair[0])
	}
	if err := unix.Send(pair[1], []byte("precious"), 0); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		var b [16]byte
		if n, _, err := unix.Recvfrom(at, b[:], unix.MSG_DONTWAIT); err != nil || string(b[:n]) != "precious" {
			t.Errorf("the other file has %q, %v", b[:max(n, 0)], err)
		}
		if n, _, err := unix.Recvfrom(pair[1], b[:], unix.MSG_DONTWAIT); err != unix.EAGAIN {
			t.Errorf("the other file was sent %d bytes, %v", n, err)
		}
	}
}

// The number of a descriptor that the program closed may belong to another file
// by now, whose bytes are not ours to take.
func TestSignalLeavesForeignDescriptorAlone(t *testing.T) {
	s := newTestSignal(t)
	s.setReadable(true)
	check := precious(t, s.app)
	s.setReadable(false)
	s.setWritable(false)
	check()
}

// TestClosedSignalLeavesItsNumberAlone: the number of its own end may belong to another file
// after it was closed.
func TestClosedSignalLeavesItsNumberAlone(t *testing.T) {
	s := newTestSignal(t)
	s.setWritable(false)
	s.close()
	check := precious(t, s.core)
	defer unix.Close(s.core)
	s.setWritable(true)
	s.setReadable(true)
	check()
}

func TestHangupIsNoticedOnce(t *testing.T) {
	h, err := newHangups()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(h.epoll)
	lost, kept := newTestSignal(t), newTestSignal(t)
	noticed := make(chan string, 4)
	for name, s := range map[string]*signal{"lost": lost, "kept": kept} {
		if _, err := h.watch(s.core, func() { noticed <- name }); err != nil {
			t.Fatal(err)
		}
	}
	forgotten := newTestSignal(t)
	key, err := h.watch(forgotten.core, func() { noticed <- "forgotten" })
	if err != nil {
		t.Fatal(err)
	}
	h.forget(key)
	unix.Close(forgotten.app)
	forgotten.app = -1
	unix.Close(lost.app)
	lost.app = -1
	if name := <-noticed; name != "lost" {
		t.Errorf("%s was noticed first", name)
	}
	select {
	case name := <-noticed:
		t.Errorf("%s was noticed as well", name)
	default:
	}
}

// TestHeldSignal: while it is held it shows what it did before, and after that what is
// left then.
func TestHeldSignal(t *testing.T) {
	s := newTestSignal(t)
	show := func(what string, want int16) {
		t.Helper()
		if got := events(t, s.app); got != want {
			t.Errorf("%s: poll says %#x, want %#x", what, got, want)
		}
	}
	s.hold()
	s.setReadable(true)
	show("arrived while held", unix.POLLOUT)
	s.setReadable(false)
	s.release()
	show("taken while held", unix.POLLOUT)
	s.hold()
	s.setReadable(true)
	s.release()
	show("left", unix.POLLIN|unix.POLLOUT)
	s.hold()
	s.setReadable(false)
	show("the last one taken while held", unix.POLLIN|unix.POLLOUT)
	s.release()
	show("nothing left", unix.POLLOUT)
}

// TestSignalOfALostNumber: a number that the program has closed, while it has another one,
// keeps the descriptor from nothing for longer than until the other is used.
func TestSignalOfALostNumber(t *testing.T) {
	s := newTestSignal(t)
	first := s.app
	second, err := unix.FcntlInt(uintptr(first), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		readable, writable bool
		want               int16
	}{{true, true, unix.POLLIN | unix.POLLOUT}, {false, false, 0}, {true, false, unix.POLLIN}, {false, true, unix.POLLOUT}} {
		s.setReadable(step.readable)
		s.setWritable(step.writable)
		if got := events(t, first); got != step.want {
			t.Fatalf("%+v: poll says %#x", step, got)
		}
	}
	s.setReadable(true)
	s.knownAs(second)
	unix.Close(second)
	s.setReadable(false)
	s.setWritable(false)
	s.knownAs(first)
	if got := events(t, first); got != 0 {
		t.Errorf("poll says %#x, want nothing", got)
	}
}
