package sctp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// narrow is a link that drops probes larger than an IP packet of size mtu, and
// everything that large if it does not fragment.
func narrow(mtu int, fragments bool) func(data []byte, df bool) bool {
	return func(data []byte, df bool) bool {
		return (df || !fragments) && len(data) > packetSize(netip.AddrFrom4([4]byte{}), mtu)
	}
}

func (p *pair) mtu(i int, id assoc.ID) int { return p.ends[i].byID[id].primary.mtu }

// bulk sends something that is worth larger packets.
func (p *pair) bulk(x assoc.ID) {
	p.t.Helper()
	before := len(p.messages(1))
	p.send(0, x, 0, make([]byte, 200_000))
	p.until(20*time.Second, "message", func() bool { return len(p.messages(1)) > before })
}

// The search finds the largest size that passes, to within a few percent, from
// a base of 1200; what is lost meanwhile is neither congestion nor a failure
// (SCTP-3-130, SCTP-3-131).
func TestSearchFindsMTU(t *testing.T) {
	for _, link := range []int{1200, 1280, 1400, 1492, 1500, 4000, 9000, 9216, 65535} {
		p := newPair(t, Config{}, Config{})
		p.wide = narrow(link, true)
		x, _ := p.connect(nil)
		if got := p.mtu(0, x); got != 1172 {
			t.Fatalf("begins at %d", got)
		}
		p.bulk(x)
		p.run(60 * time.Second)
		limit := packetSize(netip.AddrFrom4([4]byte{}), link)
		if got := p.mtu(0, x); got > limit || got < limit-max(mtuStep, limit/16) {
			t.Errorf("link of %d: packets of %d, want nearly %d", link, got, limit)
		}
		if link == 1500 || link == 9000 || link == 65535 {
			if got := p.mtu(0, x); got != limit&^3 {
				t.Errorf("link of %d: packets of %d", link, got)
			}
		}
		c, s := p.ends[0].counters, p.paths(0, x)[0]
		if c.Retransmissions != 0 || c.Timeouts != 0 || c.HeartbeatsLost != 0 || s.Errors != 0 || !s.Active || p.ends[0].byID[x].errors != 0 {
			t.Errorf("link of %d: %+v, %+v", link, c, s)
		}
		if p.ends[0].byID[x].primary.search.timer.Armed() {
			t.Errorf("link of %d: the search does not end", link)
		}
	}
}

// A search begins with the need for it, never with a fixed MTU, and again after
// ten minutes (RFC 8899 section 5.1.1).
func TestSearchOnDemand(t *testing.T) {
	probes := 0
	count := func(_ []byte, df bool) bool {
		if df {
			probes++
		}
		return false
	}
	p := newPair(t, Config{}, Config{})
	p.wide = count
	x, _ := p.connect(nil)
	for range 50 {
		p.send(0, x, 0, make([]byte, 100))
		p.run(100 * ms)
	}
	if probes != 0 {
		t.Errorf("%d probes for small messages", probes)
	}
	small := narrow(1500, true)
	p.wide = func(data []byte, df bool) bool { count(data, df); return small(data, df) }
	p.bulk(x)
	p.run(time.Minute)
	if probes == 0 || p.mtu(0, x) != 1472 {
		t.Fatalf("%d probes, packets of %d", probes, p.mtu(0, x))
	}
	probes = 0
	p.bulk(x)
	if probes != 0 {
		t.Errorf("%d probes after the search", probes)
	}
	p.wide = nil
	p.run(raiseAfter)
	p.bulk(x)
	p.run(time.Second)
	if p.mtu(0, x) != 65504 {
		t.Errorf("packets of %d after the link has widened", p.mtu(0, x))
	}

	probes = 0
	q := newPair(t, Config{}, Config{})
	q.wide = count
	y, _ := q.connect(&assoc.Params{MTU: 1400})
	q.bulk(y)
	if probes != 0 || q.mtu(0, y) != 1372 {
		t.Errorf("%d probes in spite of a fixed size, packets of %d", probes, q.mtu(0, y))
	}
	if err := q.ends[0].SetParams(y, assoc.Params{MTU: 1300}); err != nil || q.mtu(0, y) != 1272 {
		t.Errorf("%v, packets of %d", err, q.mtu(0, y))
	}
	if err := q.ends[0].SetParams(y, assoc.Params{MTU: -1}); err != nil || q.mtu(0, y) != 1172 {
		t.Errorf("%v, packets of %d", err, q.mtu(0, y))
	}
	q.bulk(y)
	q.run(time.Second)
	if q.mtu(0, y) != 65504 {
		t.Errorf("packets of %d", q.mtu(0, y))
	}
}

// MaxMTU bounds the search.
func TestSearchIsBounded(t *testing.T) {
	p := newPair(t, Config{MaxMTU: 4000}, Config{})
	x, _ := p.connect(nil)
	p.bulk(x)
	p.run(time.Second)
	if got := p.mtu(0, x); got != 3972 {
		t.Errorf("packets of %d", got)
	}
}

