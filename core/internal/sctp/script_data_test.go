package sctp_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Group SCTP-7-24: DATA both ways.

// collect acknowledges all that the engine sends until it falls silent, and
// returns the DATA in order.
func (c *conv) collect() (all []wireData) {
	c.t.Helper()
	for range 10_000 {
		ps := c.discard()
		var last uint32
		found := false
		for _, p := range ps {
			for _, d := range p.datas() {
				all = append(all, d)
				last, found = d.tsn, true
			}
		}
		if !found {
			return all
		}
		c.inject(sackChunk(last, 1<<16, nil))
	}
	c.t.Fatal("no end")
	return nil
}

// TestScriptFragmentEdges: sizes around what one chunk holds; flags, TSNs and
// SSN of the fragments (SCTP-3-02 to 3-05).
func TestScriptFragmentEdges(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []option
		unit int // largest payload: floor4(PMTU-12-16)
	}{{"IPv4", nil, 1444}, {"IPv6", []option{ipv6Peer}, 1424}} {
		for _, size := range []int{1, tt.unit - 1, tt.unit, tt.unit + 1, 2 * tt.unit, 2*tt.unit + 1, 10*tt.unit + 3} {
			t.Run(fmt.Sprint(tt.name, " ", size), func(t *testing.T) {
				c := newConv(t, tt.opts...).establishServer()
				user := strings.Repeat("0123456789", size/10+1)[:size]
				c.sendInfo(user, assoc.SendInfo{Stream: 2, PPID: 9})
				got := c.collect()
				checkFragments(t, got, c.engTSN, user, 2, 0, 9)
				if want := (size + tt.unit - 1) / tt.unit; len(got) != want {
					t.Fatalf("%d fragments, want %d", len(got), want)
				}
			})
		}
	}
}

func checkFragments(t *testing.T, got []wireData, tsn uint32, user string, sid, ssn uint16, ppid uint32) {
	t.Helper()
	var joined []byte
	for i, d := range got {
		want := byte(0)
		if i == 0 {
			want |= fB
		}
		if i == len(got)-1 {
			want |= fE
		}
		if d.flags&^fI != want || d.tsn != tsn+uint32(i) || d.sid != sid || d.ssn != ssn || d.ppid != ppid {
			t.Fatalf("fragment %d of %d: %+v", i, len(got), d)
		}
		joined = append(joined, d.user...)
	}
	if string(joined) != user {
		t.Fatal("content")
	}
}

// TestScriptSSN rises per stream over the wrap, and unordered messages leave
// it alone (SCTP-3-05, 8-23).
func TestScriptSSN(t *testing.T) {
	c := newConv(t).establishServer()
	var want uint16
	for i := range 65536/8 + 2 {
		if i%500 == 17 {
			c.sendInfo("u", assoc.SendInfo{Stream: 1, Unordered: true})
		}
		for range 8 {
			c.must(c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{Assoc: c.id, Stream: 1}))
		}
		c.drain()
		for _, d := range c.collect() {
			if d.flags&fU != 0 {
				continue
			}
			if d.ssn != want {
				t.Fatalf("SSN %d, want %d", d.ssn, want)
			}
			want++
		}
	}
	if want != 16 {
		t.Fatalf("%d at the end", want)
	}
}

// TestScriptReceivedSSNWrap: SSN 65535 is followed by 0, also when messages
// change places there (SCTP-3-05, 8-23).
func TestScriptReceivedSSNWrap(t *testing.T) {
	c := newConv(t).establishServer()
	for i := range 65534 {
		c.data("x")
		if ev := c.message("x"); ev.SSN != uint16(i) {
			t.Fatalf("%+v", ev)
		}
		c.out = nil
	}
	var chunks [][]byte
	for i := range 4 {
		chunks = append(chunks, c.nextData(fmt.Sprint("wrap ", i)))
	}
	for _, i := range []int{3, 1, 2} {
		c.inject(chunks[i])
		c.noEvents()
	}
	c.inject(chunks[0])
	for i := range 4 {
		if ev := c.message(fmt.Sprint("wrap ", i)); ev.SSN != uint16(65534+i) {
			t.Fatalf("%+v", ev)
		}
	}
	c.forget()
}

// TestScriptUnorderedOvertakes: a loss on one stream delays neither another
// stream nor unordered messages (SCTP-3-22).
func TestScriptUnorderedOvertakes(t *testing.T) {
	c := newConv(t).establishServer()
	c.data("start")
	c.message("start")
	c.discard()
	lost := c.tsn
	c.tsn++
	c.inject(dataChunk(fB|fE, c.tsn, 0, 2, 0, "held back"))
	c.inject(dataChunk(fB|fE|fU, c.tsn+1, 0, 77, 0, "unordered"))
	c.message("unordered")
	c.inject(dataChunk(fB|fE, c.tsn+2, 1, 0, 0, "other stream"))
	c.message("other stream")
	c.noEvents()
	c.inject(dataChunk(fB|fE, lost, 0, 1, 0, "late"))
	c.message("late")
	c.message("held back")
	c.discard()
}

