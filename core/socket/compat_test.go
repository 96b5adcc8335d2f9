package socket

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// RSPLIB writes registration lives in milliseconds: its registrars are to read
// ours so, and we theirs.
func TestCompatLives(t *testing.T) {
	plain, compat := Config{}, Config{Compat: CompatRSPLIB}
	for _, c := range []struct{ seconds, wire protocol.Life }{
		{300, 300_000}, {protocol.LifeInfinite, 1<<31 - 1}, {1 << 30, 1<<31 - 1},
	} {
		m := asap.Registration{Handle: "p", Element: protocol.Element{ID: 1, Life: c.seconds}}
		if got := plain.outgoing(m).(asap.Registration).Element.Life; got != c.seconds {
			t.Errorf("life %d became %d", c.seconds, got)
		}
		if got := compat.outgoing(m).(asap.Registration).Element.Life; got != c.wire {
			t.Errorf("life %d became %d, want %d", c.seconds, got, c.wire)
		}
	}
	answer := asap.HandleResolutionResponse{Handle: "p", Elements: []protocol.Element{{ID: 1, Life: 90_000}}}
	if got := compat.incoming(answer).(asap.HandleResolutionResponse).Elements[0].Life; got != 90 {
		t.Errorf("90,000 ms are %d s", got)
	}
	if answer.Elements[0].Life != 90_000 {
		t.Error("the message that came in was changed")
	}
	other := asap.EndpointKeepAlive{Handle: "p"}
	if compat.outgoing(other) != asap.Message(other) || compat.incoming(other) != asap.Message(other) {
		t.Error("another message was changed")
	}
}

// Handles have the length that the registrars take, and who is told otherwise by
// a registrar hears why.
func TestLongestHandle(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		s := w.process().socket()
		longest := strings.Repeat("x", MaxPoolHandle)
		if err := s.Register(w.ctx, longest, Registration{}); err != nil {
			w.Error(err)
		}
		if elements, err := Resolve(w.ctx, longest, w.process().options()); err != nil || len(elements) != 1 {
			w.Errorf("%d elements, %v", len(elements), err)
		}
		if err := w.process().socket().Connect(w.ctx, longest+"x"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "1 to 1024 bytes") {
			w.Errorf("got %v", err)
		}
	})
	run(t, func(w *world) {
		os.Setenv("RSERPOOL_COMPAT", CompatRSPLIB) // which run restores
		w.process().registrar()
		err := w.process().socket().Register(w.ctx, strings.Repeat("x", MaxPoolHandleRSPLIB+1), Registration{})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "RSPLIB has 1 to 32 bytes") {
			w.Errorf("who knows of RSPLIB: %v", err)
		}
		os.Setenv("RSERPOOL_COMPAT", "")
		err = w.process().socket().Register(w.ctx, strings.Repeat("x", MaxPoolHandleRSPLIB+1), Registration{})
		var rejected *RejectedError
		if !errors.As(err, &rejected) || rejected.Causes[0] != CauseCode(protocol.CauseInvalidValues) ||
			!strings.Contains(err.Error(), "handle of 33 bytes is longer than it takes") {
			w.Errorf("who does not: %v", err)
		}
	})
}

func TestCompatFromEnv(t *testing.T) {
	t.Setenv("RSERPOOL_COMPAT", "rsplib")
	c, err := ConfigFromEnv()
	if err != nil || c.Compat != CompatRSPLIB || !c.machine(false).Interop.LifeInMilliseconds {
		t.Errorf("got %q, %v", c.Compat, err)
	}
	t.Setenv("RSERPOOL_COMPAT", "windows")
	if _, err := ConfigFromEnv(); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if (&Config{}).machine(true).Timers.Heartbeat != 0 || (&Config{}).machine(false).Timers.LastHeard > 4*time.Second {
		t.Error("the timers are not those that were chosen")
	}
}

// A group in which all have the switch keeps lives as they were meant.
func TestCompatWorld(t *testing.T) {
	run(t, func(w *world) {
		os.Setenv("RSERPOOL_COMPAT", CompatRSPLIB) // which run restores
		r := w.process().registrar()
		w.process().echo("echo", Registration{Life: 100 * time.Second})
		time.Sleep(2 * time.Second)
		if got := r.Pools(); len(got) != 1 || got[0].Elements[0].Life != 100 {
			w.Errorf("the registrar has %+v", got)
		}
		if pools, err := Pools(w.ctx, w.process().options()); err != nil || len(pools) != 1 || pools[0].Elements[0].Life != 100 {
			w.Errorf("an operator sees %+v, %v", pools, err)
		}
		elements, err := Resolve(w.ctx, "echo", w.process().options())
		if err != nil || len(elements) != 1 || elements[0].Life != 100 {
			w.Errorf("a pool user sees %+v, %v", elements, err)
		}
	})
}
