package rserpooltest_test

import (
	"context"
	"testing"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/core/rserpooltest"
)

// TestCleanup: the registrar is there for the cleanups of a test, too.
func TestCleanup(t *testing.T) {
	t.Run("test", func(t *testing.T) {
		r := rserpooltest.StartRegistrar(t)
		l, err := rserpool.Listen(t.Context(), "cleanup", rserpooltest.Options(t, r))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Deregister(context.Background()); err != nil {
				t.Error(err)
			}
			l.Close()
		})
	})
}