// TestScriptReassembly in every order of four fragments of an unordered and an
// ordered message.
func TestScriptReassembly(t *testing.T) {
	parts := []string{"one ", "two ", "three ", "four"}
	for _, unordered := range []byte{0, fU} {
		permute(4, func(order []int) {
			c := newConv(t).establishServer()
			for _, i := range order {
				flags := unordered
				if i == 0 {
					flags |= fB
				}
				if i == 3 {
					flags |= fE
				}
				c.noEvents()
				c.inject(dataChunk(flags, c.tsn+uint32(i), 5, 0, 42, parts[i]))
			}
			ev := c.message("one two three four")
			if ev.Stream != 5 || ev.PPID != 42 || ev.Unordered != (unordered != 0) {
				t.Fatalf("%+v", ev)
			}
			c.forget()
		})
	}
}

func permute(n int, visit func([]int)) {
	order := make([]int, 0, n)
	var rec func()
	rec = func() {
		if len(order) == n {
			visit(slices.Clone(order))
			return
		}
		for i := range n {
			if !slices.Contains(order, i) {
				order = append(order, i)
				rec()
				order = order[:len(order)-1]
			}
		}
	}
	rec()
}

// TestScriptInvalidStream: acknowledged, reported, discarded (SCTP-3-21).
func TestScriptInvalidStream(t *testing.T) {
	c := newConv(t).establishServer()
	c.inject(dataChunk(fB|fE, c.tsn, 16, 0, 0, "no such stream"))
	acked, reported := false, false
	for _, p := range c.discard() {
		if k, ok := p.chunk(ctSack); ok {
			acked = parseSack(k).cta == c.tsn
		}
		if e, ok := p.chunk(ctError); ok {
			list, err := walkTLVs(e.value)
			reported = err == nil && list[0].typ == 1 && be16(list[0].value) == 16
		}
	}
	if !acked || !reported {
		t.Fatalf("acked %v, reported %v", acked, reported)
	}
	c.wantState("ESTABLISHED")
}

// TestScriptZeroLength: not sent, and fatal when received (SCTP-3-06, 8-23).
func TestScriptZeroLength(t *testing.T) {
	c := newConv(t).establishServer()
	if err := c.ep.Send(c.now, nil, &assoc.SendInfo{Assoc: c.id}); !errors.Is(err, assoc.ErrInvalid) {
		t.Fatalf("%v", err)
	}
	c.inject(dataChunk(fB|fE, c.tsn, 0, 0, 0, ""))
	p := c.discard()
	abort, ok := p[len(p)-1].chunk(ctAbort)
	if list, _ := walkTLVs(abort.value); !ok || len(list) != 1 || list[0].typ != 9 || be32(list[0].value) != c.tsn {
		t.Fatalf("%v", p)
	}
	c.event(assoc.CommLost)
}

// TestScriptSendErrors (SCTP-4-06).
func TestScriptSendErrors(t *testing.T) {
	c := newConv(t).establishServer()
	try := func(want error, b []byte, info assoc.SendInfo) {
		t.Helper()
		if err := c.ep.Send(c.now, b, &info); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		c.drain()
	}
	try(assoc.ErrInvalid, []byte("x"), assoc.SendInfo{Assoc: c.id, Stream: 16})
	try(assoc.ErrNotConnected, []byte("x"), assoc.SendInfo{Assoc: c.id + 1})
	try(assoc.ErrMessageSize, make([]byte, 1<<15+1), assoc.SendInfo{Assoc: c.id})
	for range 1 << 20 { // SendBuffer 1 MiB: tiny messages are bounded too (SCTP-3-08)
		if err := c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{Assoc: c.id}); err != nil {
			if !errors.Is(err, assoc.ErrWouldBlock) {
				t.Fatal(err)
			}
			c.drain()
			c.discard()
			c.abort("enough")
			c.forget()
			return
		}
	}
	t.Fatal("the send buffer has no end")
}

