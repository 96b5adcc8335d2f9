package sctp_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// RFC 8260 section 2: I-DATA and I-FORWARD-TSN.

// extensions are the chunk types that the peer lists.
func extensions(types ...byte) option {
	return func(c *conv, _ *sctp.Config) { c.offers = cat(tlv16(0x8008, types), tlv16(0xc000, nil)) }
}

var interleaving = extensions(ctForwardTSN, ctIData, ctIForwardTSN)

// TestScriptInterleavingIsNegotiated: who lists I-DATA gets I-DATA, whoever opens;
// everybody else gets DATA, and is not told of what he does not know (SCTP-3-150).
func TestScriptInterleavingIsNegotiated(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []option
		want byte
	}{
		{"both know it", []option{interleaving}, ctIData},
		{"I-DATA alone", []option{extensions(ctIData)}, ctIData},
		{"among others", []option{extensions(0xc1, 0x80, ctIData, 0x82, ctIForwardTSN)}, ctIData},
		{"the peer knows other extensions", []option{extensions(0xc1, 0x80, ctForwardTSN)}, ctData},
		{"the peer knows none", nil, ctData},
		{"not wanted", []option{interleaving, func(_ *conv, cfg *sctp.Config) { cfg.NoInterleaving = true }}, ctData},
	} {
		for _, client := range []bool{true, false} {
			c := newConv(t, tt.opts...)
			if client {
				c.establishClient()
			} else {
				c.injectVT(0, initChunk(c.ownInit()))
				p := c.expectOwn(ctInitAck)
				list, err := walkTLVs(parseInit(p.chunks[0].value).params)
				c.must(err)
				if types, _ := findTLV(list, 0x8008); bytes.Contains(types, []byte{ctIData}) != (tt.want == ctIData) {
					t.Errorf("%s: the INIT ACK lists % x", tt.name, types)
				}
				c.takeInitAck(p)
				c.inject(tlv32(ctCookieEcho, 0, c.cookie))
				c.expectOwn(ctCookieAck)
				c.id = c.event(assoc.CommUp).Assoc
			}
			c.send("hello")
			if p := c.out[0]; !p.has(tt.want) {
				t.Errorf("%s: %v", tt.name, p)
			}
			c.forget()
		}
	}
}

// TestScriptInterleavedWrong: the kind of data that was not agreed on ends the
// association (RFC 8260 section 2.2.3, SCTP-3-150), and so does the FORWARD TSN of
// the other kind (section 2.3.1, SCTP-3-153).
func TestScriptInterleavedWrong(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []option
		bad  func(c *conv) []byte
	}{
		{"DATA", []option{interleaving}, func(c *conv) []byte { return c.nextData("x") }},
		{"FORWARD TSN", []option{interleaving}, func(c *conv) []byte { return forwardTSN(c.tsn) }},
		{"I-DATA", nil, func(c *conv) []byte { return iDataChunk(fB|fE, c.tsn, 0, 0, 0, "x") }},
		{"I-FORWARD-TSN", []option{extensions(ctForwardTSN)}, func(c *conv) []byte { return tlv32(ctIForwardTSN, 0, u32(c.tsn)) }},
		{"I-DATA too short", []option{interleaving}, func(c *conv) []byte { return tlv32(ctIData, fB|fE, make([]byte, 15)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConv(t, tt.opts...).establishServer()
			c.inject(tt.bad(c))
			p := c.expectOwn(ctAbort)
			if list, err := walkTLVs(p.chunks[0].value); err != nil || len(list) != 1 || list[0].typ != 13 {
				t.Errorf("%v %v", p, err)
			}
			c.event(assoc.CommLost)
		})
	}
}

// TestScriptInterleavedSending: fragments are numbered in their message, messages
// in their stream, ordered and unordered ones apart, and streams take turns by the
// chunk (SCTP-3-151, SCTP-3-07).
func TestScriptInterleavedSending(t *testing.T) {
	c := newConv(t, interleaving, withParams(func(p *assoc.Params) { p.MaxBurst = 100 })).establishServer()
	long := strings.Repeat("x", 4000)
	c.sendInfo(long, assoc.SendInfo{Stream: 1, PPID: 7})
	for _, info := range []assoc.SendInfo{{Stream: 2, PPID: 8}, {Stream: 1, PPID: 9, Unordered: true}, {Stream: 2, PPID: 10, Unordered: true}, {Stream: 2, PPID: 11}} {
		c.sendInfo(long, info)
	}
	type key struct {
		sid       uint16
		unordered bool
		mid       uint32
	}
	ppids, fsns, order := map[key]uint32{}, map[key]uint32{}, []uint16{}
	for i, d := range c.collect() {
		k := key{d.sid, d.flags&fU != 0, d.mid}
		if first := d.flags&fB != 0; first {
			ppids[k] = d.ppid
		} else if d.fsn != fsns[k] {
			t.Errorf("%+v has number %d, want %d", k, d.fsn, fsns[k])
		}
		fsns[k]++
		if i > 3 && i < 8 {
			order = append(order, d.sid)
		}
	}
	want := map[key]uint32{{1, false, 0}: 7, {2, false, 0}: 8, {1, true, 0}: 9, {2, true, 0}: 10, {2, false, 1}: 11}
	for k, ppid := range want {
		if ppids[k] != ppid || fsns[k] != 3 {
			t.Errorf("%+v: PPID %d, %d fragments", k, ppids[k], fsns[k])
		}
	}
	if len(ppids) != len(want) {
		t.Errorf("%v", ppids)
	}
	if order[0] == order[1] || order[0] != order[2] || order[1] != order[3] {
		t.Errorf("streams follow each other like %d", order)
	}
}

