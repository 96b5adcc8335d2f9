package loop_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// present makes the peer another registrar, and takes what is said to it.
func (p *peer) present(reply bool) {
	p.Helper()
	b, err := enrp.Append(nil, enrp.Presence{
		Route: enrp.Route{Sender: 9}, ReplyRequired: reply, HasServer: true,
		Server: protocol.Server{ID: 9, Transport: p.element().User},
	})
	p.send(protocol.PPIDENRP, b, err)
}

// leaves has the registrar leave, and returns how long that takes.
func leaves(ctx context.Context, r *loop.Registrar) time.Duration {
	began := time.Now()
	r.Leave(ctx)
	return time.Since(began)
}

// A registrar has left when its associations with the others have ended in order: not
// while a shutdown is under way, but after two seconds in any case.
func TestLeaveWaitsForShutdowns(t *testing.T) {
	for _, c := range []struct {
		name          string
		stuck         bool          // the other one takes nothing any more
		killed, limit time.Duration // the other one, the caller's patience
		want          time.Duration
	}{
		{"one that answers", false, time.Hour, time.Hour, 0},
		{"one that never answers", true, time.Hour, time.Hour, 2 * time.Second},
		{"one that dies meanwhile", true, time.Second, time.Hour, time.Second},
		{"a caller who has no time", true, time.Hour, time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			net, r := start(t)
			operator := connect(t, net, r.ENRPAddrs()) // nobody waits for it
			operator.askTable(false)
			other := connect(t, net, r.ENRPAddrs())
			other.present(false)
			if c.stuck {
				other.ep.Freeze()
				other.present(true) // the answer does not get out
			}
			kill := time.AfterFunc(c.killed, other.ep.Kill)
			defer kill.Stop()
			ctx, cancel := context.WithTimeout(t.Context(), c.limit)
			defer cancel()
			if got := leaves(ctx, r); got != c.want {
				t.Errorf("%s: it takes %v, want %v", c.name, got, c.want)
			}
			if got := leaves(t.Context(), r); c.limit > c.want && got != 0 {
				t.Errorf("%s: it takes %v once more", c.name, got)
			}
			for !c.stuck {
				if _, info := receive(t, other.port); info.Kind == assoc.ShutdownComplete {
					break
				}
			}
			time.Sleep(time.Minute) // whatever waits for the two seconds
			synctest.Wait()
		})
	}
}

// A registrar without others leaves at once, and one that is closed has left.
func TestLeaveAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, r := start(t)
		if got := leaves(t.Context(), r); got != 0 {
			t.Errorf("it takes %v", got)
		}
		_, closed := start(t)
		closed.Close()
		if got := leaves(t.Context(), closed); got != 0 {
			t.Errorf("closed: it takes %v", got)
		}
	})
}
