package sctp

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// beatInfo is the Info of the HEARTBEAT that a path sends now.
func beatInfo(t *testing.T, p *pair, a *association, q *path) []byte {
	t.Helper()
	a.beatNow(p.now, q)
	for _, packet := range spoke(a.e, p.now) {
		if c := chunksOf(t, packet.Data)[0]; c.Type == chunk.TypeHeartbeat && packet.Peer.Addr() == q.addr {
			info, err := chunk.HeartbeatInfo(c)
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
	}
	t.Fatal("no HEARTBEAT")
	return nil
}

// The Info of a HEARTBEAT says which path it went to and when, and has a nonce of 64
// bits, all of them random, that is another one for each and never zero (SCTP-3-110).
func TestHeartbeatInfo(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	a := p.ends[0].byID[x]
	var ones, zeros uint64
	seen := map[uint64]bool{}
	for range 40 {
		for i, q := range a.paths {
			p.now = p.now.Add(ms)
			info := beatInfo(t, p, a, q)
			if len(info) != 20 || info[0] != 1 || int(info[1]) != i || info[2] != 0 || info[3] != 0 {
				t.Fatalf("path %d: % x", i, info)
			}
			if sent := int64(binary.BigEndian.Uint64(info[4:])); sent != p.now.UnixNano() {
				t.Fatalf("sent at %d, now is %d", sent, p.now.UnixNano())
			}
			nonce := binary.BigEndian.Uint64(info[12:])
			if nonce == 0 || seen[nonce] {
				t.Fatalf("nonce %x", nonce)
			}
			seen[nonce] = true
			ones, zeros = ones|nonce, zeros|^nonce
		}
	}
	if ones != 1<<64-1 || zeros != 1<<64-1 {
		t.Errorf("bits of the nonce that never change: %x, %x", ^ones, ^zeros)
	}
}

// Only the whole Info of the outstanding HEARTBEAT, with its own path, verifies an
// address; on another path, or cut, it is nothing (SCTP-3-110, SCTP-3-112).
func TestHeartbeatInfoIsOfItsPath(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	a := p.ends[0].byID[x]
	q := a.paths[1]
	info := append([]byte(nil), beatInfo(t, p, a, q)...)
	q.confirmed = false
	for at := range info {
		if at >= 2 && at < 12 {
			continue // reserved, and the time, which the nonce vouches for
		}
		forged := append([]byte(nil), info...)
		forged[at] ^= 1
		toAssoc(a.e, a, p.now, ackOf(forged))
		if q.confirmed || q.nonce == 0 {
			t.Fatalf("byte %d may be altered", at)
		}
	}
	for n := range info {
		toAssoc(a.e, a, p.now, ackOf(info[:n]))
	}
	toAssoc(a.e, a, p.now, ackOf(append(append([]byte(nil), info...), 0, 0, 0, 0)))
	if q.confirmed || q.nonce == 0 {
		t.Fatal("a part of the Info, or more than that, is enough")
	}
	toAssoc(a.e, a, p.now, ackOf(info))
	if !q.confirmed || q.nonce != 0 {
		t.Fatal("the answer is not taken")
	}
}

func ackOf(info []byte) []byte {
	b := chunk.AppendHeartbeat(nil, info)
	b[0] = byte(chunk.TypeHeartbeatAck)
	return b
}

// What fits a packet is what the IP packet has beside the headers of IP and UDP
// (SCTP-3-130).
func TestPacketSizes(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, tt := range []struct{ mtu, v4, v6 int }{
		{1500, 1472, 1452}, {0, 1172, 1152}, {-1, 1172, 1152}, {1, 548, 528}, {575, 548, 528}, {576, 548, 528}, {577, 549, 529},
		{9000, 8972, 8952}, {65535, 65507, 65487}, {65536, 65507, 65487},
	} {
		if a, b := packetSize(v4, tt.mtu), packetSize(v6, tt.mtu); a != tt.v4 || b != tt.v6 {
			t.Errorf("MTU %d: %d and %d, want %d and %d", tt.mtu, a, b, tt.v4, tt.v6)
		}
	}
}

// Each path has a size of its own, and a chunk fits all that data may take: also the
// one to which it may have to be sent again (SCTP-3-130).
func TestChunksFitEveryPath(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	a := p.ends[0].byID[x]
	for _, tt := range []struct {
		first, second int
		usable        bool
		want          int
		pmdcs, pmdcs2 int
	}{
		{1172, 1172, true, 1140, 1160, 1160}, {1472, 1172, true, 1140, 1460, 1160}, {1172, 1472, true, 1140, 1160, 1460},
		{8972, 1472, true, 1440, 8960, 1460}, {8972, 1472, false, 8940, 8960, 1460}, {1475, 1475, true, 1440, 1460, 1460},
	} {
		a.paths[0].mtu, a.paths[1].mtu, a.paths[1].inactive = tt.first, tt.second, !tt.usable
		if got := a.maxPayload(); got != tt.want {
			t.Errorf("packets of %d and %d: chunks with %d, want %d", tt.first, tt.second, got, tt.want)
		}
		if f, s := a.paths[0].pmdcs(), a.paths[1].pmdcs(); f != tt.pmdcs || s != tt.pmdcs2 {
			t.Errorf("packets of %d and %d: chunks of %d and %d", tt.first, tt.second, f, s)
		}
	}
	a.paths[0].mtu, a.paths[1].mtu, a.paths[1].inactive = 1172, 1172, false
	other := *a.paths[1]
	a.paths[0].setMTU(1472)
	if a.paths[1].mtu != other.mtu || a.paths[1].cwnd != other.cwnd {
		t.Error("another path has become larger too")
	}
}

// A larger packet brings the initial window that belongs to it, if that is more; a
// smaller one leaves the window, but not below one chunk (SCTP-3-85).
func TestWindowOfNewSize(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	q := p.ends[0].byID[x].primary
	for _, tt := range []struct{ from, cwnd, to, want int }{
		{1172, 100, 1472, 4404}, {1172, 50_000, 1472, 50_000}, {1472, 5000, 1172, 5000}, {1172, 100, 1172, 1160}, {1172, 4404, 8972, 17920},
	} {
		q.mtu, q.cwnd = tt.from, tt.cwnd
		q.setMTU(tt.to)
		if q.mtu != tt.to || q.cwnd != tt.want {
			t.Errorf("from %d to %d with a window of %d: packets of %d, window %d, want %d", tt.from, tt.to, tt.cwnd, q.mtu, q.cwnd, tt.want)
		}
	}
}
