package sctp_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// Group SCTP-7-27: heartbeats and failure; SCTP-7-31: UDP and ICMP.

func heartbeats(p *assoc.Params) { p.HeartbeatInterval = time.Second }

// TestScriptHeartbeatSchedule: on an idle path every HB.interval plus 0.5 to
// 1.5 RTO, each with its own Info, answered or not by one packet (SCTP-3-110,
// 3-113, 8-13).
func TestScriptHeartbeatSchedule(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	last := c.now
	seen := map[string]bool{}
	differ := map[time.Duration]bool{}
	for range 20 {
		rto := c.status().Paths[0].RTO
		at, ok := c.ep.Next()
		if !ok {
			t.Fatal("no timer")
		}
		c.advance(at.Sub(c.now))
		p := c.expectOwn(ctHeartbeat)
		gap := p.at.Sub(last)
		if gap < time.Second+rto/2 || gap > time.Second+rto*3/2+time.Millisecond {
			t.Fatalf("HEARTBEAT after %v, RTO %v", gap, rto)
		}
		info := string(p.chunks[0].value)
		if seen[info] {
			t.Fatal("the same Info twice")
		}
		seen[info], differ[gap.Round(time.Millisecond)] = true, true
		last = p.at
		c.advance(10 * time.Millisecond)
		c.inject(tlv32(ctHeartbeatAck, 0, p.chunks[0].value))
		if s := c.status().Paths[0]; s.Errors != 0 || s.SRTT == 0 {
			t.Fatalf("%+v", s)
		}
	}
	if len(differ) < 5 {
		t.Fatal("no jitter")
	}
}

// TestScriptBusyPathHasNoHeartbeat: data that is acknowledged is sign of life
// enough (SCTP-3-113).
func TestScriptBusyPathHasNoHeartbeat(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	for i := range uint32(100) {
		c.send("busy")
		c.expectOwn(ctData)
		c.advance(10 * time.Millisecond)
		c.inject(sackChunk(c.engTSN+i, 1<<16, nil))
		c.advance(90 * time.Millisecond)
	}
	c.quiet()
}

// TestScriptTalkIsNoAnswer: what a peer sends is no sign that it hears us. One
// that acknowledges nothing is given up in time although it talks all the while
// (SCTP-3-117).
func TestScriptTalkIsNoAnswer(t *testing.T) {
	c := newConv(t).establishServer()
	c.send("unheard")
	c.expectOwn(ctData)
	start := c.now
	for c.status().State == "ESTABLISHED" {
		if _, armed := c.ep.Next(); !armed {
			t.Fatal("a sender waits without a timer")
		}
		if c.now.Sub(start) > time.Minute {
			t.Fatal("the peer is never given up")
		}
		c.data("chatter")
		c.message("chatter")
		c.advance(50 * time.Millisecond)
		c.discard()
	}
	c.event(assoc.PeerAddrChange)
	c.event(assoc.SendFailed)
	c.event(assoc.CommLost)
	busy := c.par.RTOInitial + 2*c.par.RTOInitial + 2*c.par.RTOMax // r_0 to r_3 (SCTP-4-20)
	if took := c.now.Sub(start); took > busy+50*time.Millisecond {
		t.Errorf("given up after %v, want at most %v", took, busy)
	}
}

// byDefault has the parameters of who sets none.
func byDefault(c *conv, _ *sctp.Config) { c.par = assoc.Default() }

// TestScriptStall: with the default parameters neither process may stand still
// for 350 ms in vain (SCTP-4-21).
func TestScriptStall(t *testing.T) {
	c := newConv(t, byDefault).establishServer()
	for i, peers := range []bool{true, false} {
		c.send("busy")
		c.discard()
		if peers {
			c.advance(350 * time.Millisecond)
		} else {
			c.now = c.now.Add(350 * time.Millisecond) // packets wait in the socket
		}
		c.inject(sackChunk(c.engTSN+uint32(i), 1<<16, nil))
		c.discard()
		if s := c.status(); s.State != "ESTABLISHED" || s.Unacked != 0 || s.Paths[0].Errors != 0 {
			t.Fatalf("after a stall (peer's: %v): %+v", peers, s)
		}
	}
}

