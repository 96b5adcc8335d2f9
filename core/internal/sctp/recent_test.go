package sctp

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// A cookie makes one association, not another one after that has ended
// (SCTP-2-42, SCTP-6-02, SCTP-7-02).
func TestCookieIsUsedOnce(t *testing.T) {
	for _, aborted := range []bool{false, true} {
		p := newPair(t, Config{}, Config{})
		var echo []byte
		p.drop = func(_ int, data []byte) bool {
			if chunk.Type(data[chunk.HeaderSize]) == chunk.TypeCookieEcho {
				echo = bytes.Clone(data)
			}
			return false
		}
		x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.until(time.Second, "association", func() bool { return p.find(0, assoc.CommUp) != nil && p.find(1, assoc.CommUp) != nil })
		if aborted {
			err = p.ends[0].Abort(p.now, x, "")
		} else {
			err = p.ends[0].Shutdown(p.now, x)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.run(time.Second)
		e := p.ends[1]
		if !e.Idle() {
			t.Fatal("not ended")
		}
		e.Input(p.now, Packet{Peer: p.addrs[0], Local: p.addrs[1].Addr(), Data: echo})
		if len(e.byID) != 0 || e.counters.CookiesRefused != 1 {
			t.Errorf("aborted %v: %d associations of an old cookie", aborted, len(e.byID))
		}
		var out Packet
		answered := e.Output(p.now, &out)
		if answered != aborted {
			t.Errorf("aborted %v: answered %v", aborted, answered)
		}
		if answered && chunk.Type(out.Data[chunk.HeaderSize]) != chunk.TypeAbort {
			t.Errorf("answer % x", out.Data)
		}
	}
}

func TestRecentTagsAreBounded(t *testing.T) {
	var r recentTags
	for i := range uint32(3 * keptTags) {
		r.add(i+1, endedInPeace)
	}
	r.add(3*keptTags, endedByForce)
	if len(r.ended) != keptTags || r.order.len() != keptTags || r.ended[2*keptTags] != 0 || r.ended[2*keptTags+1] != endedInPeace ||
		r.ended[3*keptTags] != endedByForce {
		t.Errorf("%d tags", len(r.ended))
	}
}
