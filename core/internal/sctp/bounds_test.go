package sctp

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// A message's TSNs reach from its lowest to its highest, in whatever order its
// fragments stand, also past zero.
func TestSpanOfFragments(t *testing.T) {
	for _, tt := range []struct {
		tsns      []uint32
		low, high uint32
	}{
		{[]uint32{7}, 7, 7},
		{[]uint32{7, 8, 9}, 7, 9},
		{[]uint32{9, 8, 7}, 7, 9},
		{[]uint32{8, 11, 7, 9}, 7, 11},
		{[]uint32{0, 1<<32 - 2, 3, 1<<32 - 1}, 1<<32 - 2, 3},
	} {
		var first *fragment
		for i := len(tt.tsns) - 1; i >= 0; i-- {
			first = &fragment{tsn: tt.tsns[i], next: first}
		}
		if low, high := first.tsns(); low != tt.low || high != tt.high {
			t.Errorf("%v: from %d to %d", tt.tsns, low, high)
		}
	}
}

// A short packet waits to be filled from 32 KiB in flight on, and where less than a
// packet is left to send (SCTP-3-13).
func TestShortPacketWaits(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	a := p.ends[0].byID[x]
	for _, tt := range []struct {
		flight, left int
		want         bool
	}{
		{32<<10 - 1, 100, false},
		{32 << 10, 100, true},
		{32 << 10, a.maxPayload() - 1, true},
		{32 << 10, a.maxPayload(), false},
	} {
		q, left := *a.primary, a.out.left
		a.primary.flight, a.out.left = tt.flight, tt.left
		if got := a.nagleHolds(a.primary, &outMessage{}); got != tt.want {
			t.Errorf("%d in flight, %d left: %v", tt.flight, tt.left, got)
		}
		*a.primary, a.out.left = q, left
	}
}

// With I-DATA a message of one fragment begins whatever is under way; one of more only
// where the peer has room for it.
func TestOneFragmentMayBegin(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	a := p.ends[0].byID[x]
	if !a.interleave {
		t.Fatal("no I-DATA")
	}
	begun, largest := a.out.begun, a.out.largest
	a.out.begun, a.out.largest = 1, 0
	if one, two := a.mayBegin(&outMessage{size: a.maxPayload()}), a.mayBegin(&outMessage{size: a.maxPayload() + 1}); !one || two {
		t.Errorf("of one fragment: %v, of two: %v", one, two)
	}
	a.out.begun, a.out.largest = begun, largest
}

// When both ends open at once, the address that the peer's cookie comes from is the one
// that works, and becomes the primary one (section 5.2.4, case B).
func TestCollisionOnOtherAddress(t *testing.T) {
	p := newPair(t, Config{Local: homes[0]}, Config{Local: homes[1]})
	second := netip.AddrPortFrom(homes[1][1], p.addrs[1].Port())
	x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1], second}, &assoc.Params{})
	if err != nil {
		t.Fatal(err)
	}
	a := p.ends[0].byID[x]
	if a.primary != a.paths[0] || len(a.paths) != 2 {
		t.Fatalf("%d paths", len(a.paths))
	}
	offered := offer{inStreams: 1, outStreams: 1, window: 1 << 16, tsn: 1}
	a.collide(&arrival{now: p.now, from: second, path: a.paths[1]}, &cookie{ownTag: a.tag, peerTag: 7, own: offered, peer: offered})
	if a.primary != a.paths[1] || a.state != established {
		t.Errorf("the primary address is %v, state %v", a.primary.addr, a.state)
	}
}

// With I-DATA the ordered and the unordered messages of a stream are skipped each with
// their own last number (RFC 8260 section 2.3.1).
func TestSkipsKeepOrderedApart(t *testing.T) {
	var o outbound
	for i, unordered := range []bool{false, true, false, true, true} {
		o.chunks.push(outChunk{m: &outMessage{stream: 3, unordered: unordered, mid: uint32(i)}, gone: true})
	}
	skips, n := o.skips(nil, 10, true)
	want := []chunk.Skip{{Stream: 3, MID: 2}, {Stream: 3, Unordered: true, MID: 4}}
	if !slices.Equal(skips, want) || n != 5 {
		t.Errorf("%+v of %d chunks", skips, n)
	}
}
