package sctp

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// toAssoc hands an association a packet of its peer.
func toAssoc(e *Endpoint, a *association, now time.Time, chunks ...[]byte) {
	b := chunk.AppendHeader(nil, chunk.Header{SrcPort: a.peerPort, DstPort: e.cfg.Port, Tag: a.tag})
	for _, c := range chunks {
		b = append(b, c...)
	}
	chunk.Seal(b)
	e.Input(now, Packet{Peer: netip.AddrPortFrom(a.primary.addr, a.primary.udpPort), Data: b})
}

func outputs(e *Endpoint, now time.Time) (n int) {
	var p Packet
	for e.Output(now, &p) {
		n++
	}
	return n
}

// A peer that floods us with heartbeats gets a hundred answers a second
// (SCTP-6-06).
func TestHeartbeatAnswersAreLimited(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	now, sent := epoch, 0
	beat := chunk.AppendHeartbeat(nil, make([]byte, 8))
	for range 1000 {
		toAssoc(e, a, now, beat)
		sent += outputs(e, now)
	}
	if sent != answersPerSecond {
		t.Errorf("%d answers at once", sent)
	}
	for range 100 {
		now = now.Add(10 * ms)
		toAssoc(e, a, now, beat)
		sent += outputs(e, now)
	}
	if sent < 2*answersPerSecond-2 || e.counters.RepliesLimited != 900+uint64(2*answersPerSecond-sent) {
		t.Errorf("%d answers, %d withheld", sent, e.counters.RepliesLimited)
	}
}

// The noise of one source does not silence answers to another; this host's
// programs are not limited one by one (SCTP-2-41).
func TestRepliesPerSource(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1)})
	ask := func(from string, n int) int {
		b := chunk.AppendHeader(nil, chunk.Header{SrcPort: 9, DstPort: 5000, Tag: 99})
		b = chunk.AppendRaw(b, chunk.TypeHeartbeat, 0, []byte{0, 1, 0, 8, 1, 2, 3, 4})
		chunk.Seal(b)
		for range n {
			e.Input(epoch, Packet{Peer: netip.AddrPortFrom(netip.MustParseAddr(from), 9), Data: b})
		}
		return outputs(e, epoch)
	}
	if n := ask("192.0.2.1", 1000); n != repliesPerSource {
		t.Errorf("%d answers to the noisy one", n)
	}
	if n := ask("192.0.2.2", 3); n != 3 {
		t.Errorf("%d answers to another", n)
	}
	if n := ask("127.0.0.1", 1000); n != repliesPerSecond-repliesPerSource-3 {
		t.Errorf("%d answers to this host", n)
	}
}

// A Cookie Preservative makes the cookie live longer, at most twice as long;
// after a stale cookie ours asks for the round trip and a second
// (section 5.2.6, SCTP-2-26).
func TestCookiePreservative(t *testing.T) {
	for _, c := range []struct{ asked, want time.Duration }{
		{0, 10 * time.Second}, {3 * time.Second, 13 * time.Second}, {time.Hour, 20 * time.Second},
	} {
		e := New(Config{Port: 5000, Rand: newSeeded(1), Params: assoc.Params{CookieLife: 10 * time.Second}})
		params := chunk.AppendParam(nil, chunk.ParamCookiePreservative, binary.BigEndian.AppendUint32(nil, uint32(c.asked/ms)))
		b := chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000})
		b = chunk.AppendInit(b, chunk.TypeInit, &chunk.Init{Tag: 1, Window: 9999, OutStreams: 1, InStreams: 1, Params: params}, 0)
		chunk.Seal(b)
		e.Input(epoch, Packet{Peer: peerAddr, Data: b})
		var p Packet
		if !e.Output(epoch, &p) {
			t.Fatal("no INIT ACK")
		}
		raw, _, err := chunk.Next(p.Data[chunk.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		o, err := readOffered(raw, peerAddr.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if ck, ok := e.openCookie(o.cookie); !ok || ck.life != c.want {
			t.Errorf("asked for %v more: %v, want %v", c.asked, ck.life, c.want)
		}
	}

	p := newPair(t, Config{}, Config{})
	id, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := p.ends[0].byID[id]
	p.until(time.Second, "cookie", func() bool { return a.state == cookieEchoed })
	p.flying = nil
	toAssoc(p.ends[0], a, p.now, chunk.AppendError(nil, chunk.CauseStaleCookie, chunk.StaleInfo(5)))
	var out Packet
	if !p.ends[0].Output(p.now, &out) {
		t.Fatal("no INIT")
	}
	raw, _, err := chunk.Next(out.Data[chunk.HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	if o, err := readOffered(raw, p.addrs[0].Addr()); err != nil || raw.Type != chunk.TypeInit || o.longer != time.Second+2*p.delay {
		t.Errorf("%v, asks for %v, %v", raw.Type, o.longer, err)
	}
}

// A message may be longer than the receive buffer, and wedges nothing; one that is
// longer than Params.MaxMessage is refused (SCTP-3-24).
func TestMessageLongerThanBuffer(t *testing.T) {
	p := newPair(t, Config{Params: assoc.Params{MaxMessage: 3 << 19}}, Config{Params: assoc.Params{ReceiveBuffer: 20_000, MaxMessage: 1 << 20}})
	x, _ := p.connect(nil)
	sizes := []int{32 << 10, 1 << 20, 100, 64 << 10, 1 << 20}
	for _, n := range sizes {
		p.send(0, x, 0, make([]byte, n))
	}
	p.until(time.Minute, "messages", func() bool { return len(p.messages(1)) == len(sizes) })
	for i, m := range p.messages(1) {
		if len(m) != sizes[i] {
			t.Errorf("message %d has %d bytes, want %d", i, len(m), sizes[i])
		}
	}
	p.send(0, x, 0, make([]byte, 1<<20+1))
	p.until(time.Second, "end", func() bool { return p.find(0, assoc.CommLost) != nil })
	if ev := p.find(0, assoc.CommLost); ev.info.Cause != uint16(chunk.CauseOutOfResource) {
		t.Errorf("%+v", ev.info)
	}
}
