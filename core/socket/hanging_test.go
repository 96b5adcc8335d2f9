package socket

import (
	"errors"
	"strings"
	"testing"
)

// TestOnlyElementDoesNotAnswer: its pool is gone as soon as the registrar has heard
// of that, but what the pool user is told is what became of its attempt to connect.
func TestOnlyElementDoesNotAnswer(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p := w.process()
		p.echo("echo", Registration{})
		for _, ep := range p.endpoints {
			ep.Vanish()
		}
		_, err := Dial(w.ctx, "echo", w.process().options())
		if !errors.Is(err, ErrNoElement) || errors.Is(err, ErrUnknownPool) {
			w.Errorf("got %v, want ErrNoElement", err)
		} else if text := err.Error(); !strings.Contains(text, "connection refused") || strings.Contains(text, "the name") {
			w.Errorf("got %q", text)
		}
	})
}
