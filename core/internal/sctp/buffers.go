package sctp

import "math/bits"

// Buffers for user data come in powers of two and are used again, so that a
// steady flow of messages allocates nothing.
const (
	minBufferBits  = 6  // 64 bytes
	maxBufferBits  = 16 // larger ones are left to the garbage collector
	bufferClasses  = maxBufferBits - minBufferBits + 1
	keptPerClass   = 4 << 20 // bytes
	keptObjects    = 4096    // per kind of object
	objectOverhead = 256     // bytes charged for the bookkeeping of a chunk held
)

type buffers struct {
	free [bufferClasses][][]byte
}

func bufferClass(n int) int {
	return max(bits.Len(uint(n-1)), minBufferBits) - minBufferBits
}

// get returns a buffer of n > 0 bytes.
func (p *buffers) get(n int) []byte {
	c := bufferClass(n)
	if c >= bufferClasses {
		return make([]byte, n)
	}
	if k := len(p.free[c]); k > 0 {
		b := p.free[c][k-1]
		p.free[c] = p.free[c][:k-1]
		return b[:n]
	}
	return make([]byte, n, 1<<(c+minBufferBits))
}

func (p *buffers) put(b []byte) {
	c := bufferClass(max(cap(b), 1))
	if c >= bufferClasses || cap(b) != 1<<(c+minBufferBits) {
		return
	}
	if len(p.free[c])<<(c+minBufferBits) < keptPerClass {
		p.free[c] = append(p.free[c], b)
	}
}

// fragment is a part of a message: a buffer in a chain.
type fragment struct {
	next *fragment
	buf  []byte
	tsn  uint32 // it came with
}

// freeList keeps objects of one type for the next use.
type freeList[T any] struct{ free []*T }

func (s *freeList[T]) get() *T {
	if k := len(s.free); k > 0 {
		v := s.free[k-1]
		s.free = s.free[:k-1]
		return v
	}
	return new(T)
}

// put takes back an object that its owner has cleared.
func (s *freeList[T]) put(v *T) {
	if len(s.free) < keptObjects {
		s.free = append(s.free, v)
	}
}

func (e *Endpoint) newFragment(data []byte) *fragment {
	p := e.fragments.get()
	p.buf = e.buffers.get(len(data))
	copy(p.buf, data)
	return p
}

func (e *Endpoint) freeFragment(p *fragment) {
	e.buffers.put(p.buf[:0])
	*p = fragment{}
	e.fragments.put(p)
}

func (e *Endpoint) freeFragments(p *fragment) {
	for p != nil {
		next := p.next
		e.freeFragment(p)
		p = next
	}
}