// TestScriptInterleavedReceiving: messages whose fragments alternate, on streams
// and in order or not, come out as each is complete (SCTP-3-152).
func TestScriptInterleavedReceiving(t *testing.T) {
	c := newConv(t, interleaving).establishServer()
	c.mute = false
	tsn := c.tsn
	put := func(flags byte, sid uint16, mid, last uint32, user string) {
		c.inject(iDataChunk(flags, tsn, sid, mid, last, user))
		tsn++
	}
	put(fB, 1, 0, 17, "one ")
	put(fB, 2, 0, 18, "two ")
	put(fB|fU, 1, 0, 19, "three ")
	put(fB|fE, 1, 1, 20, "waits for one")
	put(0, 2, 0, 1, "goes on ")
	c.noEvents()
	put(fE|fU, 1, 0, 1, "ends")
	if ev := c.message("three ends"); ev.PPID != 19 || !ev.Unordered || ev.Stream != 1 {
		t.Errorf("%+v", ev)
	}
	put(fE, 1, 0, 1, "ends")
	if ev := c.message("one ends"); ev.PPID != 17 || ev.Stream != 1 {
		t.Errorf("%+v", ev)
	}
	c.message("waits for one")
	put(fE, 2, 0, 2, "and ends")
	c.message("two goes on and ends")
	c.advance(time.Second)
	c.forget()
}

// TestScriptIForwardTSN skips what the peer gave up, of ordered messages and of
// unordered ones, also where other fragments of them have arrived or come late
// (SCTP-3-153).
func TestScriptIForwardTSN(t *testing.T) {
	c := newConv(t, interleaving).establishServer()
	base := c.tsn
	skip := func(cta uint32, entries ...[]byte) { c.inject(tlv32(ctIForwardTSN, 0, cat(u32(cta), cat(entries...)))) }
	c.inject(iDataChunk(fB, base, 1, 0, 0, "given up"))
	c.inject(iDataChunk(fB|fU, base+1, 1, 0, 0, "given up too"))
	c.inject(iDataChunk(fB, base+2, 2, 0, 0, "not "))
	c.inject(iDataChunk(fB|fE, base+4, 1, 1, 0, "held")) // base+3 is lost
	c.noEvents()
	skip(base+3, u16(1, 0), u32(0), u16(1, 1), u32(0))
	c.message("held")
	c.inject(iDataChunk(fE, base+6, 1, 0, 2, "late")) // of what was skipped
	c.noEvents()
	skip(base+6, u16(1, 0), u32(0))
	c.inject(iDataChunk(fE, base+7, 2, 0, 1, "given up"))
	c.message("not given up")
	c.inject(iDataChunk(fB|fE|fU, base+8, 1, 1, 0, "unordered"))
	c.message("unordered")
	c.inject(iDataChunk(fB|fE, base+9, 1, 2, 0, "ordered"))
	c.message("ordered")
	c.advance(time.Second)
	c.discard()
	c.inject(iDataChunk(fB|fE, base+10, 1, 3, 0, "last"))
	c.message("last")
	c.advance(time.Second)
	if s := c.expectSack(); s.cta != base+10 || len(s.blocks) != 0 {
		t.Fatalf("%+v", s)
	}
	c.forget()
}

// TestScriptInterleavedLifetime: without I-FORWARD-TSN nothing that was sent is
// given up, also by a peer that knows FORWARD TSN (RFC 8260 section 2.3.1,
// SCTP-3-153).
func TestScriptInterleavedLifetime(t *testing.T) {
	for _, knows := range []bool{true, false} {
		types := []byte{ctForwardTSN, ctIData}
		if knows {
			types = append(types, ctIForwardTSN)
		}
		c := newConv(t, extensions(types...)).establishServer()
		c.sendInfo("mortal", assoc.SendInfo{Stream: 3, Unordered: true, Lifetime: 50 * time.Millisecond})
		c.expectOwn(ctIData)
		c.advance(400 * time.Millisecond)
		p := c.out[0]
		if !knows {
			if !p.has(ctIData) {
				t.Errorf("%v", p)
			}
			c.forget()
			continue
		}
		c.event(assoc.SendFailed)
		f, ok := p.chunk(ctIForwardTSN)
		if !ok || !bytes.Equal(f.value, cat(u32(c.engTSN), u16(3, 1), u32(0))) {
			t.Errorf("%v: % x", p, f.value)
		}
		c.forget()
	}
}

// TestScriptInterleavesAsLinux: Linux numbers fragments from 0 behind the first one,
// and may begin with DATA (SCTP-3-155).
func TestScriptInterleavesAsLinux(t *testing.T) {
	c := newConv(t, extensions(0xc1, 0x80, ctForwardTSN, ctIData)).establishServer()
	c.sendInfo(strings.Repeat("x", 4000), assoc.SendInfo{Stream: 1})
	var fsns []uint32
	for _, d := range c.collect() {
		fsns = append(fsns, d.fsn)
	}
	if len(fsns) != 3 || fsns[1] != 0 || fsns[2] != 1 {
		t.Errorf("fragments have the numbers %d", fsns)
	}
	c.inject(dataChunk(fB, c.tsn, 1, 0, 7, "cut before "))
	c.inject(dataChunk(fE, c.tsn+1, 1, 0, 7, "it knew"))
	c.message("cut before it knew")
	c.inject(iDataChunk(fB, c.tsn+2, 1, 1, 7, "cut "))
	c.inject(iDataChunk(fB|fE, c.tsn+3, 2, 0, 7, "alone"))
	c.message("alone")
	c.inject(iDataChunk(0, c.tsn+4, 1, 1, 0, "with "))
	c.inject(iDataChunk(fE, c.tsn+5, 1, 1, 1, "knowledge"))
	c.message("cut with knowledge")
	c.advance(time.Second)
	c.forget()
}
