package registrar

// indexedSet is an unordered set whose members know their place in it: adding and
// removing take constant time, and its order depends on nothing but its
// history. index leads to the member's place, which is one-based.
type indexedSet[T any] struct {
	items []*T
	index func(*T) *int32
}

func (s *indexedSet[T]) len() int { return len(s.items) }

func (s *indexedSet[T]) add(v *T) {
	s.items = append(s.items, v)
	*s.index(v) = int32(len(s.items))
}

func (s *indexedSet[T]) remove(v *T) {
	i, last := int(*s.index(v))-1, len(s.items)-1
	s.items[i] = s.items[last]
	*s.index(s.items[i]) = int32(i + 1)
	s.items[last] = nil
	s.items = s.items[:last]
	*s.index(v) = 0
}

// take empties the set and returns what was in it.
func (s *indexedSet[T]) take() []*T {
	out := s.items
	for _, v := range out {
		*s.index(v) = 0
	}
	s.items = nil
	return out
}