// TestScriptKeepsMappings: by default an idle association sends something at
// least every 15 seconds, for the sake of NATs on the way (SCTP-5-15).
func TestScriptKeepsMappings(t *testing.T) {
	c := newConv(t, byDefault).establishServer()
	last := c.now
	for c.now.Sub(last) <= 15*time.Second && len(c.events) == 0 {
		c.advance(20 * time.Millisecond)
		for _, p := range c.discard() {
			last = p.at
			if h, ok := p.chunk(ctHeartbeat); ok {
				c.inject(tlv32(ctHeartbeatAck, 0, h.value))
			}
		}
		if c.now.Sub(time.Unix(1_000_000, 0)) > 10*time.Minute {
			return
		}
	}
	t.Fatalf("nothing was sent for %v; events %v", c.now.Sub(last), c.events)
}

// TestScriptHeartbeatAckNonce: only the Info of the outstanding HEARTBEAT
// counts (SCTP-3-112, 8-13).
func TestScriptHeartbeatAckNonce(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	next := func() []byte {
		for range 100 {
			c.advance(50 * time.Millisecond)
			for _, p := range c.discard() {
				if p.has(ctHeartbeat) {
					return bytes.Clone(p.chunks[0].value)
				}
			}
		}
		t.Fatal("no HEARTBEAT")
		return nil
	}
	old := next()
	c.advance(800 * time.Millisecond) // it goes unanswered
	info := next()
	errs := c.status().Paths[0].Errors
	if errs == 0 {
		t.Fatal("an unanswered HEARTBEAT does not count")
	}
	for bit := range 64 { // the nonce comes last
		forged := bytes.Clone(info)
		forged[len(info)-1-bit/8] ^= 1 << (bit % 8)
		c.inject(tlv32(ctHeartbeatAck, 0, forged))
	}
	c.inject(tlv32(ctHeartbeatAck, 0, old))
	if e := c.status().Paths[0].Errors; e < errs {
		t.Fatalf("%d errors after forgeries, %d before", e, errs)
	}
	c.inject(tlv32(ctHeartbeatAck, 0, info))
	if e := c.status().Paths[0].Errors; e != 0 {
		t.Fatalf("%d errors", e)
	}
	c.inject(tlv32(ctHeartbeatAck, 0, info)) // replay
	c.forget()
}

// TestScriptDeadIdlePeer: the fourth unanswered HEARTBEAT of a limit of three
// ends the association (SCTP-3-114, 8-14, 8-15).
func TestScriptDeadIdlePeer(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	start := c.now
	var beats []time.Time
	for range 600 {
		c.advance(20 * time.Millisecond)
		for _, p := range c.discard() {
			if p.has(ctHeartbeat) {
				beats = append(beats, p.at)
			}
		}
		if c.status().State == "CLOSED" {
			break
		}
	}
	if len(beats) != 4 {
		t.Fatalf("%d HEARTBEATs before the end", len(beats))
	}
	for i, at := range beats[1:] { // the timeout doubles with each miss
		r := min(c.par.RTOInitial<<(i+1), c.par.RTOMax)
		if gap := at.Sub(beats[i]); gap < time.Second+r/2 || gap > time.Second+r*3/2 {
			t.Fatalf("HEARTBEAT %d after %v, RTO %v", i+1, gap, r)
		}
	}
	if took := c.now.Sub(start); took > deathBound(c.par) {
		t.Fatalf("%v", took)
	}
	for len(c.events) > 1 {
		c.event(assoc.PeerAddrChange)
	}
	if ev := c.event(assoc.CommLost); !errors.Is(ev.Err, assoc.ErrTimeout) && !errors.Is(ev.Err, assoc.ErrUnreachable) {
		t.Fatalf("%v", ev.Err)
	}
}

// TestScriptPathDownAndUp tells both (SCTP-3-114, 3-115).
func TestScriptPathDownAndUp(t *testing.T) {
	c := newConv(t, withParams(heartbeats), withParams(func(p *assoc.Params) { p.PathMaxRetrans, p.AssocMaxRetrans = 1, 10 })).establishServer()
	var info []byte
	for range 300 {
		c.advance(20 * time.Millisecond)
		for _, p := range c.discard() {
			info = bytes.Clone(p.chunks[0].value)
		}
		if len(c.events) > 0 {
			break
		}
	}
	if ev := c.event(assoc.PeerAddrChange); ev.PathState != assoc.PathUnreachable || ev.From != c.peer {
		t.Fatalf("%+v", ev)
	}
	if c.status().Paths[0].Active {
		t.Fatal("still active")
	}
	c.send("the only path is used all the same")
	c.expectOwn(ctData)
	c.inject(tlv32(ctHeartbeatAck, 0, info), sackChunk(c.engTSN, 1<<16, nil))
	if ev := c.event(assoc.PeerAddrChange); ev.PathState != assoc.PathAvailable {
		t.Fatalf("%+v", ev)
	}
	if !c.status().Paths[0].Active {
		t.Fatal("not active")
	}
	c.forget()
}

