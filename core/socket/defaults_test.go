package socket

import (
	"errors"
	"testing"
	"time"
)

// TestRegistrarAtItsPort: where nothing else is said a registrar serves at IANA's port, at
// every address.
func TestRegistrarAtItsPort(t *testing.T) {
	run(t, func(w *world) {
		r, err := StartRegistrar(w.ctx, RegistrarConfig{Config: w.process().config()})
		w.ok(err)
		defer r.Close()
		if a := r.ASAPAddrs(); len(a) == 0 || a[0].Port() != 3863 || !a[0].Addr().IsUnspecified() {
			w.Errorf("it serves at %v", a)
		}
	})
}

// TestOptionsRefused: options that make no sense are an error of who sets them, and change nothing.
func TestOptionsRefused(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		l := w.process().echo("echo", Registration{})
		before := l.s.Options()
		bad := before
		bad.RTOMin, bad.RTOMax = time.Hour, time.Second
		if err := l.s.SetOptions(bad); !errors.Is(err, ErrInvalid) {
			w.Error(err)
		}
		if l.s.Options() != before {
			w.Errorf("they are %+v", l.s.Options())
		}
	})
}
