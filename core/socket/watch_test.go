package socket

import (
	"errors"
	"testing"
	"time"
)

// TestWatchOfClosed: Close ends a Watch at once, not the next time that it would ask.
func TestWatchOfClosed(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		r := w.process().resolver()
		var closed time.Time
		for _, err := range r.Watch(w.ctx, "nobody") {
			if closed.IsZero() { // from here on it waits for changes
				closed = time.Now().Add(watchPause / 2)
				time.AfterFunc(watchPause/2, func() { r.Close() })
				continue
			}
			if took := time.Since(closed); !errors.Is(err, ErrClosed) || took > watchPause/10 {
				w.Errorf("%v, %v after it was closed", err, took)
			}
		}
	})
}

// TestPrivateDataOfAPolicy: what no registration has room for is refused by who would register.
func TestPrivateDataOfAPolicy(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		opts := w.process().options()
		opts.Registration = Registration{Policy: Policy{Type: 0x80000001, Private: string(make([]byte, maxPrivate+1))}}
		if _, err := Listen(w.ctx, "private", opts); !errors.Is(err, ErrInvalid) || errors.Is(err, ErrRejected) {
			w.Error(err)
		}
	})
}
