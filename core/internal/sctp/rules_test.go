package sctp

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// chunksOf splits a packet that an endpoint sent.
func chunksOf(t *testing.T, data []byte) (list []chunk.Raw) {
	t.Helper()
	for rest := data[chunk.HeaderSize:]; len(rest) > 0; {
		c, more, err := chunk.Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		list, rest = append(list, c), more
	}
	return list
}

// spoke collects the packets that an endpoint has to send.
func spoke(e *Endpoint, now time.Time) (list []Packet) {
	var p Packet
	for e.Output(now, &p) {
		q := p
		q.Data = bytes.Clone(p.Data)
		list = append(list, q)
	}
	return list
}

// The checksum is always there and always looked at; that it could be left out
// is not announced (SCTP-1-05).
func TestChecksumIsNeverOptional(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	b := chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000, Tag: a.tag})
	b = chunk.AppendHeartbeat(b, make([]byte, 8)) // with a checksum of zero
	e.Input(epoch, Packet{Peer: netip.MustParseAddrPort("127.0.0.1:7"), Data: b})
	e.Input(epoch, Packet{Peer: peerAddr, Data: b})
	if e.counters.BadChecksum != 2 || len(spoke(e, epoch)) != 0 {
		t.Errorf("%+v", e.counters)
	}
	if _, err := e.Connect(epoch, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}, nil); err != nil {
		t.Fatal(err)
	}
	p := spoke(e, epoch)[0]
	init, err := chunk.ParseInit(chunksOf(t, p.Data)[0])
	if err != nil {
		t.Fatal(err)
	}
	for rest := init.Params; len(rest) > 0; {
		var param chunk.Param
		if param, rest, err = chunk.NextParam(rest); err != nil || param.Type != chunk.ParamForwardTSN && param.Type != chunk.ParamExtensions {
			t.Fatalf("parameters % x, %v", init.Params, err)
		}
	}
	if _, _, err := chunk.ParsePacket(p.Data); err != nil {
		t.Error(err)
	}
}

// What follows an ABORT in its packet is not looked at (SCTP-1-14).
func TestNothingBehindAnAbort(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	data := chunk.AppendData(nil, &chunk.Data{Flags: chunk.FlagBegin | chunk.FlagEnd, TSN: a.in.acked + 1, Payload: []byte("late")})
	toAssoc(e, a, epoch, chunk.AppendAbort(nil, 0, 0, nil), data)
	if e.counters.DataIn != 0 || len(e.byID) != 0 {
		t.Errorf("%+v", e.counters)
	}
}

// An INIT belongs to the association that a listed address names, whatever its
// source address; the answer goes to that source and port, under the tag of that
// INIT (SCTP-2-02, SCTP-2-11). From another UDP port it comes from somebody else
// (SCTP-2-05).
func TestInitIsFoundByListedAddress(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	other := netip.MustParseAddr("192.0.2.200")
	for _, tt := range []struct {
		lists bool
		port  uint16
	}{{true, peerAddr.Port()}, {false, peerAddr.Port()}, {true, 4711}} {
		var params []byte
		if tt.lists {
			params = chunk.AppendAddr(nil, peerAddr.Addr())
		}
		elsewhere := netip.AddrPortFrom(other, tt.port)
		b := chunk.AppendHeader(nil, chunk.Header{SrcPort: a.peerPort, DstPort: 5000})
		b = chunk.AppendInit(b, chunk.TypeInit, &chunk.Init{Tag: 77, Window: 9999, OutStreams: 1, InStreams: 1, Params: params}, 0)
		chunk.Seal(b)
		e.Input(epoch, Packet{Peer: elsewhere, Data: b})
		out := spoke(e, epoch)
		if len(out) != 1 || out[0].Peer != elsewhere {
			t.Fatalf("%d answers", len(out))
		}
		h, _ := chunk.PeekHeader(out[0].Data)
		want := chunk.TypeInitAck
		if tt.lists && tt.port == peerAddr.Port() {
			want = chunk.TypeAbort // it adds an address to the association
		}
		if c := chunksOf(t, out[0].Data)[0]; c.Type != want || h.Tag != 77 {
			t.Errorf("%+v: type %d, tag %d", tt, c.Type, h.Tag)
		}
	}
}

// After SHUTDOWN there are no heartbeats and no T3, and no data was sent before
// the association was established (SCTP-2-56, SCTP-3-16).
func TestQuietStates(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	early := 0
	p.drop = func(from int, data []byte) bool {
		for _, c := range chunksOf(t, data) {
			if c.Type == chunk.TypeIData && from == 0 && p.ends[0].byID[1].state < established {
				early++
				if data[chunk.HeaderSize] != byte(chunk.TypeCookieEcho) {
					t.Error("data without COOKIE ECHO in front")
				}
			}
		}
		return false
	}
	x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.send(0, x, 0, []byte("early"))
	a := p.ends[0].byID[x]
	p.until(time.Second, "message", func() bool { return len(p.messages(1)) == 1 })
	if early != 1 {
		t.Errorf("%d early DATA chunks", early)
	}
	p.run(time.Second)
	p.drop = func(int, []byte) bool { return true }
	if err := p.ends[0].Shutdown(p.now, x); err != nil {
		t.Fatal(err)
	}
	p.flush()
	if a.state != shutdownSent || a.primary.t3.Armed() || a.primary.beat.Armed() || a.primary.nonce != 0 {
		t.Errorf("%v, T3 %v, heartbeat %v", a.state, a.primary.t3.Armed(), a.primary.beat.Armed())
	}
}

