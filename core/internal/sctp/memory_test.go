package sctp

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// sender is somebody who sends to an endpoint what no sender would.
type sender struct {
	e   *Endpoint
	a   *association
	now time.Time
}

var asapParams = assoc.Params{ReceiveBuffer: 256 << 10, MaxMessage: 64 << 10} // of a registrar

func newSender(e *Endpoint, from netip.Addr, port uint16, now time.Time) *sender {
	a := e.newAssociation(e.params, e.newTag(), port)
	a.incoming = true
	a.primary = a.newPath(from, 9899)
	a.primary.confirmed = true
	a.source.incoming++
	a.adopt(2, &offer{tsn: 100, window: 1 << 16, outStreams: 8, inStreams: 8})
	a.state = established
	return &sender{e, a, now}
}

// data sends one chunk, and returns whether it was taken.
func (s *sender) data(d chunk.Data) bool {
	dropped := s.e.counters.DataDropped
	toAssoc(s.e, s.a, s.now, chunk.AppendData(nil, &d))
	outputs(s.e, s.now)
	return s.e.counters.DataDropped == dropped
}

const whole = chunk.FlagBegin | chunk.FlagEnd

// besiege leaves out the first TSN and sends up to total bytes behind it, as long
// as any of it is taken.
func (s *sender) besiege(total int) {
	b := make([]byte, 8000)
	for i, refused := uint32(0), 0; i < uint32(total/len(b)) && refused < 20; i++ {
		if !s.data(chunk.Data{Flags: whole, TSN: s.a.in.acked + 2 + i, SSN: uint16(1 + i), Payload: b}) {
			refused++
		}
	}
}

// message sends an ordered message in chunks of 1,400 bytes.
func (s *sender) message(ssn uint16, b []byte) bool {
	flags := uint8(chunk.FlagBegin)
	for len(b) > 0 {
		n := min(len(b), 1400)
		if n == len(b) {
			flags |= chunk.FlagEnd
		}
		if !s.data(chunk.Data{Flags: flags, TSN: s.a.in.acked + 1, SSN: ssn, Payload: b[:n]}) {
			return false
		}
		b, flags = b[n:], 0
	}
	return true
}

// Whoever fills memory with what cannot be delivered does not keep others from
// delivering: neither at an endpoint of a registrar nor at one of a PE or PU,
// neither from one address nor from many (SCTP-6-07, SCTP-6-08).
func TestSiegeOfReceiveMemory(t *testing.T) {
	for _, tt := range []struct {
		name    string
		params  assoc.Params
		hosts   int
		besides bool // the honest ones come from the addresses of the others
		bound   int64
	}{
		{"registrar, one address", asapParams, 1, false, 32 << 20},
		{"registrar, same address", asapParams, 1, true, 32 << 20},
		{"registrar, many addresses", asapParams, 120, false, 70 << 20},
		{"PE, one address", assoc.Params{}, 1, false, 32 << 20},
		{"PE, many addresses", assoc.Params{}, 120, true, 128 << 20},
		{"PE, this host", assoc.Params{}, 0, true, 128 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := New(Config{Port: 5000, Rand: newSeeded(1), Params: tt.params})
			now := epoch
			address := func(i int) netip.Addr {
				if tt.hosts == 0 {
					return netip.MustParseAddr("127.0.0.1")
				}
				return netip.AddrFrom4([4]byte{192, 0, 2, byte(i % tt.hosts)})
			}
			var hostile []*sender
			for i := range 120 {
				hostile = append(hostile, newSender(e, address(i), uint16(1000+i), now))
			}
			for _, h := range hostile {
				h.besiege(4 << 20)
			}
			var shares int64
			for range hostile {
				shares += int64(e.share())
			}
			if t.Logf("%d bytes held", e.received); e.received > tt.bound+shares+int64(len(hostile))*4096 {
				t.Errorf("%d bytes held", e.received)
			}
			large := bytes.Repeat([]byte("x"), 64<<10)
			for i := range 50 {
				from := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
				if tt.besides {
					from = address(i)
				}
				honest := newSender(e, from, uint16(2000+i), now)
				for k, size := range []int{200, len(large), 2000} {
					if !honest.message(uint16(k), large[:size]) {
						t.Fatalf("number %d cannot send %d bytes", i, size)
					}
					got := readAll(e)
					if len(got) == 0 || got[0].info.Assoc != honest.a.id {
						t.Fatalf("number %d sent %d bytes, %d pieces came", i, size, len(got))
					}
				}
				if w := honest.a.window(); w < 32<<10 {
					t.Fatalf("number %d is offered a window of %d bytes", i, w)
				}
			}
			// What they hold is forgotten when nothing fills their gaps.
			now = now.Add(gapPatience)
			e.Advance(now)
			if e.received != 0 {
				t.Errorf("%d bytes are held after %v", e.received, gapPatience)
			}
			// Who begins again is not bidden for long.
			for _, h := range hostile {
				h.now = now
				h.besiege(20_000)
			}
			e.Advance(now.Add(stallPatience))
			lost := 0
			for _, ev := range readAll(e) {
				if ev.info.Kind == assoc.CommLost && ev.info.Cause == uint16(chunk.CauseOutOfResource) {
					lost++
				}
			}
			if lost != len(hostile) || e.received != 0 {
				t.Errorf("%d of %d associations ended, %d bytes held", lost, len(hostile), e.received)
			}
		})
	}
}

