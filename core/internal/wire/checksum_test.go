package wire

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

type pe struct {
	handle protocol.PoolHandle
	id     protocol.PEID
}

// RFC 5353 section 3.6.2, ENRP-3.6-06; the values are RSPLIB's.
func TestPEChecksum(t *testing.T) {
	for _, c := range []struct {
		pes  []pe
		want uint16
	}{
		{nil, 0xffff},
		{[]pe{{"abc", 0x01020304}}, 0x3797},
		{[]pe{{"a", 1}}, 0x9efe},
		{[]pe{{"ab", 1}}, 0x9e9c},
		{[]pe{{"EchoPool", 0x01020304}}, 0x8e4b},
		{[]pe{{"EchoPool", 0xfffffffe}}, 0x9252},
		{[]pe{{"EchoPool", 0x01020304}, {"EchoPool", 0xfffffffe}, {"abc", 1}}, 0x5c3a},
	} {
		var sum PEChecksum
		for _, p := range c.pes {
			sum.Add(p.handle, p.id)
		}
		if got := sum.Sum(); got != c.want {
			t.Errorf("checksum of %v is %#04x, want %#04x", c.pes, got, c.want)
		}
	}
}

// Removal undoes addition exactly and in any order, also with so many PEs that
// 32 bits would not hold the sum; the last one out leaves ffff, not 0000.
func TestPEChecksumUpdates(t *testing.T) {
	const n = 100_000
	pes := make([]pe, n)
	var sum PEChecksum
	for i := range pes {
		pes[i] = pe{protocol.PoolHandle(fmt.Sprintf("\xff\xff\xff\xffpool-%d", i%100)), protocol.PEID(0xffff0000 + i)}
		sum.Add(pes[i].handle, pes[i].id)
	}
	if sum.sum>>32 == 0 {
		t.Error("not enough PEs to leave 32 bits")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(n, func(i, j int) { pes[i], pes[j] = pes[j], pes[i] })
	for _, p := range pes[:n-1] {
		sum.Remove(p.handle, p.id)
	}
	var alone PEChecksum
	alone.Add(pes[n-1].handle, pes[n-1].id)
	if sum != alone {
		t.Errorf("after removing all others: %#04x, want %#04x", sum.Sum(), alone.Sum())
	}
	sum.Remove(pes[n-1].handle, pes[n-1].id)
	if sum.Sum() != 0xffff {
		t.Errorf("after removing all: %#04x, want ffff", sum.Sum())
	}
}
