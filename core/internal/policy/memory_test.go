package policy

import (
	"runtime"
	"testing"
	"weak"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// TestRemovedIsForgotten: no selector keeps an element in memory that was removed,
// wherever it stood, also while others stay.
func TestRemovedIsForgotten(t *testing.T) {
	const n = 20
	for _, kind := range allTypes {
		sel, r := New[int](kind), seeded(1)
		nodes := make([]*Node[int], n)
		for i := range nodes {
			nodes[i] = &Node[int]{Value: i}
			v := protocol.Policy{Type: kind, Weight: uint32(i % 4), Priority: uint32(i), Load: uint32(i)}
			sel.Add(nodes[i], v)
		}
		sel.Select(nil, n, r)
		var gone []weak.Pointer[Node[int]]
		for _, i := range []int{n - 1, 0, 7, n - 2, 8, 1} {
			sel.Remove(nodes[i])
			gone = append(gone, weak.Make(nodes[i]))
			nodes[i] = nil
		}
		runtime.GC()
		for i, p := range gone {
			if p.Value() != nil {
				t.Errorf("%v: the element that was removed as number %d is kept in memory", kind, i)
			}
		}
		if sel.Len() != n-len(gone) {
			t.Errorf("%v: %d elements", kind, sel.Len())
		}
		runtime.KeepAlive(nodes)
	}
}