// TestScriptPortChange: answers follow a packet with a valid tag, and only
// such (SCTP-5-02, 8-01, 7-31).
func TestScriptPortChange(t *testing.T) {
	c := newConv(t).establishServer()
	old := c.udp
	moved := netip.AddrPortFrom(old.Addr(), 12345)
	c.injectRaw(moved, buildPacket(7000, 5000, strangeTag, dataChunk(fB|fE, c.tsn, 0, 0, 0, "x")))
	c.injectRaw(moved, buildPacket(7000, 5000, c.peerTag, tlv32(ctAbort, 0, nil)))
	c.injectRaw(moved, buildPacket(7000, 5000, 0, initChunk(c.otherInit())))
	for _, p := range c.discard() {
		if p.to != moved {
			t.Fatalf("the answer to INIT goes to %v", p.to)
		}
	}
	c.send("old port")
	c.expectOwn(ctData) // to c.udp
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.udp = moved
	c.data("from the new port")
	c.message("from the new port")
	c.expectOwn(ctSack)
	c.send("new port")
	c.expectOwn(ctData)
	c.inject(sackChunk(c.engTSN+1, 1<<16, nil))
	if n := c.ep.Counters().PortChanges; n != 1 {
		t.Fatalf("%d port changes", n)
	}
	if p := c.status().Paths[0].UDPPort; p != 12345 {
		t.Fatalf("port %d", p)
	}
}

