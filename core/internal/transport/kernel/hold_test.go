package kernel

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Without a descriptor for an association that is held, the endpoint is not
// read until it is let go.
func TestHoldWithoutDescriptor(t *testing.T) {
	c, s := listen(t, assoc.Params{}, "127.0.0.1"), listen(t, assoc.Params{}, "127.0.0.1")
	cid, sid := join(t, c, s, assoc.Params{})
	next, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	limit := uint64(next.Fd())
	next.Close()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	restore := func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &before) }
	defer restore()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	if err := s.Hold(sid, true); err != nil {
		t.Fatal(err)
	}
	if s.stalls != 1 {
		t.Fatalf("%d associations stall the endpoint, want 1", s.stalls)
	}
	restore()
	send(t, c, []byte("held"), assoc.SendInfo{Assoc: cid})
	time.Sleep(10 * time.Millisecond)
	if _, err := s.Recv(make([]byte, 100), new(assoc.RecvInfo)); !errors.Is(err, assoc.ErrWouldBlock) {
		t.Errorf("Recv: %v, want ErrWouldBlock", err)
	}
	if err := s.Hold(sid, false); err != nil {
		t.Fatal(err)
	}
	await(t, s, assoc.Message)
	if s.stalls != 0 {
		t.Errorf("%d associations stall the endpoint", s.stalls)
	}
}

// What has been read already of an association that is held waits, in order,
// before what is in the kernel.
func TestHoldParks(t *testing.T) {
	c, s := listen(t, assoc.Params{}, "127.0.0.1"), listen(t, assoc.Params{}, "127.0.0.1")
	cid, sid := join(t, c, s, assoc.Params{})
	for _, stream := range []uint16{1, 2} {
		s.inbox.ready = append(s.inbox.ready,
			item{info: assoc.RecvInfo{Kind: assoc.Message, Assoc: sid, Stream: stream}, data: []byte{1}},
			item{info: assoc.RecvInfo{Kind: assoc.Message, Assoc: sid + 1, Stream: stream}, data: []byte{1}})
	}
	if err := s.Hold(sid, true); err != nil {
		t.Fatal(err)
	}
	send(t, c, []byte{1}, assoc.SendInfo{Assoc: cid, Stream: 3})
	var info assoc.RecvInfo
	for _, stream := range []uint16{1, 2} {
		if _, err := s.Recv(make([]byte, 10), &info); err != nil || info.Assoc != sid+1 || info.Stream != stream {
			t.Errorf("got %+v, %v; want what is not held", info, err)
		}
	}
	if _, err := s.Recv(make([]byte, 10), &info); !errors.Is(err, assoc.ErrWouldBlock) {
		t.Errorf("got %+v, %v; want nothing", info, err)
	}
	if err := s.Hold(sid, false); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []uint16{1, 2, 3} {
		if info := await(t, s, assoc.Message); info.Assoc != sid || info.Stream != stream {
			t.Errorf("got %+v, want stream %d", info, stream)
		}
	}
}

// The sockets of associations that have ended are closed.
func TestPeeledSocketsAreClosed(t *testing.T) {
	c, s := listen(t, assoc.Params{}, "127.0.0.1"), listen(t, assoc.Params{}, "127.0.0.1")
	for range 20 {
		cid, sid := join(t, c, s, assoc.Params{})
		for _, on := range []bool{true, false} {
			if err := s.Hold(sid, on); err != nil {
				t.Fatal(err)
			}
		}
		sock := s.assocs[sid].sock
		if sock == s.main {
			t.Fatal("the association was not peeled off")
		}
		if err := c.Shutdown(cid); err != nil {
			t.Fatal(err)
		}
		await(t, c, assoc.ShutdownComplete)
		await(t, s, assoc.ShutdownComplete)
		if len(s.peeled.all) != 0 || !errors.Is(sock.file.Close(), os.ErrClosed) {
			t.Fatal("the socket is still there")
		}
	}
}