// So few chunks are outstanding that neither TSNs nor SSNs can be mistaken
// (SCTP-3-01).
func TestOutstandingIsBounded(t *testing.T) {
	p := newPair(t, Config{}, Config{Params: assoc.Params{ReceiveBuffer: 64 << 20}})
	x, _ := p.connect(&assoc.Params{SendBuffer: 64 << 20, MTU: 65535})
	a := p.ends[0].byID[x]
	a.primary.cwnd, a.params.MaxBurst, a.primary.lastData = 1<<30, 1<<20, p.now
	p.drop = func(from int, _ []byte) bool { return from == 1 }
	for range maxOutstanding + 5000 {
		if err := p.ends[0].Send(p.now, []byte{1}, &assoc.SendInfo{Assoc: x}); err != nil {
			t.Fatal(err)
		}
	}
	a.state = shutdownPending // nothing waits for more
	for len(spoke(p.ends[0], p.now)) > 0 {
	}
	if n := a.out.chunks.len(); n != maxOutstanding {
		t.Errorf("%d chunks outstanding", n)
	}
}

// What is marked goes before what is new, TSNs rise in every packet, and a
// chunk goes whole or waits (SCTP-3-11, SCTP-3-14, SCTP-3-52).
func TestOrderOfTransmission(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(&assoc.Params{MTU: 1500})
	e, a := p.ends[0], p.ends[0].byID[x]
	o := &a.out
	first := o.nextTSN
	p.send(0, x, 0, make([]byte, 400))
	p.send(0, x, 0, make([]byte, 400))
	spoke(e, p.now)
	window := o.window
	o.mark(o.chunks.at(1), 1)
	o.mark(o.chunks.at(0), 0)
	if o.window != window+800 || o.outstanding != 0 || a.primary.flight != 0 {
		t.Errorf("window %d after marking, %d before", o.window, window)
	}
	p.send(0, x, 0, make([]byte, 400))
	var tsns []uint32
	for _, packet := range spoke(e, p.now) {
		for _, c := range chunksOf(t, packet.Data) {
			if c.Type == chunk.TypeIData {
				d, err := chunk.ParseData(c)
				if err != nil {
					t.Fatal(err)
				}
				tsns = append(tsns, d.TSN)
			}
		}
	}
	if len(tsns) != 3 || tsns[0] != first || tsns[1] != first+1 || tsns[2] != first+2 || o.window != window-400 {
		t.Errorf("TSNs %d from %d, window %d", tsns, first, o.window)
	}
	o.window = 1000 // the next chunk is larger
	p.send(0, x, 0, make([]byte, 1200))
	if out := spoke(e, p.now); len(out) != 0 || o.chunks.len() != 3 {
		t.Errorf("%d packets into a window that is too small", len(out))
	}
	o.window, a.primary.cwnd = 5000, a.primary.flight+1 // open by one byte: the whole chunk
	a.wake()
	if out := spoke(e, p.now); len(out) != 1 || o.chunks.at(3).n != 1200 {
		t.Errorf("%d packets", len(out))
	}
}

// A burst may open every stream there is (SCTP-3-27).
func TestManyNewStreams(t *testing.T) {
	params := assoc.Params{OutStreams: 65535, InStreams: 65535}
	p := newPair(t, Config{Params: params}, Config{Params: params})
	x, _ := p.connect(nil)
	for sid := range uint16(2000) {
		p.send(0, x, sid*32, []byte{1})
	}
	p.until(5*time.Second, "messages", func() bool { return len(p.messages(1)) == 2000 })
}

// A SACK goes to where the last DATA came from (SCTP-3-35).
func TestSackGoesToTheSource(t *testing.T) {
	p, x, y := newHomes(t, assoc.Params{HeartbeatInterval: -1})
	for _, home := range []int{1, 0, 1} {
		if err := p.ends[0].SetParams(x, assoc.Params{Primary: homes[1][home]}); err != nil {
			t.Fatal(err)
		}
		p.send(0, x, 0, []byte("data"))
		var to []netip.Addr
		p.cut = func(_, dst netip.Addr) bool { to = append(to, dst); return false }
		p.run(100 * ms)
		if len(to) != 2 || to[0] != homes[1][home] || to[1] != homes[0][home] || p.ends[1].byID[y].replyTo.addr != homes[0][home] {
			t.Errorf("packets to %v, want data to %v", to, homes[1][home])
		}
		p.cut = nil
		p.run(time.Second)
	}
}

// Status says how an association and its paths are (SCTP-4-10).
func TestStatusIsComplete(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(&assoc.Params{OutStreams: 5, MTU: 1500})
	p.hold[1] = true
	p.send(0, x, 0, make([]byte, 1000))
	p.flush()
	s, err := p.ends[0].Status(x)
	if err != nil || len(s.Paths) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	q := s.Paths[0]
	if s.State != "ESTABLISHED" || s.Unacked != 1 || s.Unsent != 0 || s.QueuedBytes != 1000+messageOverhead || s.QueuedPayload != 1000 || s.OutStreams != 5 ||
		s.PeerWindow != assoc.Default().ReceiveBuffer-1000 || q.Addr != p.addrs[1] || q.UDPPort != p.addrs[1].Port() || !q.Active ||
		q.SRTT != 2*p.delay || q.RTO != assoc.Default().RTOMin || q.Cwnd != 4404 || q.InFlight != 1020 || q.MTU != 1472 || q.Errors != 0 {
		t.Errorf("%+v", s)
	}
	if _, err := p.ends[0].Status(x + 1); err != assoc.ErrNotConnected {
		t.Error(err)
	}
}
