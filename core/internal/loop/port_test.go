package loop_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// ends are the two ends of an association.
func ends(t *testing.T, p assoc.Params) (a, b *loop.Port, atA, atB assoc.ID) {
	t.Helper()
	net := memnet.New()
	open := func() *loop.Port {
		ep, _, err := net.Open(transport.Config{Params: p})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ep.Close() })
		return loop.NewPort(ep)
	}
	a, b = open(), open()
	var err error
	if atA, err = a.Connect(b.LocalAddrs(), nil); err != nil {
		t.Fatal(err)
	}
	for _, port := range []*loop.Port{a, b} {
		var info assoc.RecvInfo
		if _, err := port.Receive(&info); err != nil || info.Kind != assoc.CommUp {
			t.Fatalf("got %+v, %v; want CommUp", info, err)
		}
		atB = info.Assoc
	}
	return a, b, atA, atB
}

func receive(t *testing.T, p *loop.Port) ([]byte, assoc.RecvInfo) {
	t.Helper()
	var info assoc.RecvInfo
	b, err := p.Receive(&info)
	if err != nil {
		t.Fatal(err)
	}
	return b, info
}

func TestLargeMessagesComeWhole(t *testing.T) {
	a, b, atA, _ := ends(t, assoc.Params{})
	for _, size := range []int{1, 1 << 16, 1<<16 + 1, 1 << 20} {
		want := bytes.Repeat([]byte{byte(size), 1, 2}, size/3+1)[:size]
		if err := a.Send(want, &assoc.SendInfo{Assoc: atA, PPID: 5}); err != nil {
			t.Fatal(err)
		}
		if got, info := receive(t, b); !bytes.Equal(got, want) || info.PPID != 5 {
			t.Errorf("%d bytes arrive as %d", size, len(got))
		}
	}
	var info assoc.RecvInfo
	if _, err := b.Receive(&info); !errors.Is(err, assoc.ErrWouldBlock) {
		t.Errorf("empty: %v", err)
	}
}

// TestControlMessagesWaitInOrder while the send buffer is full, up to a limit
// (ASAP-5-07).
func TestControlMessagesWaitInOrder(t *testing.T) {
	a, b, atA, _ := ends(t, assoc.Params{SendBuffer: 100, ReceiveBuffer: 100})
	sent := 0
	for ; ; sent++ {
		err := a.SendControl(atA, 11, fmt.Appendf(nil, "%050d", sent))
		if errors.Is(err, driver.ErrOutbox) {
			break
		}
		if err != nil || sent > 1000 {
			t.Fatalf("message %d: %v", sent, err)
		}
	}
	for i := range sent {
		a.Flush(atA)
		if got, _ := receive(t, b); string(got) != fmt.Sprintf("%050d", i) {
			t.Fatalf("message %d is %q", i, got)
		}
	}
	if err := a.SendControl(atA, 11, []byte("goes on")); err != nil {
		t.Error(err)
	}
}

func TestForgottenMessagesAreNotSent(t *testing.T) {
	a, b, atA, _ := ends(t, assoc.Params{SendBuffer: 10, ReceiveBuffer: 10})
	for range 5 {
		if err := a.SendControl(atA, 11, []byte("0123456789")); err != nil {
			t.Fatal(err)
		}
	}
	a.Forget(atA)
	a.Flush(atA)
	n := 0
	for {
		var info assoc.RecvInfo
		if _, err := b.Receive(&info); err != nil {
			break
		}
		n++
	}
	if n != 2 { // one in each buffer
		t.Errorf("%d messages arrive, want 2", n)
	}
}

// pieces is an endpoint that brings pieces of messages.
type pieces struct {
	transport.Endpoint
	infos []assoc.RecvInfo
	data  []string
}

func (p *pieces) Recv(b []byte, info *assoc.RecvInfo) (int, error) {
	if len(p.infos) == 0 {
		return 0, assoc.ErrWouldBlock
	}
	*info, p.infos = p.infos[0], p.infos[1:]
	n := copy(b, p.data[0])
	p.data = p.data[1:]
	return n, nil
}

// The pieces of a message that will not be completed do not become part of
// another one (RFC 6458 section 6.1.7).
func TestAbortedMessagesLeaveNothing(t *testing.T) {
	message, more := assoc.RecvInfo{Kind: assoc.Message, Assoc: 7, Stream: 2}, assoc.RecvInfo{Kind: assoc.Message, Assoc: 7, Stream: 2, More: true}
	other := more
	other.Stream = 3
	otherEnds := message
	otherEnds.Stream = 3
	p := loop.NewPort(&pieces{
		infos: []assoc.RecvInfo{more, other, more, {Kind: assoc.PartialAborted, Assoc: 7, Stream: 2}, message, otherEnds},
		data:  []string{"half", "un", " a message", "", "whole", "touched"},
	})
	for _, want := range []string{"whole", "untouched"} {
		if got, info := receive(t, p); string(got) != want || info.Kind != assoc.Message {
			t.Errorf("got %q (kind %d), want %q", got, info.Kind, want)
		}
	}
}
