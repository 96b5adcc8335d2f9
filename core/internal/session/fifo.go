package session

// fifo is a queue. The zero value is empty.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }

// first returns the oldest item; there must be one.
func (q *fifo[T]) first() *T { return &q.items[q.head] }

// at returns an item, counted from the oldest one, which is 0; it must exist.
func (q *fifo[T]) at(i int) *T { return &q.items[q.head+i] }

// pop drops the oldest item; there must be one.
func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 32 && q.head*2 > len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}

// prepend puts the items of older before those of q.
func (q *fifo[T]) prepend(older *fifo[T]) {
	if older.len() == 0 {
		return
	}
	items := append(older.items[older.head:len(older.items):len(older.items)], q.items[q.head:]...)
	q.items, q.head = items, 0
	*older = fifo[T]{}
}

func (q *fifo[T]) clear() { *q = fifo[T]{} }
