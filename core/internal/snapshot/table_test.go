package snapshot

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

func randomView(rng *rand.Rand) registrar.View {
	var v registrar.View
	id := protocol.PEID(0)
	for i := range rng.IntN(30) {
		p := registrar.PoolView{Handle: protocol.PoolHandle(fmt.Sprint(i, strings.Repeat("x", rng.IntN(3000))))}
		for range 1 + rng.IntN(100) {
			id++
			e := protocol.Element{ID: id, Home: 7, Life: 300, Policy: protocol.Policy{Type: protocol.RoundRobin}}
			e.User = protocol.Transport{Protocol: protocol.SCTP, Port: 7, Use: protocol.DataAndControl}
			for range 1 + rng.IntN(20) {
				e.User.Addrs = append(e.User.Addrs, netip.IPv6Loopback())
			}
			e.ASAP = e.User
			p.Elements = append(p.Elements, registrar.ElementView{Element: e, Owned: rng.IntN(2) == 0})
		}
		v.Pools = append(v.Pools, p)
	}
	return v
}

// TestPartsMakeUpTheTable: nothing is lost or repeated, and every part fits
// into a message (ENRP-3.2-10, ENRP-3.2-11, ENRP-2.3-03).
func TestPartsMakeUpTheTable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		v := randomView(rng)
		own := rng.IntN(2) == 0
		var want, got []string
		for _, p := range v.Pools {
			for _, e := range p.Elements {
				if !own || e.Owned { // ENRP-2.2-01
					want = append(want, fmt.Sprintf("%.3s %v", p.Handle, e.ID))
				}
			}
		}
		table := NewTable(v, own)
		for more := true; more; {
			var part []enrp.PoolEntry
			part, more = table.Part(MaxPart)
			b, err := enrp.Append(nil, enrp.HandleTableResponse{Entries: part})
			if err != nil || len(b) > MaxPart {
				t.Fatalf("a part has %d bytes, %v", len(b), err)
			}
			for _, p := range part {
				if len(p.Elements) == 0 {
					t.Fatal("a pool without elements")
				}
				for _, e := range p.Elements {
					got = append(got, fmt.Sprintf("%.3s %v", p.Handle, e.ID))
				}
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestAnOversizedElementStandsAlone instead of stopping the download.
func TestAnOversizedElementStandsAlone(t *testing.T) {
	table := &Table{rest: []enrp.PoolEntry{{Handle: "a", Elements: make([]protocol.Element, 3)}}}
	for i := range 3 {
		part, more := table.Part(10)
		if len(part) != 1 || len(part[0].Elements) != 1 || more != (i < 2) {
			t.Fatalf("part %d: %+v, more %v", i, part, more)
		}
	}
}