// TestScriptInconsistentFragments never gives mixed data to the user
// (SCTP-3-23).
func TestScriptInconsistentFragments(t *testing.T) {
	type frag struct {
		off      uint32
		flags    byte
		sid, ssn uint16
		user     string
	}
	for name, list := range map[string][]frag{
		"B inside":            {{0, fB, 0, 0, "a"}, {1, fB, 0, 0, "b"}, {2, fE, 0, 0, "c"}},
		"no B":                {{0, 0, 0, 0, "a"}, {1, fE, 0, 0, "b"}},
		"E without B":         {{0, fE, 0, 0, "a"}},
		"SID changes":         {{0, fB, 0, 0, "a"}, {1, fE, 1, 0, "b"}},
		"SSN changes":         {{0, fB, 0, 0, "a"}, {1, fE, 0, 1, "b"}},
		"U changes":           {{0, fB, 0, 0, "a"}, {1, fE | fU, 0, 0, "b"}},
		"SSN again":           {{0, fB | fE, 0, 0, "a"}, {1, fB | fE, 0, 0, "b"}},
		"whole inside":        {{0, fB, 0, 0, "a"}, {1, fB | fE, 0, 1, "b"}, {2, fE, 0, 0, "c"}},
		"backwards B inside":  {{2, fE, 0, 0, "c"}, {1, fB, 0, 0, "b"}, {0, fB, 0, 0, "a"}},
		"backwards SID":       {{1, fE, 1, 0, "b"}, {0, fB, 0, 0, "a"}},
		"middle changes last": {{0, fB, 0, 0, "a"}, {2, fE, 0, 0, "c"}, {1, 0, 3, 0, "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t).establishServer()
			for _, f := range list {
				if c.status().State != "CLOSED" {
					c.inject(dataChunk(f.flags, c.tsn+f.off, f.sid, f.ssn, 0, f.user))
				}
			}
			c.advance(time.Second)
			for _, ev := range c.events {
				if ev.Kind == assoc.Message && len(ev.data) != 1 && !(name == "backwards B inside" && ev.data == "bc") {
					t.Errorf("delivers %q", ev.data)
				}
			}
			if s := c.status().State; s != "CLOSED" {
				t.Errorf("the association lives on in %s", s)
			}
			aborted := false
			for _, p := range c.discard() {
				if a, ok := p.chunk(ctAbort); ok {
					l, _ := walkTLVs(a.value)
					aborted = len(l) == 1 && l[0].typ == 13
				}
			}
			if !aborted {
				t.Error("no ABORT with Protocol Violation")
			}
			c.forget()
		})
	}
}

// TestScriptTooLargeMessage: more than the buffer can ever hold ends the
// association instead of wedging it (SCTP-3-24).
func TestScriptTooLargeMessage(t *testing.T) {
	c := newConv(t).establishServer()
	flags := byte(fB)
	for range 1000 {
		c.inject(dataChunk(flags, c.tsn, 0, 0, 0, strings.Repeat("x", 1400)))
		c.tsn++
		flags = 0
		if c.status().State == "CLOSED" {
			if ev := c.event(assoc.CommLost); ev.Err == nil {
				t.Fatal("no error")
			}
			c.discard()
			return
		}
	}
	t.Fatalf("still %s", c.status().State)
}

// TestScriptHugeUDPPacket: 65,507 bytes are just a packet (SCTP-3-132).
func TestScriptHugeUDPPacket(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.ReceiveBuffer, p.MaxMessage = 1<<20, 1<<17 })).establishServer()
	user := strings.Repeat("x", 65507-12-16)
	c.data(user)
	c.message(user)
	c.expectOwn(ctSack)
}

// TestScriptDataOutsideStates: DATA is taken in ES, SP and SS only
// (SCTP-3-20, 8-24).
func TestScriptDataOutsideStates(t *testing.T) {
	for _, state := range states[1:] {
		t.Run(state, func(t *testing.T) {
			c := inState(t, state)
			c.data("hello")
			switch state {
			case "ESTABLISHED", "SHUTDOWN-PENDING":
				c.message("hello")
				c.expectOwn(ctSack)
			case "SHUTDOWN-SENT":
				c.message("hello")
				if p := c.discard(); len(p) == 0 || !p[0].has(ctShutdown) {
					t.Fatalf("%v, want SHUTDOWN", p)
				}
			default:
				c.noEvents()
			}
			c.forget()
		})
	}
}

// TestScriptMessageBetweenStreams: a bulk message delays a small one on
// another stream by no more than itself, fragments stay together (SCTP-3-02,
// 3-07).
func TestScriptMessageBetweenStreams(t *testing.T) {
	c := newConv(t).establishServer()
	bulk := strings.Repeat("b", 30000)
	for range 4 {
		c.must(c.ep.Send(c.now, []byte(bulk), &assoc.SendInfo{Assoc: c.id, Stream: 0}))
	}
	c.must(c.ep.Send(c.now, []byte("urgent"), &assoc.SendInfo{Assoc: c.id, Stream: 1}))
	c.drain()
	before, open := 0, false
	for _, d := range c.collect() {
		if d.flags&fB != 0 == open {
			t.Fatal("fragments of two messages are mixed")
		}
		open = d.flags&fE == 0
		if string(d.user) == "urgent" {
			break
		}
		before += len(d.user)
	}
	if before > 2*len(bulk) {
		t.Fatalf("%d bytes went first", before)
	}
}

// TestScriptBundling: small messages share packets (SCTP-3-13).
func TestScriptBundling(t *testing.T) {
	c := newConv(t).establishServer()
	for range 100 {
		c.must(c.ep.Send(c.now, []byte("tiny"), &assoc.SendInfo{Assoc: c.id}))
	}
	c.drain()
	if p := c.discard(); len(p) > 4 || len(p[0].datas()) < 50 {
		t.Fatalf("%d packets, %d messages in the first", len(p), len(p[0].datas()))
	}
	c.abort("")
	c.forget()
}
