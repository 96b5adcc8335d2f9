package kernel_test

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
	"github.com/librserpool/librserpool/core/internal/transport/kernel"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// census counts the DATA and I-DATA chunks that pass a relay.
type census struct {
	mu          sync.Mutex
	data, iData map[bool]int // by whether the kernel sent them
}

func (c *census) watch(kernel uint16) func(from, to netip.AddrPort, packet []byte) {
	c.data, c.iData = map[bool]int{}, map[bool]int{}
	return func(from, _ netip.AddrPort, packet []byte) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, chunks, err := chunk.ParsePacket(packet)
		for len(chunks) > 0 && err == nil {
			var one chunk.Raw
			if one, chunks, err = chunk.Next(chunks); err != nil {
				return
			}
			switch one.Type {
			case chunk.TypeData:
				c.data[from.Port() == kernel]++
			case chunk.TypeIData:
				c.iData[from.Port() == kernel]++
			}
		}
	}
}

// Ours and a kernel whose program asks for it interleave messages where the host
// allows it (RFC 8260; SCTP-3-150 to SCTP-3-155, SCTP-7-45), and do not where it does
// not.
func TestEncapsulatedInterleaving(t *testing.T) {
	needSCTP(t)
	port := encapsulationPort(t)
	kernel.Interleave(true)
	t.Cleanup(func() { kernel.Interleave(false) })
	for _, value := range []string{"1", "0"} {
		t.Run("intl_enable="+value, func(t *testing.T) {
			set(t, "intl_enable", value)
			var c census
			f := between(port, openUserland, openKernel)
			f.Tap = c.watch(port)
			for _, link := range []transporttest.Link{{}, lossy[1]} {
				transporttest.RunSomeOver(t, f, link,
					"short behind long", "many streams", "unordered", "pipelined", "both directions at once", "echo of all sizes")
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			t.Logf("DATA %v, I-DATA %v (true: from the kernel)", c.data, c.iData)
			used, unused := c.iData, c.data
			if value == "0" {
				used, unused = c.data, c.iData
			}
			if used[true] == 0 || used[false] == 0 || len(unused) != 0 {
				t.Error("not the chunks that were to be used")
			}
		})
	}
}
