package registrar

import "time"

// indexedSet is an unordered set whose members know their place in it: adding and
// removing take constant time, and its order depends on nothing but its
// history. index leads to the member's place, which is one-based.
type indexedSet[T any] struct {
	items []*T
	index func(*T) *int32
}

func (b *indexedSet[T]) len() int { return len(b.items) }

func (b *indexedSet[T]) add(v *T) {
	b.items = append(b.items, v)
	*b.index(v) = int32(len(b.items))
}

func (b *indexedSet[T]) remove(v *T) {
	i, last := int(*b.index(v))-1, len(b.items)-1
	b.items[i] = b.items[last]
	*b.index(b.items[i]) = int32(i + 1)
	b.items[last] = nil
	b.items = b.items[:last]
	*b.index(v) = 0
}

// take empties the indexedSet and returns what was in it.
func (b *indexedSet[T]) take() []*T {
	out := b.items
	for _, v := range out {
		*b.index(v) = 0
	}
	b.items = nil
	return out
}

// bucket limits a rate: burst at once, rate per second in the long run.
type bucket struct {
	level float64 // of burst, used up
	at    time.Time
}

func (b *bucket) allow(now time.Time, rate, burst int) bool {
	b.level = max(0, b.level-now.Sub(b.at).Seconds()*float64(rate))
	b.at = now
	if b.level+1 > float64(burst) {
		return false
	}
	b.level++
	return true
}
