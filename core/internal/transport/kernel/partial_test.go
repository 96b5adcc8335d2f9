package kernel

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// collector puts the pieces of messages together.
type collector struct {
	e       *Endpoint
	parts   []byte
	whole   [][]byte
	aborted int
	pieces  int
}

// read reads once and says whether there was something.
func (c *collector) read(t *testing.T, buf []byte) bool {
	t.Helper()
	var info assoc.RecvInfo
	n, err := c.e.Recv(buf, &info)
	switch {
	case errors.Is(err, assoc.ErrWouldBlock):
		return false
	case err != nil:
		t.Fatal(err)
	case info.Kind == assoc.PartialAborted:
		c.aborted++
		c.parts = nil
	case info.Kind == assoc.Message:
		c.pieces++
		c.parts = append(c.parts, buf[:n]...)
		if !info.More {
			c.whole, c.parts = append(c.whole, c.parts), nil
		}
	}
	return true
}

func (c *collector) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	buf := make([]byte, 1<<16)
	for end := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatalf("no %s: %d whole messages, %d bytes of another, %d aborted", what, len(c.whole), len(c.parts), c.aborted)
		}
		if !c.read(t, buf) {
			time.Sleep(time.Millisecond)
		}
	}
}

func send(t *testing.T, e *Endpoint, b []byte, info assoc.SendInfo) {
	t.Helper()
	if err := e.Send(b, &info); err != nil {
		t.Fatal(err)
	}
}

// A message larger than the receive buffer is delivered in part before it has
// arrived (RFC 6458 section 8.1.21) and is whole in the end, also on a socket of
// its own.
func TestPartialDelivery(t *testing.T) {
	small := assoc.Params{ReceiveBuffer: 64 << 10}
	c, s := listen(t, assoc.Params{}, "127.0.0.1"), listen(t, small, "127.0.0.1")
	cid, sid := join(t, c, s, assoc.Params{})
	to := &collector{e: s}
	for i, held := range []bool{false, true, true} {
		want := bytes.Repeat([]byte("0123456789abcde"), 60_000+i)
		if err := s.Hold(sid, held); err != nil {
			t.Fatal(err)
		}
		send(t, c, want, assoc.SendInfo{Assoc: cid, Stream: 1})
		if held {
			time.Sleep(20 * time.Millisecond) // for the window to fill
		}
		if err := s.Hold(sid, false); err != nil {
			t.Fatal(err)
		}
		to.until(t, "message", func() bool { return len(to.whole) > i })
		if !bytes.Equal(to.whole[i], want) {
			t.Errorf("message of %d bytes arrived as %d bytes", len(want), len(to.whole[i]))
		}
	}
	if to.pieces < 3*15 || to.aborted != 0 || len(s.assocs[sid].partials) != 0 {
		t.Errorf("%d pieces, %d aborted, %v left", to.pieces, to.aborted, s.assocs[sid].partials)
	}
}

// The sender gives a message up of which a part has been delivered: the part
// is taken back, and later messages are whole (RFC 6458 section 6.1.7, RFC
// 3758).
func TestPartialDeliveryIsAborted(t *testing.T) {
	c, s := listen(t, assoc.Params{}, "127.0.0.1"), listen(t, assoc.Params{ReceiveBuffer: 64 << 10}, "127.0.0.1")
	cid, sid := join(t, c, s, assoc.Params{})
	to := &collector{e: s}
	send(t, c, make([]byte, 1<<20), assoc.SendInfo{Assoc: cid, Stream: 1, Lifetime: 300 * time.Millisecond})
	buf := make([]byte, 4096)
	for end := time.Now().Add(30 * time.Second); to.pieces == 0 && time.Now().Before(end); {
		if !to.read(t, buf) {
			time.Sleep(time.Millisecond)
		}
	}
	await(t, c, assoc.SendFailed) // the window is closed until its lifetime is over
	last := []byte("whole")
	send(t, c, last, assoc.SendInfo{Assoc: cid, Stream: 1})
	to.until(t, "message", func() bool { return len(to.whole) > 0 })
	if to.aborted != 1 || !bytes.Equal(to.whole[0], last) || len(s.assocs[sid].partials) != 0 {
		t.Errorf("%d aborted, then %d bytes, %v left", to.aborted, len(to.whole[0]), s.assocs[sid].partials)
	}
}

// Notifications of partial delivery, as the kernel lays them out, take back
// what they mean.
func TestPartialDeliveryEvents(t *testing.T) {
	event := func(id, stream uint32, unordered uint16) []byte {
		b := make([]byte, 24)
		native.PutUint16(b, 0x8006)
		native.PutUint16(b[2:], unordered)
		native.PutUint32(b[12:], id)
		native.PutUint32(b[16:], stream)
		return b
	}
	for _, test := range []struct {
		name     string
		partials []partial
		event    []byte
		left     int
	}{
		{"nothing begun", nil, event(5, 0, 0), 0},
		{"the only one", []partial{{stream: 3}}, event(5, 0, 0), 0},
		{"one of several", []partial{{stream: 3}, {stream: 4}, {stream: 4, unordered: true}}, event(5, 4, 1), 2},
		{"another association", []partial{{stream: 3}}, event(6, 3, 0), 1},
	} {
		a := &association{id: 5, up: true, partials: test.partials}
		e := &Endpoint{assocs: map[assoc.ID]*association{5: a}}
		e.notice(test.event)
		if len(a.partials) != test.left || len(e.inbox.ready) != len(test.partials)-test.left {
			t.Errorf("%s: %v left, %d told", test.name, a.partials, len(e.inbox.ready))
		}
	}
}
