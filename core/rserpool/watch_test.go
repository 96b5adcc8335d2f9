package rserpool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/core/rserpooltest"
)

// TestWatch tells of elements that come, change and go.
func TestWatch(t *testing.T) {
	opts := rserpooltest.Options(t, rserpooltest.StartRegistrar(t))
	r, err := rserpool.NewResolver(opts)
	ok(t, err)
	defer r.Close()
	element := func(id rserpool.PEID) *rserpool.Listener {
		o := *opts
		o.PE, o.Policy = id, rserpool.Policy{Type: rserpool.WeightedRoundRobin, Weight: 1}
		l, err := rserpool.Listen(t.Context(), "watched", &o)
		ok(t, err)
		t.Cleanup(func() { l.Close() })
		return l
	}
	var first *rserpool.Listener
	next := []struct {
		do   func()
		want string
	}{
		{func() { first = element(1) }, "[1 weight 1]"},
		{func() { element(2) }, "[1 weight 1 2 weight 1]"},
		{func() { ok(t, first.SetLoad(rserpool.Policy{Type: rserpool.WeightedRoundRobin, Weight: 7})) }, "[1 weight 7 2 weight 1]"},
		{func() { ok(t, first.Close()) }, "[2 weight 1]"},
	}
	ctx, cancel := context.WithCancel(t.Context())
	want, step := "[]", 0
	for es, err := range r.Watch(ctx, "watched") {
		if errors.Is(err, context.Canceled) {
			break
		}
		ok(t, err)
		var got []string
		for _, e := range es {
			got = append(got, fmt.Sprintf("%d weight %d", uint32(e.ID), e.Policy.Weight))
		}
		if have := fmt.Sprint(got); have != want {
			t.Fatalf("step %d: %s, want %s", step, have, want)
		}
		if step == len(next) {
			cancel()
			continue
		}
		want = next[step].want
		next[step].do() // while the loop runs: it holds nothing
		step++
	}
	cancel()
	if step != len(next) {
		t.Errorf("it ends after %d steps", step)
	}
}

// TestTrace is told what happens, whatever the options ask for.
func TestTrace(t *testing.T) {
	l, opts := listen(t, "traced")
	told := make(chan string, 100)
	c, err := rserpool.Dial(rserpool.WithTrace(t.Context(), &rserpool.Trace{
		RegistrarFound: func(at string) { told <- "registrar " + at },
		Session: func(peer rserpool.Name, n rserpool.Notification) {
			told <- fmt.Sprint(n.Type, " ", peer.Pool)
		},
	}), "traced", opts)
	ok(t, err)
	ok(t, c.Send(t.Context(), []byte("hello"))) // from within a trace it would do as well
	in, err := l.Accept(t.Context())
	ok(t, err)
	other, err := rserpool.Listen(t.Context(), "traced", opts)
	ok(t, err)
	defer other.Close()
	ok(t, in.Abort())
	for _, want := range []string{"registrar " + opts.Registrars[0], "SessionAdded traced", "FailoverBegun traced", "FailoverCompleted traced"} {
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		case <-t.Context().Done():
			t.Fatal("nothing is told")
		}
	}
	ok(t, c.Close())
}

// TestErrorsAreOfThisPackage: their types, that is, and so their fields can be read.
func TestErrorsAreOfThisPackage(t *testing.T) {
	opts := rserpooltest.Options(t, rserpooltest.StartRegistrar(t))
	opts.WaitForPool = new(0 * opts.CookieLife)
	opts.Registrars = []string{"127.0.0.1:1"}
	_, err := rserpool.Dial(t.Context(), "pool", opts)
	var none *rserpool.NoRegistrarError
	if !errors.As(err, &none) || !errors.Is(err, rserpool.ErrNoRegistrar) || len(none.Tried) != 1 || none.Error() == "" {
		t.Errorf("%T %v", err, err)
	}
	var rejected *rserpool.RejectedError
	if errors.As(err, &rejected) {
		t.Error("it is a rejection as well")
	}
}