// TestScriptReplySource: answers leave from the address that was asked, also
// those to strangers (SCTP-5-11, 7-31).
func TestScriptReplySource(t *testing.T) {
	c := newConv(t)
	asked := netip.MustParseAddr("192.0.2.77")
	reply := func(vt uint32, chunks ...[]byte) emitted {
		t.Helper()
		c.ep.Input(c.now, sctp.Packet{Peer: c.udp, Local: asked, Data: buildPacket(7000, 5000, vt, chunks...)})
		var p sctp.Packet
		if !c.ep.Output(c.now, &p) || p.Local != asked {
			t.Fatalf("from %v, asked was %v", p.Local, asked)
		}
		w, err := parseStrict(p.Data)
		c.must(err)
		return emitted{c.now, p.Peer, w}
	}
	reply(strangeTag, dataChunk(fB|fE, 1, 0, 0, 0, "stray"))
	c.takeInitAck(reply(0, initChunk(c.ownInit())))
	c.cookie = bytes.Clone(c.cookie)
	reply(c.tag, tlv32(ctCookieEcho, 0, c.cookie))
	reply(c.tag, c.nextData("hello"))
	reply(c.tag, tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce"))))
	c.forget()
}

// TestScriptForeignAddress: a valid tag from an IP address that is not the
// peer's changes nothing (SCTP-5-04).
func TestScriptForeignAddress(t *testing.T) {
	c := newConv(t).establishServer()
	c.injectRaw(netip.MustParseAddrPort("203.0.113.9:7000"), buildPacket(7000, 5000, c.tag, dataChunk(fB|fE, c.tsn, 0, 0, 0, "x")))
	c.noEvents()
	c.discard()
	c.data("x")
	c.message("x")
	c.expectOwn(ctSack)
}

// TestScriptMappedAddress: ::ffff:a.b.c.d is a.b.c.d (SCTP-5-12).
func TestScriptMappedAddress(t *testing.T) {
	c := newConv(t)
	mapped := netip.AddrPortFrom(netip.AddrFrom16(c.udp.Addr().As16()), c.udp.Port())
	c.injectRaw(mapped, buildPacket(7000, 5000, 0, initChunk(c.ownInit())))
	p := c.discard()
	if len(p) != 1 || p[0].to.Addr().Unmap() != c.udp.Addr() {
		t.Fatalf("%v", p)
	}
	c.takeInitAck(p[0])
	c.injectRaw(mapped, buildPacket(7000, 5000, c.tag, tlv32(ctCookieEcho, 0, c.cookie)))
	c.id = c.event(assoc.CommUp).Assoc
	c.discard()
	c.data("plain") // from the unmapped form
	c.message("plain")
	c.discard()
}

// TestScriptUnreachableInSetup: ICMP for our own INIT refuses the connection
// at once; quotes that are not ours change nothing (SCTP-5-08, 5-09, 6-05).
func TestScriptUnreachableInSetup(t *testing.T) {
	c := newConv(t)
	c.connect()
	p := c.takeInit()
	foreign := [][]byte{nil, p.raw[:8], {}, p.raw[:19], buildPacket(5000, 7000, 0, initChunk(initBody{tag: c.tag ^ 1, rwnd: 1500, os: 1, mis: 1})), buildPacket(5000, 7000, 7, initChunk(c.ownInit()))}
	for _, q := range foreign {
		c.ep.Unreachable(c.now, c.udp, q)
		c.drain()
	}
	c.ep.Unreachable(c.now, netip.MustParseAddrPort("203.0.113.9:7000"), p.raw)
	c.drain()
	c.noEvents()
	c.wantState("COOKIE-WAIT")
	c.ep.Unreachable(c.now, c.udp, p.raw[:20]) // to the end of its tag
	c.drain()
	if ev := c.event(assoc.CannotStart); !errors.Is(ev.Err, assoc.ErrRefused) {
		t.Fatalf("%v", ev.Err)
	}
}

// TestScriptUnreachableWhenEstablished: with our tag quoted the peer's process
// is probed at once and given up soon; with another tag nothing happens
// (SCTP-5-08, 5-09, 8-01).
func TestScriptUnreachableWhenEstablished(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	quote := func(vt uint32) []byte { return buildPacket(5000, 7000, vt, dataChunk(fB|fE, 1, 0, 0, 0, "x"))[:28] }
	before := fingerprint(c.ep)
	c.ep.Unreachable(c.now, c.udp, quote(c.tag))
	c.ep.Unreachable(c.now, c.udp, quote(0))
	c.ep.Unreachable(c.now, c.udp, quote(strangeTag))
	c.ep.Unreachable(c.now, c.udp, quote(c.peerTag)[:7])
	c.ep.Unreachable(c.now, netip.MustParseAddrPort("203.0.113.9:7000"), quote(c.peerTag))
	c.ep.Unreachable(c.now, netip.AddrPortFrom(c.udp.Addr(), 7001), quote(c.peerTag)) // a port it has left
	c.drain()
	if what := changed(before, fingerprint(c.ep)); what != "" {
		t.Fatal("believes a forged ICMP message", what)
	}
	if n := c.ep.Counters().UnreachableIgnored; n != 6 {
		t.Fatalf("%d counted", n)
	}
	// A peer that lives answers the probe and stays.
	c.ep.Unreachable(c.now, c.udp, quote(c.peerTag))
	c.drain()
	p := c.expectOwn(ctHeartbeat)
	c.inject(tlv32(ctHeartbeatAck, 0, p.chunks[0].value))
	c.advance(500 * time.Millisecond)
	c.wantState("ESTABLISHED")
	c.forget()
	// One that is dead does not.
	c.ep.Unreachable(c.now, c.udp, quote(c.peerTag))
	c.drain()
	c.advance(time.Second)
	c.wantState("CLOSED")
	c.forget()
}

// TestScriptHeartbeatIsRefused: the ICMP message to a heartbeat that was due anyway
// is worth as much as one to data: the peer is asked once more, at once, and what
// comes back then decides (SCTP-5-09).
func TestScriptHeartbeatIsRefused(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	refuse := func() {
		c.ep.Unreachable(c.now, c.udp, c.expectOwn(ctHeartbeat).raw)
		c.drain()
	}
	beat := func() {
		for range 100 {
			if len(c.out) > 0 {
				return
			}
			c.advance(50 * time.Millisecond)
		}
		t.Fatal("no heartbeat")
	}
	beat()
	refuse()
	c.inject(tlv32(ctHeartbeatAck, 0, c.expectOwn(ctHeartbeat).chunks[0].value))
	c.wantState("ESTABLISHED")
	beat()
	refuse()
	refuse()
	c.wantState("CLOSED")
	c.forget()
}