// What is missing may take its time: as long as something comes, or the user does
// not read, nobody loses anything.
func TestPatience(t *testing.T) {
	fragment := func(s *sender, flags uint8) {
		s.data(chunk.Data{Flags: flags, TSN: s.a.in.acked + 1, Payload: []byte("x")})
	}
	for name, tt := range map[string]struct {
		each func(s *sender, i int)
		ends bool
	}{
		"slow, but it goes on": {func(s *sender, i int) { fragment(s, 0) }, false},
		"the gap moves": {func(s *sender, i int) {
			s.data(chunk.Data{TSN: s.a.in.acked + 2, Payload: []byte("x")})
			s.now = s.now.Add(gapPatience - time.Second)
			s.e.Advance(s.now)
			fragment(s, 0)
		}, false},
		"never goes on": {func(s *sender, i int) {}, true},
		"comes twice and goes not on": {func(s *sender, i int) {
			s.data(chunk.Data{TSN: s.a.in.acked, Payload: []byte("x")})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(Config{Port: 5000, Rand: newSeeded(1)})
			s := newSender(e, peerAddr.Addr(), 7, epoch)
			fragment(s, chunk.FlagBegin)
			for i := range 40 {
				s.now = s.now.Add(5 * time.Second)
				e.Advance(s.now)
				if s.a.dead {
					break
				}
				tt.each(s, i)
			}
			if s.a.dead != tt.ends {
				t.Errorf("ended: %v", s.a.dead)
			}
		})
	}
	t.Run("the user does not read", func(t *testing.T) {
		e := New(Config{Port: 5000, Rand: newSeeded(1), Params: assoc.Params{ReceiveBuffer: 64 << 10}})
		s := newSender(e, peerAddr.Addr(), 7, epoch)
		ssn := uint16(0)
		for s.message(ssn, make([]byte, 1400)) && s.a.window() > 10_000 {
			ssn++
		}
		s.data(chunk.Data{Flags: chunk.FlagBegin, TSN: s.a.in.acked + 1, SSN: ssn + 1, Payload: []byte("half")})
		for range 60 {
			s.now = s.now.Add(5 * time.Second)
			e.Advance(s.now)
		}
		if s.a.dead {
			t.Fatal("the peer was blamed")
		}
		readAll(e)
		s.data(chunk.Data{Flags: chunk.FlagEnd, TSN: s.a.in.acked + 1, SSN: ssn + 1, Payload: []byte(" and half")})
		if got := readAll(e); len(got) != 1 || string(got[0].data) != "half and half" {
			t.Errorf("%d messages", len(got))
		}
	})
}

// A stream sequence number that nobody sent leaves what follows it waiting,
// although no TSN is missing: that is no loss, and ends.
func TestSequenceNumberLeftOut(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1)})
	s := newSender(e, peerAddr.Addr(), 7, epoch)
	s.message(3, []byte("never to be read"))
	for i := range uint16(100) { // others go on all the time
		s.now = s.now.Add(time.Second)
		e.Advance(s.now)
		if s.a.dead {
			break
		}
		s.data(chunk.Data{Flags: whole, TSN: s.a.in.acked + 1, Stream: 1, SSN: i, Payload: []byte("fine")})
		readAll(e)
	}
	if !s.a.dead || s.now.Sub(epoch) > 3*gapPatience || e.received != 0 {
		t.Errorf("ended %v after %v, %d bytes held", s.a.dead, s.now.Sub(epoch), e.received)
	}
}

