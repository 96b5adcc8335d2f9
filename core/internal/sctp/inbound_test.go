package sctp

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// TSN tracking is compared with a set, across the wrap (SCTP-3-33).
func TestReceivedTSNs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var b inbound
		start := uint32(0xffffffe0)
		b.start(start, 1000)
		have := map[uint32]bool{}
		for range 100 {
			tsn := start + uint32(r.IntN(64))
			if b.has(tsn) != have[tsn] {
				t.Fatalf("has(%d) = %v", tsn, b.has(tsn))
			}
			if !have[tsn] {
				b.received(tsn)
				have[tsn] = true
			}
			acked := start - 1
			for have[acked+1] {
				acked++
			}
			var want []span
			above := 0
			for x := acked + 1; x != start+64; x++ {
				if !have[x] {
					continue
				}
				above++
				if k := len(want); k > 0 && want[k-1].last+1 == x {
					want[k-1].last = x
				} else {
					want = append(want, span{x, x})
				}
			}
			if b.acked != acked || !slices.Equal(b.beyond, want) || b.above != above {
				t.Fatalf("acked %d, beyond %v, above %d, want %d, %v, %d", b.acked, b.beyond, b.above, acked, want, above)
			}
		}
	}
}

// receiver is an association that only receives.
func receiver(t testing.TB, params assoc.Params) (*Endpoint, *association) {
	e := New(Config{Port: 5000, Rand: newSeeded(1), Params: params})
	a := e.newAssociation(params, 1, 7)
	a.primary = a.newPath(peerAddr.Addr(), peerAddr.Port())
	a.primary.confirmed = true
	a.adopt(2, &offer{tsn: 100, window: 1 << 16, outStreams: 8, inStreams: 8, forwardTSN: true})
	a.state = established
	return e, a
}

func takeData(a *association, d chunk.Data) {
	c, _, err := chunk.Next(chunk.AppendData(nil, &d))
	if err != nil {
		panic(err)
	}
	in := arrival{path: a.primary, from: peerAddr}
	a.handleData(&in, c)
}

func readAll(e *Endpoint) (got []received) {
	buf := make([]byte, 4096)
	for {
		var info assoc.RecvInfo
		n, err := e.Recv(epoch, buf, &info)
		if err != nil {
			return got
		}
		got = append(got, received{info, slices.Clone(buf[:n])})
	}
}

