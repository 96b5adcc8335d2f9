package snapshot

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

var wrote = time.Unix(2_000_000_000, 0)

func testElement(id protocol.PEID, life protocol.Life) protocol.Element {
	at := protocol.Transport{Protocol: protocol.SCTP, Port: 5000, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	return protocol.Element{ID: id, Home: 7, Life: life, Policy: protocol.Policy{Type: protocol.RoundRobin}, User: at, ASAP: at}
}

func testView(pes int) registrar.View {
	v := registrar.View{Server: 7, Serving: true}
	for i := range pes {
		if i%1000 == 0 {
			v.Pools = append(v.Pools, registrar.PoolView{Handle: protocol.PoolHandle(fmt.Sprint("pool", i/1000))})
		}
		p := &v.Pools[len(v.Pools)-1]
		p.Elements = append(p.Elements, registrar.ElementView{Element: testElement(protocol.PEID(i+1), 300)})
	}
	return v
}

func encoded(t *testing.T, v registrar.View) []byte {
	t.Helper()
	table, err := EncodeTable(v)
	if err != nil {
		t.Fatal(err)
	}
	return Encode(table, wrote)
}

func count(entries []enrp.PoolEntry) (n int) {
	for _, e := range entries {
		n += len(e.Elements)
	}
	return n
}

// What is written can be read, also in many parts.
func TestFileRoundTrip(t *testing.T) {
	for _, pes := range []int{0, 1, 5000} {
		entries, err := Decode(encoded(t, testView(pes)), wrote)
		if err != nil || count(entries) != pes {
			t.Errorf("%d PEs became %d, %v", pes, count(entries), err)
		}
	}
	entries, _ := Decode(encoded(t, testView(1)), wrote)
	want := []enrp.PoolEntry{{Handle: "pool0", Elements: []protocol.Element{testElement(1, 300)}}}
	if diff := cmp.Diff(want, entries, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// COM-3.10-03: who cannot be registered any more is not brought back.
func TestFileLeavesOutTheExpired(t *testing.T) {
	v := testView(1)
	v.Pools[0].Elements = append(v.Pools[0].Elements, registrar.ElementView{Element: testElement(2, protocol.LifeInfinite)})
	b := encoded(t, v)
	for age, want := range map[time.Duration]int{0: 2, 5 * time.Minute: 2, time.Hour: 1, -time.Hour: 2} {
		if entries, err := Decode(b, wrote.Add(age)); err != nil || count(entries) != want {
			t.Errorf("after %v: %d, %v", age, count(entries), err)
		}
	}
}

// Every way of being damaged is noticed.
func TestFileDamaged(t *testing.T) {
	b := encoded(t, testView(3))
	for n := range b {
		if _, err := Decode(b[:n], wrote); err == nil {
			t.Errorf("%d bytes of %d were taken", n, len(b))
		}
		changed := bytes.Clone(b)
		changed[n] ^= 0x10
		if _, err := Decode(changed, wrote); err == nil {
			t.Errorf("taken with byte %d changed", n)
		}
	}
	// A checksum that is right proves nothing about what it covers.
	for _, table := range []string{"x", "\x03\x00\x00\x03", "\x03\x00\x00\x20----", "\x01\x00\x00\x0c--------"} {
		if _, err := Decode(Encode([]byte(table), wrote), wrote); err == nil {
			t.Errorf("%q was taken for a table", table)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	table, _ := EncodeTable(testView(2))
	f.Add(table)
	f.Fuzz(func(t *testing.T, table []byte) {
		_, _ = Decode(Encode(table, wrote), wrote)
		_, _ = Decode(table, wrote)
	})
}