// What was forgotten comes again, and nothing is lost or doubled: also what the
// user had been given from behind the gap.
func TestForgottenComesAgain(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1)})
	s := newSender(e, peerAddr.Addr(), 7, epoch)
	var chunks []chunk.Data
	var ssn [3]uint16
	for i := range uint32(20) {
		d := chunk.Data{Flags: whole, TSN: 100 + i, Stream: uint16(i % 3), Payload: fmt.Append(nil, "message ", i)}
		if i%5 == 4 {
			d.Flags |= chunk.FlagUnordered
		} else {
			d.SSN = ssn[d.Stream]
			ssn[d.Stream]++
		}
		chunks = append(chunks, d)
	}
	all := func() {
		for i, d := range chunks {
			if i > 0 || s.now != epoch {
				s.data(d)
			}
		}
	}
	var got []received
	all()
	got = append(got, readAll(e)...)
	before := len(got)
	s.now = s.now.Add(gapPatience)
	e.Advance(s.now)
	if got = append(got, readAll(e)...); len(got) != before || before == 0 || e.received != 0 {
		t.Fatalf("%d messages before, %d after, %d bytes held", before, len(got), e.received)
	}
	if len(s.a.in.beyond) == 0 || s.a.in.above != before {
		t.Fatalf("%v: what was read is acknowledged, the rest is not", s.a.in.beyond)
	}
	all()
	got = append(got, readAll(e)...)
	seen := map[string]bool{}
	for _, m := range got {
		seen[string(m.data)] = true
	}
	if len(got) != len(seen) || s.a.in.acked != 119 || s.a.dead {
		t.Errorf("%d messages, %d of them different, up to TSN %d", len(got), len(seen), s.a.in.acked)
	}
}

// A message of I-DATA that does not go on ends the association, although others come
// and go all the time; one that goes on, however slowly, does not.
func TestDesertedMessage(t *testing.T) {
	for _, slow := range []bool{false, true} {
		e, a := interleavedReceiver(t, assoc.Params{})
		tsn, now := uint32(100), epoch
		take := func(d chunk.Data) {
			d.Interleaved, d.TSN = true, tsn
			tsn++
			c, _, _ := chunk.Next(chunk.AppendData(nil, &d))
			in := arrival{path: a.primary, from: peerAddr, now: now}
			a.handleData(&in, c)
			a.packetDone(&in)
			readAll(e)
		}
		take(chunk.Data{Flags: chunk.FlagBegin, Payload: make([]byte, 1000)})
		for s := range uint32(600) {
			now = now.Add(time.Second)
			e.Advance(now)
			readAll(e)
			if a.dead {
				break
			}
			if s%9 == 0 {
				take(chunk.Data{Flags: whole, Stream: 1, MID: s / 9, Payload: []byte("x")})
			}
			if slow && s%25 == 0 {
				take(chunk.Data{FSN: 1 + s/25, Payload: []byte("x")})
			}
		}
		if took := now.Sub(epoch); a.dead == slow || !slow && (took > 2*stallPatience || e.received != 0) {
			t.Errorf("slow %v: ended %v after %v, %d bytes held", slow, a.dead, took, e.received)
		}
	}
}

// TestTwinsAreBounded: what an INIT from an address costs does not grow with what its
// neighbours have opened from one SCTP port (SCTP-6-03); other ports are not concerned.
func TestTwinsAreBounded(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1)})
	addr := netip.MustParseAddr("192.0.2.1")
	for i := range uint16(maxTwins) {
		if e.crowded(addr, 7, true) {
			t.Fatalf("%d are too many", i)
		}
		a := e.newAssociation(e.params, e.newTag(), 7)
		a.state = established
		a.primary = a.newPath(addr, 1000+i)
	}
	if !e.crowded(addr, 7, true) || e.crowded(addr, 8, true) {
		t.Error("the bound is elsewhere")
	}
	if e.crowded(addr, 7, false) {
		t.Error("who is only listed there keeps others out")
	}
	for _, a := range e.byID {
		a.primary.confirmed = true
	}
	a := e.newAssociation(e.params, e.newTag(), 7)
	a.primary = a.newPath(netip.MustParseAddr("192.0.2.2"), 1000)
	if a.learn([]netip.Addr{addr}); len(a.paths) != 1 {
		t.Error("an address is listed where there is no room")
	}
	in := arrival{now: epoch, alone: true, from: netip.AddrPortFrom(addr, 5000), header: chunk.Header{SrcPort: 7, DstPort: 5000}}
	before := e.counters.InitsRefused
	init := chunk.AppendInit(nil, chunk.TypeInit, &chunk.Init{Tag: 1, Window: 1 << 16, OutStreams: 8, InStreams: 8, TSN: 1}, 0)
	c, _, _ := chunk.Next(init)
	if e.handleInit(&in, c); e.counters.InitsRefused != before+1 {
		t.Errorf("%d INITs are refused", e.counters.InitsRefused-before)
	}
}
