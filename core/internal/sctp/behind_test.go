package sctp

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// How long does a short message take while 16 messages of 1 MiB are under way, or
// wait, on other streams (SCTP-3-07)? The path has 100 Mbit/s, and a round trip of 2 ms.
func TestShortBehindLong(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name      string
		plain     bool
		streams   uint16 // that the long ones are sent on
		delivered int    // long ones that may arrive before the short one
	}{
		{"DATA, 16 streams", true, 16, 1},
		{"DATA, one stream", true, 1, 1},
		{"I-DATA, 16 streams", false, 16, 0},
		{"I-DATA, one stream", false, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{NoInterleaving: tt.plain, Params: assoc.Params{MTU: 1500, SendBuffer: 20 * mib}}
			p := newPair(t, c, c)
			p.rate = 12_500_000
			x, _ := p.connect(nil)
			start := p.now
			for i := range uint16(16) {
				p.send(0, x, i%tt.streams, make([]byte, mib))
			}
			p.run(20 * time.Millisecond) // some are on their way
			asked := p.now
			p.send(0, x, 40, []byte("short"))
			p.until(time.Minute, "short message", func() bool {
				m := p.messages(1)
				return len(m) > 0 && len(m[len(m)-1]) == 5
			})
			took, before := p.now.Sub(asked), len(p.messages(1))-1
			p.until(time.Minute, "the rest", func() bool { return len(p.messages(1)) == 17 })
			t.Logf("%v, behind %d long ones; all took %v", took, before, p.now.Sub(start))
			if before > tt.delivered {
				t.Errorf("it came behind %d long ones", before)
			}
		})
	}
}
