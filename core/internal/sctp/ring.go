package sctp

// ring is a queue whose elements are reached by their distance from the front.
type ring[T any] struct {
	buf  []T // length is a power of two, or zero
	head int
	n    int
}

// keptRing is the size above which an empty ring gives its memory back.
const keptRing = 64

func (r *ring[T]) len() int { return r.n }

func (r *ring[T]) at(i int) *T { return &r.buf[(r.head+i)&(len(r.buf)-1)] }

func (r *ring[T]) push(v T) *T {
	if r.n == len(r.buf) {
		r.grow()
	}
	p := r.at(r.n)
	*p = v
	r.n++
	return p
}

func (r *ring[T]) grow() {
	buf := make([]T, max(8, 2*len(r.buf)))
	for i := range r.n {
		buf[i] = *r.at(i)
	}
	r.buf, r.head = buf, 0
}

func (r *ring[T]) pop() {
	var zero T
	r.buf[r.head] = zero
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	if r.n == 0 && len(r.buf) > keptRing {
		*r = ring[T]{}
	}
}