// In whatever order fragments arrive, and however often, every message comes
// out once, whole, and ordered ones in order (SCTP-3-22, SCTP-3-152).
func TestReassemblyInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 600 {
		e, a := receiver(t, assoc.Params{})
		a.interleave = round%2 == 1
		var chunks []chunk.Data
		want := map[uint16][]string{}
		ssn, unorderedMID := map[uint16]uint16{}, map[uint16]uint32{}
		tsn := uint32(100)
		for i := range 12 {
			sid, unordered, n := uint16(r.IntN(3)), r.IntN(3) == 0, 1+r.IntN(4)
			var flags uint8
			if unordered {
				flags = chunk.FlagUnordered
			}
			text := ""
			for k := range n {
				f := flags
				if k == 0 {
					f |= chunk.FlagBegin
				}
				if k == n-1 {
					f |= chunk.FlagEnd
				}
				part := string(rune('a'+i)) + string(rune('0'+k))
				text += part
				chunks = append(chunks, chunk.Data{Flags: f, TSN: tsn, Stream: sid, SSN: ssn[sid], PPID: uint32(i), Payload: []byte(part)})
				if d := &chunks[len(chunks)-1]; a.interleave {
					d.Interleaved, d.MID, d.FSN, d.SSN = true, uint32(ssn[sid]), uint32(k), 0
					if unordered {
						d.MID = unorderedMID[sid]
					}
				}
				tsn++
			}
			if unordered {
				unorderedMID[sid]++
				sid += 100
			} else {
				ssn[sid]++
			}
			want[sid] = append(want[sid], text)
		}
		if a.interleave { // whatever TSNs the fragments have (RFC 8260 section 2.2.3)
			for i, k := range r.Perm(len(chunks)) {
				chunks[i].TSN = 100 + uint32(k)
			}
		}
		order := append(r.Perm(len(chunks)), r.Perm(len(chunks))...)
		for _, i := range order {
			takeData(a, chunks[i])
		}
		got := map[uint16][]string{}
		for _, m := range readAll(e) {
			sid := m.info.Stream
			if m.info.Unordered {
				sid += 100
			}
			got[sid] = append(got[sid], string(m.data))
		}
		for sid := range got {
			if sid >= 100 {
				slices.Sort(got[sid])
				slices.Sort(want[sid])
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if a.in.held != 0 || a.in.memory != 0 || e.received != 0 || a.in.acked != tsn-1 || a.in.undelivered() {
			t.Fatalf("left over: %+v", a.in)
		}
	}
}

func TestFragmentsThatContradict(t *testing.T) { // SCTP-3-23
	const b, e = chunk.FlagBegin, chunk.FlagEnd
	one := func(tsn uint32, flags uint8) chunk.Data {
		return chunk.Data{Flags: flags, TSN: tsn, Payload: []byte("x")}
	}
	other := one(101, e)
	other.PPID = 9
	for name, list := range map[string][]chunk.Data{
		"end missing before the next begin": {one(100, b), one(101, b)},
		"no begin":                          {one(100, 0)},
		"end behind a whole message":        {one(100, b|e), one(101, e)},
		"begin inside, out of order":        {one(102, e), one(101, b), one(100, b)},
		"another PPID":                      {one(100, b), other},
		"SSN used twice":                    {one(100, b|e), one(101, b|e)},
	} {
		ep, a := receiver(t, assoc.Params{})
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

// A full buffer takes what fills a gap and forgets the highest TSN for it
// (SCTP-3-25, SCTP-3-26).
func TestFullBufferPrefersGaps(t *testing.T) {
	_, a := receiver(t, assoc.Params{ReceiveBuffer: 8000, MaxMessage: 4000})
	put := func(tsn uint32) {
		takeData(a, chunk.Data{Flags: chunk.FlagBegin | chunk.FlagEnd, TSN: tsn, SSN: uint16(tsn - 100), Payload: make([]byte, 1000)})
	}
	for tsn := uint32(102); tsn < 130; tsn++ {
		put(tsn)
	}
	top := a.in.highest()
	if a.in.held > 8000+a.primary.mtu || top >= 129 {
		t.Fatalf("%d bytes held, up to TSN %d", a.in.held, top)
	}
	put(101)
	if !a.in.has(101) || a.in.has(top) || a.in.highest() != top-1 {
		t.Errorf("has 101: %v, has %d: %v", a.in.has(101), top, a.in.has(top))
	}
	put(100)
	if a.in.acked != a.in.highest() || a.in.held > 8000+a.primary.mtu {
		t.Errorf("acked %d, highest %d, held %d", a.in.acked, a.in.highest(), a.in.held)
	}
}

// A flood of first fragments, or of tiny messages that nobody reads, is held
// only up to the limits (SCTP-3-43, SCTP-6-07).
func TestFloodsAreBounded(t *testing.T) {
	for name, flags := range map[string]uint8{"fragments": chunk.FlagBegin | chunk.FlagUnordered, "messages": chunk.FlagBegin | chunk.FlagEnd | chunk.FlagUnordered} {
		e, a := receiver(t, assoc.Params{ReceiveBuffer: 1 << 16, MaxMessage: 1 << 15})
		for i := range uint32(60000) {
			takeData(a, chunk.Data{Flags: flags, TSN: 102 + 2*i, Payload: []byte("x")})
			if a.dead {
				t.Fatalf("%s: gave up", name)
			}
		}
		if a.in.above > maxHeldChunks || a.in.memory > a.memoryLimit()+4096 || int64(a.in.memory) != e.received {
			t.Errorf("%s: %d chunks, %d bytes, %d counted", name, a.in.above, a.in.memory, e.received)
		}
	}
}

func TestForwardTSN(t *testing.T) { // SCTP-3-141
	const b, e = chunk.FlagBegin, chunk.FlagEnd
	ep, a := receiver(t, assoc.Params{})
	put := func(tsn uint32, flags uint8, ssn uint16, text string) {
		takeData(a, chunk.Data{Flags: flags, TSN: tsn, SSN: ssn, Payload: []byte(text)})
	}
	forward := func(v ...byte) {
		c, _, err := chunk.Next(chunk.AppendRaw(nil, chunk.TypeForwardTSN, 0, v))
		if err != nil {
			t.Fatal(err)
		}
		a.handleForwardTSN(&arrival{path: a.primary}, c)
	}
	put(100, b, 0, "never") // its end is given up
	put(103, b|e, 2, "two") // SSN 1 is given up
	put(105, b|e, 4, "four")
	forward(0, 0, 0, 102, 0, 0, 0, 1)
	put(104, b|e, 3, "three")
	var got []string
	for _, m := range readAll(ep) {
		got = append(got, string(m.data))
	}
	if d := cmp.Diff([]string{"two", "three", "four"}, got); d != "" {
		t.Error(d)
	}
	if a.in.acked != 105 || a.in.held != 0 || ep.received != 0 {
		t.Errorf("acked %d, held %d", a.in.acked, a.in.held)
	}
	forward(0, 0, 0, 101, 0, 0, 0, 9) // old: ignored
	put(106, b|e, 5, "five")
	if got := readAll(ep); len(got) != 1 || string(got[0].data) != "five" {
		t.Errorf("%v", got)
	}
	forward(0, 2, 0, 0)
	if got := readAll(ep); !a.dead || len(got) != 1 || got[0].info.Kind != assoc.CommLost {
		t.Errorf("a jump of 2^17 is accepted: %v", got)
	}
}
