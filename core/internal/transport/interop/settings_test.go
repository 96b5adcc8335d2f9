package interop

import (
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// Whatever usrsctp offers in its INIT (RFC 9260 appendix A, 3758, 4895, 5061,
// 6525, and what it has of its own): ours talks to it.
func TestUsrsctpSettings(t *testing.T) {
	names := []string{"ecn", "pr", "auth", "asconf", "reconfig", "nrsack", "pktdrop"}
	for _, value := range []string{"=0", "=1"} {
		for _, name := range names {
			settings := []string{name + value}
			if name == "asconf" && value == "=1" {
				settings = append(settings, "auth=1") // which it takes
			}
			t.Run(name+value, func(t *testing.T) { talksWith(t, settings) })
		}
		var all []string
		for _, name := range names {
			all = append(all, name+value)
		}
		t.Run("all"+value, func(t *testing.T) { talksWith(t, all) })
	}
}

func talksWith(t *testing.T, settings []string) {
	t.Run("ours opens", func(t *testing.T) {
		p := newPairOver(t, "127.0.0.1", &transporttest.Link{}, settings...)
		talk(p, p.connect())
	})
	t.Run("usrsctp opens", func(t *testing.T) {
		p := newPairOver(t, "127.0.0.1", &transporttest.Link{}, settings...)
		talk(p, p.connected())
	})
}
