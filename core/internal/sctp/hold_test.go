package sctp

import (
	"errors"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// One association is not read while the other goes on; its sender has to wait,
// and nothing is lost or out of order when it is let go.
func TestHold(t *testing.T) {
	p := newPair(t, Config{}, Config{Params: assoc.Params{ReceiveBuffer: 8000}})
	x, y := p.connect(nil)
	p.run(time.Second)
	p.send(0, x, 0, []byte{0})
	p.until(time.Second, "first", func() bool { return len(p.messages(1)) == 1 })
	if err := p.ends[1].Hold(y, true); err != nil {
		t.Fatal(err)
	}
	const count = 60
	for i := range count {
		p.send(0, x, 0, append(make([]byte, 999), byte(i+1)))
	}
	p.run(3 * time.Second)
	if n := len(p.messages(1)); n != 1 {
		t.Fatalf("%d messages are read of an association that is held", n)
	}
	if held := p.ends[1].byID[y].in.held; held > 8000+2000 {
		t.Errorf("%d bytes are held by a receive buffer of 8000", held)
	}
	p.send(1, y, 0, []byte("the other way"))
	p.until(time.Second, "answer", func() bool { return len(p.messages(0)) == 1 })
	if err := p.ends[1].Hold(y, false); err != nil {
		t.Fatal(err)
	}
	p.until(20*time.Second, "all", func() bool { return len(p.messages(1)) == count+1 })
	for i, m := range p.messages(1) {
		if m[len(m)-1] != byte(i) {
			t.Fatalf("message %d comes as number %d", m[len(m)-1], i)
		}
	}
	if n := p.ends[1].byID[y].parked.n; n != 0 {
		t.Errorf("%d events are parked", n)
	}
}

// What an association that is held brought comes before its end, which lets it
// go; a message that is being read comes whole.
func TestHoldEnds(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, y := p.connect(nil)
	p.run(time.Second)
	e := p.ends[1]
	if err := e.Hold(y, true); err != nil {
		t.Fatal(err)
	}
	p.send(0, x, 0, []byte("abcdef"))
	p.send(0, x, 0, []byte("second"))
	p.run(time.Second)
	if err := p.ends[0].Abort(p.now, x, "over"); err != nil {
		t.Fatal(err)
	}
	p.run(time.Second)
	if got := p.messages(1); len(got) != 2 || string(got[0]) != "abcdef" {
		t.Errorf("%q", got)
	}
	p.wantKinds(1, assoc.CommUp, assoc.Message, assoc.Message, assoc.CommLost)
	if err := e.Hold(y, false); !errors.Is(err, assoc.ErrNotConnected) {
		t.Errorf("after the end: %v", err)
	}
}

// After Close nobody can let an association go that is still shutting down, so
// Close does.
func TestCloseLetsGo(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, y := p.connect(nil)
	p.run(time.Second)
	e := p.ends[1]
	if err := e.Hold(y, true); err != nil {
		t.Fatal(err)
	}
	p.send(0, x, 0, []byte("abcdef"))
	p.run(time.Second)
	if err := e.Shutdown(p.now, y); err != nil {
		t.Fatal(err)
	}
	e.Close(p.now)
	var info assoc.RecvInfo
	buf := make([]byte, 10)
	if n, err := e.Recv(p.now, buf, &info); err != nil || string(buf[:n]) != "abcdef" {
		t.Errorf("Recv returned %q, %v after Close; want the message that was held", buf[:n], err)
	}
}
