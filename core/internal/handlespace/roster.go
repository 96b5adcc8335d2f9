package handlespace

import (
	"iter"
	"slices"
)

// roster lists things in the order in which they were added. Each has a serial
// number, which leads back to its place in O(log n). Removing leaves a hole;
// holes are closed when something is added, never while one goes through.
type roster[T any] struct {
	entries []entry[T]
	holes   int
	serial  uint64 // last given
}

type entry[T any] struct {
	serial uint64
	value  *T // nil: a hole
}

func (r *roster[T]) add(v *T) (serial uint64) {
	if r.holes > len(r.entries)/2 {
		r.close()
	}
	r.serial++
	r.entries = append(r.entries, entry[T]{r.serial, v})
	return r.serial
}

// close copies what is left, so that a roster that was long once does not stay
// so.
func (r *roster[T]) close() {
	kept := make([]entry[T], 0, len(r.entries)-r.holes+1)
	for _, e := range r.entries {
		if e.value != nil {
			kept = append(kept, e)
		}
	}
	r.entries, r.holes = kept, 0
}

func (r *roster[T]) remove(serial uint64) {
	if i, ok := r.find(serial); ok {
		r.entries[i].value = nil
		r.holes++
	}
}

// at returns what has the serial, or nil.
func (r *roster[T]) at(serial uint64) *T {
	if i, ok := r.find(serial); ok {
		return r.entries[i].value
	}
	return nil
}

// after goes through what was added after the thing with the serial, which
// need not exist any more.
func (r *roster[T]) after(serial uint64) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		i, found := r.find(serial)
		if found {
			i++
		}
		for ; i < len(r.entries); i++ {
			if v := r.entries[i].value; v != nil && !yield(v) {
				return
			}
		}
	}
}

func (r *roster[T]) find(serial uint64) (int, bool) {
	return slices.BinarySearchFunc(r.entries, serial, func(e entry[T], s uint64) int {
		switch {
		case e.serial < s:
			return -1
		case e.serial > s:
			return 1
		}
		return 0
	})
}
