package rserpool

import (
	"context"

	"github.com/librserpool/librserpool/core/socket"
)

// Trace is a set of functions that are called when something happens to what Dial, Listen
// or Join made with a context of WithTrace, for as long as it lives. Each may be nil. They
// are called one after the other on a goroutine of the library or of a caller, without
// locks, and should be brief.
type Trace struct {
	// RegistrarFound: registrar is the address of the one in use.
	RegistrarFound func(registrar string)
	// RegistrarLost: another one is looked for.
	RegistrarLost func(registrar string, err error)
	// Waiting: a pool or a registrar is not there yet, which is waited for
	// (Options.WaitForPool).
	Waiting func(err error)
	// Registered: a registrar has granted the registration, for the first time or again.
	Registered func(Name)
	// Session: what happened to a session with peer, whatever its options ask for.
	Session func(peer Name, n Notification)
}

type traceKey struct{}

// WithTrace returns a context with which Dial, Listen and Join call the functions of t.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traced adds the trace of a context to options.
func traced(ctx context.Context, o *socket.Options) *socket.Options {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	if t == nil {
		return o
	}
	out := socket.Options{}
	if o != nil {
		out = *o
	}
	out.Observe = t.observe
	return &out
}

func (t *Trace) observe(e socket.Event) {
	switch {
	case e.Kind == socket.RegistrarFound && t.RegistrarFound != nil:
		t.RegistrarFound(e.Registrar)
	case e.Kind == socket.RegistrarLost && t.RegistrarLost != nil:
		t.RegistrarLost(e.Registrar, e.Err)
	case e.Kind == socket.Waiting && t.Waiting != nil:
		t.Waiting(e.Err)
	case e.Kind == socket.Registered && t.Registered != nil:
		t.Registered(Name(e.Peer))
	case e.Kind == socket.SessionEvent && t.Session != nil:
		t.Session(Name(e.Peer), Notification(e.Session))
	}
}