// When large packets vanish all at once new data goes in small ones; what was
// cut before needs a network that fragments (RFC 8899 section 4.3).
func TestBlackHole(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(&assoc.Params{AssocMaxRetrans: 20, PathMaxRetrans: 20})
	p.bulk(x)
	p.run(time.Second)
	if p.mtu(0, x) != 65504 {
		t.Fatalf("packets of %d", p.mtu(0, x))
	}
	hole := narrow(1500, false)
	p.wide = hole
	p.send(0, x, 0, make([]byte, 100_000))
	p.until(10*time.Second, "suspicion", func() bool { return p.mtu(0, x) == 1172 })
	p.wide = narrow(1500, true)
	p.until(10*time.Second, "message", func() bool { return len(p.messages(1)) == 2 })
	p.bulk(x)
	p.run(20 * time.Second)
	if got := p.mtu(0, x); got != 1472 {
		t.Errorf("packets of %d", got)
	}
}

// The system or an ICMP message may say what does not pass, if it can be
// believed (SCTP-3-131, SCTP-5-08, SCTP-5-10).
// UDP-5.5-01, UDP-5.6-01.
func TestTooBig(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	e, a := p.ends[0], p.ends[0].byID[x]
	var out Packet
	probes := 0
	p.send(0, x, 0, make([]byte, 50_000))
	for e.Output(p.now, &out) {
		if out.DontFragment {
			probes++
			if len(out.Data) > 3972 {
				e.TooBig(p.now, out.Peer, out.Data, 0)
			} else if len(out.Data) > a.primary.mtu {
				p.ends[1].Input(p.now, Packet{Peer: p.addrs[0], Data: out.Data})
				var back Packet
				for p.ends[1].Output(p.now, &back) {
					e.Input(p.now, Packet{Peer: p.addrs[1], Data: back.Data})
				}
			}
		}
	}
	if got := a.primary.mtu; got > 3972 || got < 3972-max(mtuStep, got/16) || probes > 12 {
		t.Errorf("packets of %d after %d probes", got, probes)
	}
	quote := chunk.AppendHeader(nil, chunk.Header{SrcPort: p.addrs[0].Port(), DstPort: p.addrs[1].Port(), Tag: a.peerTag})
	forged := chunk.AppendHeader(nil, chunk.Header{SrcPort: p.addrs[0].Port(), DstPort: p.addrs[1].Port(), Tag: a.peerTag + 1})
	before := a.primary.mtu
	e.TooBig(p.now, p.addrs[1], forged, 1400)
	e.TooBig(p.now, p.addrs[1], quote, 700) // less than any path carries
	e.TooBig(p.now, p.addrs[1], quote[:4], 1400)
	e.TooBig(p.now, p.addrs[0], quote, 1400)
	if a.primary.mtu != before || e.counters.UnreachableIgnored != 4 {
		t.Errorf("packets of %d, %d ignored", a.primary.mtu, e.counters.UnreachableIgnored)
	}
	e.TooBig(p.now, p.addrs[1], quote, 1400)
	if a.primary.mtu != 1172 || a.primary.next() != 1272 {
		t.Errorf("packets of %d, next probe %d", a.primary.mtu, a.primary.next())
	}
}

// A probe is a HEARTBEAT with a PAD chunk that fills the packet, alone and not
// to be fragmented; another nonce than its own confirms nothing (SCTP-3-131).
func TestProbePacket(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	e, a := p.ends[0], p.ends[0].byID[x]
	p.send(0, x, 0, make([]byte, 50_000))
	var out Packet
	for !out.DontFragment {
		if !e.Output(p.now, &out) {
			t.Fatal("no probe")
		}
	}
	c, rest, err := chunk.Next(out.Data[chunk.HeaderSize:])
	if err != nil || c.Type != chunk.TypeHeartbeat || len(out.Data) != 1472 {
		t.Fatalf("%v, %d bytes", c.Type, len(out.Data))
	}
	pad, rest, err := chunk.Next(rest)
	if err != nil || pad.Type != chunk.TypePad || len(rest) != 0 {
		t.Fatalf("%v, %d bytes behind", pad.Type, len(rest))
	}
	wrong := append([]byte(nil), c.Value...)
	wrong[len(wrong)-1] ^= 1
	for _, value := range [][]byte{wrong, c.Value} {
		if a.primary.mtu != 1172 {
			t.Error("a wrong nonce was believed")
		}
		b := chunk.AppendHeader(nil, chunk.Header{SrcPort: p.addrs[1].Port(), DstPort: p.addrs[0].Port(), Tag: a.tag})
		b = chunk.AppendRaw(b, chunk.TypeHeartbeatAck, 0, value)
		chunk.Seal(b)
		e.Input(p.now, Packet{Peer: p.addrs[1], Data: b})
	}
	if a.primary.mtu != 1472 {
		t.Errorf("packets of %d", a.primary.mtu)
	}
}
