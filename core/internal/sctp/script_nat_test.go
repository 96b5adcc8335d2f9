package sctp_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Peers that have their address and SCTP port in common, for they are behind one
// NAT, differ by their UDP port (SCTP-2-05, RFC 6951 section 5.4).

// neighbour is a second peer of the engine of c, at another UDP port.
func (c *conv) neighbour(udpPort uint16) *conv {
	n := *c
	n.udp = netip.AddrPortFrom(c.udp.Addr(), udpPort)
	n.id, n.tag, n.peerTag, n.tsn, n.ssn = 0, 0, newTag, 1000, 0
	n.out, n.events = nil, nil
	return &n
}

// open establishes the association of a neighbour, whose packets come between
// heartbeats to asked.
func (c *conv) open(asked netip.AddrPort) *emitted {
	c.t.Helper()
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.quiet()
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	var beat *emitted
	for _, p := range c.discard() {
		switch {
		case p.to == c.udp && p.vt == c.peerTag && p.has(ctCookieAck):
		case p.to == asked && p.has(ctHeartbeat) && beat == nil:
			beat = &p
		default:
			c.t.Fatalf("%v to %v", p, p.to)
		}
	}
	ev := c.event(assoc.CommUp)
	if !ev.Incoming {
		c.t.Fatalf("%+v", ev)
	}
	c.id = ev.Assoc
	return beat
}

// talk exchanges a message each way.
func (c *conv) talk() {
	c.t.Helper()
	c.data("hello")
	if ev := c.message("hello"); ev.Assoc != c.id {
		c.t.Fatalf("it came on association %d, want %d", ev.Assoc, c.id)
	}
	c.advance(c.par.SackDelay)
	c.expectOwn(ctSack)
	c.send("hello yourself")
	d := c.expectOwn(ctData).datas()[0]
	c.inject(sackChunk(d.tsn, 1<<16, nil))
	c.quiet()
	c.noEvents()
}

func (c *conv) answerBeat(beat *emitted) {
	c.t.Helper()
	if beat == nil {
		c.t.Fatal("the old association was not asked")
	}
	c.inject(tlv32(ctHeartbeatAck, 0, beat.chunks[0].value))
}

func TestScriptTwoPeersBehindOneNAT(t *testing.T) {
	a := newConv(t).establishServer()
	a.talk()
	b := a.neighbour(40_000)
	a.answerBeat(b.open(a.udp))
	b.now = a.now
	b.advance(2 * time.Second)
	a.now = b.now
	if a.wantState("ESTABLISHED"); b.id == a.id {
		t.Fatal("they share an association")
	}
	b.talk()
	a.now = b.now
	a.talk()

	t.Run("NAT gives one of them another port", func(t *testing.T) {
		b.now, b.udp = a.now, netip.AddrPortFrom(b.udp.Addr(), 40_007)
		b.talk()
		a.now = b.now
		a.talk()
	})
	t.Run("ports change hands", func(t *testing.T) {
		b.now, b.udp, a.udp = a.now, a.udp, b.udp
		b.talk()
		a.now = b.now
		a.talk()
	})
	t.Run("the port of one is unreachable", func(t *testing.T) {
		quoted := buildPacket(a.eng.Port(), a.peer.Port(), b.peerTag, tlv32(ctHeartbeat, 0, tlv16(1, make([]byte, 20))))
		a.ep.Unreachable(a.now, b.udp, quoted)
		a.drain()
		for _, p := range a.discard() {
			if p.to != b.udp {
				t.Errorf("%v to %v", p, p.to)
			}
		}
		if s, _ := a.ep.Status(b.id); s.Paths[0].Errors == 0 {
			t.Error("not counted")
		}
		if s := a.status(); s.Paths[0].Errors != 0 {
			t.Error("counted for the other one")
		}
	})
	t.Run("one restarts", func(t *testing.T) {
		b.now = a.now
		in := initBody{tag: newTag + 1, rwnd: 1 << 16, os: 8, mis: 8, tsn: 5000}
		b.peerTag, b.tsn, b.ssn = in.tag, in.tsn, 0
		b.injectVT(0, initChunk(in))
		b.takeInitAck(b.expectOwn(ctInitAck))
		b.inject(tlv32(ctCookieEcho, 0, b.cookie))
		b.expectOwn(ctCookieAck)
		if ev := b.event(assoc.Restart); ev.Assoc != b.id {
			t.Fatalf("%+v", ev)
		}
		b.talk()
		a.now = b.now
		a.talk()
	})
	t.Run("one leaves", func(t *testing.T) {
		b.now = a.now
		b.inject(tlv32(ctAbort, 0, nil))
		b.event(assoc.CommLost)
		b.quiet()
		a.talk()
	})
}

