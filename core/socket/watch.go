package socket

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// watchEvery is how old what Watch knows may be where registrars do not send updates.
const watchEvery = 5 * time.Second

// watchPause is how long Watch waits after a failure, and for a pool that does not exist.
const watchPause = time.Second

// Watch returns the elements of a pool now, and again whenever they change, until ctx ends
// or the loop does; rserpool.Resolver.Watch explains it.
func (r *Resolver) Watch(ctx context.Context, pool string) iter.Seq2[[]Element, error] {
	return func(yield func([]Element, error) bool) {
		if err := r.post(ctx, endpoint.WatchPool{Handle: protocol.PoolHandle(pool), On: true}); err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = r.post(ctx, endpoint.WatchPool{Handle: protocol.PoolHandle(pool)}) }() // closed: nobody minds
		var known []Element
		for first := true; ; {
			changed := r.changed()
			es, err := r.Resolve(ctx, pool, Query{MaxAge: watchEvery, WaitForPool: new(time.Duration(0))})
			pause := watchEvery
			switch {
			case ctx.Err() != nil || errors.Is(err, ErrClosed) || errors.Is(err, ErrInvalid):
				yield(nil, cmp.Or(ctx.Err(), err))
				return
			case err != nil && !errors.Is(err, ErrUnknownPool): // which has no elements
				pause = watchPause
				if !yield(nil, err) {
					return
				}
			case first || !sameElements(known, es):
				first, known = false, byIdentifier(es)
				if !yield(slices.Clone(known), nil) {
					return
				}
			}
			if len(known) == 0 {
				pause = watchPause // nobody sends updates of what does not exist
			}
			select {
			case <-changed:
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

// changed returns a channel that is closed when a pool has changed, or the registrar.
func (r *Resolver) changed() <-chan struct{} {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.s.pools.wait()
}

// byIdentifier sorts a copy: the order in which a pool's policy has them changes with
// every answer.
func byIdentifier(es []Element) []Element {
	return slices.SortedFunc(slices.Values(es), func(a, b Element) int { return cmp.Compare(a.ID, b.ID) })
}

// sameElements compares two lists but for how long the registrations live.
func sameElements(known, es []Element) bool {
	return slices.EqualFunc(known, byIdentifier(es), func(a, b Element) bool {
		a.Life = b.Life
		return reflect.DeepEqual(a, b)
	})
}
