package sctp

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

func interleavedReceiver(t *testing.T, params assoc.Params) (*Endpoint, *association) {
	e, a := receiver(t, params)
	a.interleave = true
	return e, a
}

func TestInterleavedFragmentsThatContradict(t *testing.T) { // SCTP-3-23, SCTP-3-152
	const b, e = chunk.FlagBegin, chunk.FlagEnd
	one := func(tsn, mid, fsn uint32, flags uint8) chunk.Data {
		return chunk.Data{Interleaved: true, Flags: flags, TSN: tsn, MID: mid, FSN: fsn, Payload: []byte("x")}
	}
	for name, list := range map[string][]chunk.Data{
		"two beginnings":           {one(100, 0, 0, b), one(101, 0, 0, b)},
		"two with one number":      {one(100, 0, 5, 0), one(101, 0, 5, 0)},
		"one inside that comes on": {one(100, 0, 1, 0), one(101, 0, 2, 0), one(102, 0, 1, 0)},
		"number 0 does not begin":  {one(100, 0, 0, 0)},
		"goes on behind the end":   {one(100, 0, 3, e), one(101, 0, 5, 0)},
		"ends twice":               {one(100, 0, 3, e), one(101, 0, 5, e)},
		"goes on behind, joined":   {one(100, 0, 3, e), one(101, 0, 4, 0)},
		"number used twice":        {one(100, 1, 0, b|e), one(101, 1, 0, b|e)},
	} {
		ep, a := interleavedReceiver(t, assoc.Params{})
		for _, d := range list {
			if !a.dead {
				takeData(a, d)
			}
		}
		got := readAll(ep)
		if len(got) == 0 || got[len(got)-1].info.Kind != assoc.CommLost || ep.received != 0 {
			t.Errorf("%s: %d events, %d bytes", name, len(got), ep.received)
		}
	}
}

// Many messages under way at a time are bounded as one is: by the longest that is
// taken each, and by the buffer together (SCTP-3-24, SCTP-3-43, SCTP-6-07).
func TestInterleavedFloodsAreBounded(t *testing.T) {
	e, a := interleavedReceiver(t, assoc.Params{ReceiveBuffer: 1 << 16, MaxMessage: 1 << 15})
	for i := range uint32(60000) {
		takeData(a, chunk.Data{Interleaved: true, Flags: chunk.FlagBegin | chunk.FlagUnordered, TSN: 102 + 2*i, MID: i, Payload: []byte("x")})
		if a.dead {
			t.Fatal("gave up")
		}
	}
	if a.in.above > maxHeldChunks || a.in.memory > a.memoryLimit()+4096 || int64(a.in.memory) != e.received {
		t.Errorf("%d chunks, %d bytes, %d counted", a.in.above, a.in.memory, e.received)
	}
	e, a = interleavedReceiver(t, assoc.Params{ReceiveBuffer: 1 << 16, MaxMessage: 1 << 12})
	for i := uint32(0); !a.dead; i++ { // none beside another
		takeData(a, chunk.Data{Interleaved: true, TSN: 100 + i, FSN: 1 + 2*i, Payload: make([]byte, 1000)})
		if a.dead != (i == 4) {
			t.Fatalf("after %d bytes: ended %v", 1000*(i+1), a.dead)
		}
	}
	if e.received != 0 {
		t.Errorf("%d bytes held", e.received)
	}
}

// What is forgotten behind a gap comes again, whatever of which message it was
// (SCTP-6-08), and a full buffer forgets the highest TSN for what fills a gap
// (SCTP-3-26).
func TestInterleavedFragmentsAreForgotten(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1)})
	s := newSender(e, peerAddr.Addr(), 7, epoch)
	s.a.interleave = true
	var chunks []chunk.Data
	for fsn := range uint32(4) {
		for sid := range uint16(3) {
			d := chunk.Data{Interleaved: true, TSN: 100 + uint32(len(chunks)), Stream: sid, FSN: fsn, Payload: fmt.Append(nil, sid, fsn, ".")}
			d.Flags = map[uint32]uint8{0: chunk.FlagBegin, 3: chunk.FlagEnd}[fsn]
			chunks = append(chunks, d)
		}
	}
	for _, d := range chunks[:11] {
		if d.TSN != 104 {
			s.data(d)
		}
	}
	m := readAll(e) // one was complete
	s.now = s.now.Add(gapPatience)
	if e.Advance(s.now); s.a.in.above != 2 || s.a.in.acked != 103 {
		t.Fatalf("acknowledged to %d, and %v", s.a.in.acked, s.a.in.beyond)
	}
	if !s.a.in.undelivered() {
		t.Fatal("what is acknowledged is forgotten")
	}
	for _, d := range chunks {
		s.data(d)
	}
	if m = append(m, readAll(e)...); len(m) != 3 || s.a.in.acked != 111 || e.received != 0 || s.a.in.undelivered() {
		t.Errorf("%d messages, acknowledged to %d, %d bytes held", len(m), s.a.in.acked, e.received)
	}
}