// TestScriptRestartFromAnotherUDPPort: a peer that begins anew from another UDP
// port has an association at once, which might be a neighbour's. The old one is
// asked, and is over when nobody answers: of that, its owner is told what it
// seems to be (SCTP-2-05, SCTP-5-02, 5-03).
func TestScriptRestartFromAnotherUDPPort(t *testing.T) {
	for _, state := range []string{"ESTABLISHED", "SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT"} {
		t.Run(state, func(t *testing.T) {
			old := inState(t, state)
			b := old.neighbour(9899)
			beat := b.open(old.udp)
			if shutting := state == "SHUTDOWN-SENT" || state == "SHUTDOWN-ACK-SENT"; (beat == nil) != shutting {
				t.Fatal("asked:", beat != nil)
			}
			b.talk()
			b.advance(time.Minute)
			b.discard()
			var end *event
			for _, ev := range b.events {
				if ev.Assoc != old.id {
					t.Fatalf("%+v", ev)
				}
				end = &ev
			}
			if b.events = nil; end == nil || end.Kind != assoc.CommLost && end.Kind != assoc.CannotStart || !errors.Is(end.Err, assoc.ErrTimeout) {
				t.Fatalf("the old association ends with %+v", end)
			}
			if state == "ESTABLISHED" && end.Err.Error() == assoc.ErrTimeout.Error() {
				t.Error("nothing says that the peer began anew")
			}
			b.talk()
		})
	}
}

// TestScriptSetupMeetsCallFromAnotherUDPPort: while we call somebody, a call from
// his address is his, whatever the UDP port: one association comes of it.
func TestScriptSetupMeetsCallFromAnotherUDPPort(t *testing.T) {
	c := inState(t, "COOKIE-WAIT")
	c.udp = netip.AddrPortFrom(c.udp.Addr(), 40_000)
	c.injectVT(0, initChunk(c.ownInit()))
	tag := c.tag
	if c.takeInitAck(c.expectOwn(ctInitAck)); c.tag != tag {
		t.Fatal("another tag")
	}
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	if ev := c.event(assoc.CommUp); ev.Assoc != c.id {
		t.Fatalf("%+v", ev)
	}
	c.talk()
}

// TestScriptCookieFromAnotherUDPPort: a NAT may change its mind between the
// INIT and the COOKIE ECHO, and the COOKIE ECHO may come twice.
func TestScriptCookieFromAnotherUDPPort(t *testing.T) {
	c := newConv(t)
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	for i, port := range []uint16{40_000, 40_001} {
		c.udp = netip.AddrPortFrom(c.udp.Addr(), port)
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		if c.expectOwn(ctCookieAck); i == 0 {
			c.id = c.event(assoc.CommUp).Assoc
		}
	}
	c.talk()
}

// TestScriptConnectBehindNAT: Connect finds the association with a peer that a
// NAT shows at another UDP port, as long as it is clear who is meant.
func TestScriptConnectBehindNAT(t *testing.T) {
	c := newConv(t)
	c.udp = netip.AddrPortFrom(c.udp.Addr(), 40_000)
	c.establishServer()
	if id, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, nil); id != c.id || !errors.Is(err, assoc.ErrAlreadyExists) {
		t.Fatal(id, err)
	}
	b := c.neighbour(40_001)
	b.open(c.udp)
	for _, n := range []*conv{c, b} {
		p := assoc.Params{EncapPort: n.udp.Port()}
		if id, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, &p); id != n.id || !errors.Is(err, assoc.ErrAlreadyExists) {
			t.Fatal(id, err)
		}
	}
	if id, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, nil); id == c.id || id == b.id || err != nil {
		t.Fatal(id, err)
	}
	b.drain()
	b.udp = b.peer
	b.expect(ctInit)
	b.forget()
}

// TestScriptConnectToTwoBehindNAT: what was opened to one UDP port is not the
// association with who is at another.
func TestScriptConnectToTwoBehindNAT(t *testing.T) {
	c := newConv(t)
	var ids [2]assoc.ID
	for i, port := range []uint16{4001, 4002} {
		id, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, &assoc.Params{EncapPort: port})
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
		c.drain()
		c.udp = netip.AddrPortFrom(c.peer.Addr(), port)
		c.expect(ctInit)
	}
	if ids[0] == ids[1] {
		t.Fatal(ids)
	}
}
