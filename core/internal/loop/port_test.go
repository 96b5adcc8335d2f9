package loop_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
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
		if errors.Is(err, driver.ErrNotRead) {
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

// Pieces belong together by what they are pieces of: a message that came back, one of
// another association or stream, or one that is not ordered is none of another one's;
// and what an association that ended left is forgotten.
func TestPiecesAreKeptApart(t *testing.T) {
	begun := assoc.RecvInfo{Kind: assoc.Message, Assoc: 7, Stream: 2, More: true}
	infos, data := []assoc.RecvInfo{begun}, []string{"ordered "}
	add := func(text string, change func(*assoc.RecvInfo)) {
		info := begun
		change(&info)
		infos, data = append(infos, info), append(data, text)
	}
	changes := []func(*assoc.RecvInfo){
		func(i *assoc.RecvInfo) { i.Kind = assoc.SendFailed },
		func(i *assoc.RecvInfo) { i.Assoc = 8 },
		func(i *assoc.RecvInfo) { i.Stream = 3 },
		func(i *assoc.RecvInfo) { i.Unordered = true },
		func(*assoc.RecvInfo) {},
	}
	others := []string{"came back ", "of another ", "on another ", "unordered "}
	for i, text := range others {
		add(text, changes[i])
	}
	for _, change := range changes {
		add("more, ", change)
	}
	for _, change := range changes {
		add("end", func(i *assoc.RecvInfo) { change(i); i.More = false })
	}
	p := loop.NewPort(&pieces{infos: slices.Clone(infos), data: slices.Clone(data)})
	for _, want := range append(others, "ordered ") {
		if got, _ := receive(t, p); string(got) != want+"more, end" {
			t.Errorf("got %q, want %q", got, want+"more, end")
		}
	}

	p = loop.NewPort(&pieces{
		infos: []assoc.RecvInfo{begun, {Kind: assoc.Message, Assoc: 8, More: true}, {Kind: assoc.CommUp}, {Kind: assoc.Message, Assoc: 7, Stream: 2}, {Kind: assoc.Message, Assoc: 8}},
		data:  []string{"old ", "un", "", "new", "touched"},
	})
	receive(t, p) // CommUp
	p.Forget(7)
	for _, want := range []string{"new", "untouched"} {
		if got, _ := receive(t, p); string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// able is an endpoint that can do all that an endpoint may be able to, and says what it
// is told.
type able struct {
	transport.Endpoint
	told []string
	err  error // of Send
}

func (a *able) note(format string, args ...any) {
	a.told = append(a.told, fmt.Sprintf(format, args...))
}

func (a *able) Hold(id assoc.ID, on bool) error       { a.note("hold %d %v", id, on); return nil }
func (a *able) Together(f func())                     { a.note("begin"); f(); a.note("end") }
func (a *able) Lend()                                 { a.note("lend") }
func (a *able) Return(id assoc.ID, bytes, number int) { a.note("return %d %d %d", id, bytes, number) }

func (a *able) Send(b []byte, info *assoc.SendInfo) error {
	a.note("send %d %d %q: %v", info.Assoc, info.PPID, b, a.err)
	return a.err
}

// What an endpoint can do a port can, and one that cannot is left alone.
func TestPortCanWhatItsEndpointCan(t *testing.T) {
	for _, can := range []bool{true, false} {
		ep := &able{}
		p := loop.NewPort(struct{ transport.Endpoint }{ep})
		var want []string
		if can {
			p = loop.NewPort(ep)
			want = []string{"hold 3 true", "hold 3 false", "begin", "f", "end", "lend", "return 3 100 2"}
		} else {
			want = []string{"f"}
		}
		p.Return(3, 100, 2) // nothing is lent
		if p.PauseReceive(3) != can || p.ResumeReceive(3) != can {
			t.Errorf("it can pause: %v", !can)
		}
		p.Together(func() { ep.note("f") })
		if p.Lend() != can {
			t.Errorf("it can lend: %v", !can)
		}
		p.Return(3, 100, 2)
		if !slices.Equal(ep.told, want) {
			t.Errorf("the endpoint is told %q, want %q", ep.told, want)
		}
	}
}

// Only what finds no room waits: any other failure is told at once, or, of what has
// waited, by the end of the association.
func TestControlMessagesThatFail(t *testing.T) {
	ep := &able{err: assoc.ErrNotConnected}
	p := loop.NewPort(ep)
	if err := p.SendControl(3, 11, []byte("a")); !errors.Is(err, assoc.ErrNotConnected) || p.Waiting(3) {
		t.Errorf("%v, and it waits: %v", err, p.Waiting(3))
	}
	ep.err = assoc.ErrWouldBlock
	for _, text := range []string{"b", "c"} {
		if err := p.SendControl(3, 11, []byte(text)); err != nil {
			t.Error(err)
		}
	}
	p.Flush(3)
	if !p.Waiting(3) || p.Waiting(4) {
		t.Errorf("waiting: %v, at another: %v", p.Waiting(3), p.Waiting(4))
	}
	ep.told, ep.err = nil, assoc.ErrNotConnected
	p.Flush(3)
	if p.Waiting(3) || len(ep.told) != 2 {
		t.Errorf("told %q, and waiting: %v", ep.told, p.Waiting(3))
	}
	ep.err = assoc.ErrWouldBlock
	for n := range driver.MaxWaiting + 1 {
		if err := p.SendControl(3, 11, nil); errors.Is(err, driver.ErrNotRead) != (n == driver.MaxWaiting) {
			t.Fatalf("message %d: %v", n, err)
		}
	}
}