func TestInterleavedFullBufferPrefersGaps(t *testing.T) {
	_, a := interleavedReceiver(t, assoc.Params{ReceiveBuffer: 8000, MaxMessage: 4000})
	put := func(tsn uint32) {
		takeData(a, chunk.Data{Interleaved: true, TSN: tsn, Stream: uint16(tsn % 4), FSN: tsn / 4, Payload: make([]byte, 1000)})
	}
	for tsn := uint32(102); tsn < 120; tsn++ {
		put(tsn)
	}
	top := a.in.highest()
	if a.dead || a.in.held > 8000+a.primary.mtu || top >= 119 {
		t.Fatalf("%d bytes held, up to TSN %d", a.in.held, top)
	}
	put(101)
	if !a.in.has(101) || a.in.has(top) || a.in.highest() != top-1 {
		t.Errorf("has 101: %v, has %d: %v", a.in.has(101), top, a.in.has(top))
	}
}

// However many messages are begun on however many streams, those that are under
// way fit the receiver's buffer, so all of them arrive (SCTP-3-154).
func TestMessagesUnderWayFit(t *testing.T) {
	for _, tt := range []struct{ buffer, message, streams int }{
		{4 << 20, 1 << 20, 32}, {64 << 10, 32 << 10, 32}, {64 << 10, 20 << 10, 60}, {64 << 10, 3 << 10, 60}, {256 << 10, 65 << 10, 40},
	} {
		c := Config{Params: assoc.Params{ReceiveBuffer: tt.buffer, SendBuffer: 100 << 20, HeartbeatInterval: -1}}
		p := newPair(t, c, c)
		p.rate = 50_000_000
		x, _ := p.connect(nil)
		for k := range 3 {
			for i := range tt.streams {
				b := bytes.Repeat([]byte{byte(i)}, tt.message-k)
				if err := p.ends[0].Send(p.now, b, &assoc.SendInfo{Assoc: x, Stream: uint16(i), Unordered: k == 1}); err != nil {
					t.Fatal(err)
				}
			}
		}
		p.until(time.Minute, "all messages", func() bool { return len(p.messages(1)) == 3*tt.streams })
		for _, m := range p.messages(1) {
			if len(bytes.Trim(m, string(m[:1]))) != 0 {
				t.Fatal("mixed up")
			}
		}
		p.run(time.Second)
		p.wholeAgain(x)
		if n := p.ends[0].counters.Timeouts; n != 0 {
			t.Errorf("%+v: %d timeouts", tt, n)
		}
	}
}

// A stream that always has something short to send, just when it has nothing
// left, does not keep the others from sending (SCTP-3-07).
func TestShortOnesTakeTurnsToo(t *testing.T) {
	for _, plain := range []bool{true, false} {
		c := Config{NoInterleaving: plain, Params: assoc.Params{MTU: 1500}}
		p := newPair(t, c, c)
		p.rate = 10_000_000
		x, _ := p.connect(nil)
		for i := range uint16(3) {
			p.send(0, x, i, make([]byte, 300_000))
		}
		short := 0
		p.until(time.Minute, "long messages", func() bool {
			for len(p.ends[0].byID[x].out.stream(9).headList()) < 1 {
				p.send(0, x, 9, make([]byte, 1000))
				short++
			}
			n := 0
			for _, m := range p.messages(1) {
				if len(m) == 300_000 {
					n++
				}
			}
			return n == 3
		})
		limit := 300 // one after every three chunks
		if plain {
			limit = 60 // after every message
		}
		if short > limit {
			t.Errorf("interleaving %v: %d short messages came first", !plain, short)
		}
	}
}

func (s *outStream) headList() (list []*outMessage) {
	for m := s.head; m != nil; m = m.next {
		list = append(list, m)
	}
	return list
}
