package driver

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// echo is a machine that answers every event by effects of the same name, with
// as many as are asked for.
type echo struct {
	seen    []string
	effects []string
	at      time.Time
}

func (m *echo) Step(now time.Time, event string) {
	m.seen = append(m.seen, event)
	m.at = now
	m.effects = append(m.effects, event+" 1", event+" 2")
}
func (m *echo) Advance(now time.Time)   { m.Step(now, "deadline") }
func (m *echo) Next() (time.Time, bool) { return m.at.Add(time.Second), true }
func (m *echo) Drain() []string {
	f := m.effects
	m.effects = nil
	return f
}

var epoch = time.Unix(1, 0)

// An event that an effect brings about waits until the effects before it are
// performed: a machine sees what happened in the order in which it happened.
func TestEventsWaitForEffects(t *testing.T) {
	var log []string
	m := &echo{}
	d := Driver[string, string]{Machine: m, Now: func() time.Time { return epoch }}
	d.Perform = func(f string) {
		log = append(log, f)
		switch f {
		case "a 1":
			if d.Post("b") || d.Post("c") {
				t.Error("an event did not wait for the effects under way")
			}
		case "c 2":
			d.Post("d")
		}
		log = append(log, fmt.Sprint("seen ", len(m.seen)))
	}
	if !d.Post("a") {
		t.Error("Post left the work to nobody")
	}
	want := []string{
		"a 1", "seen 1", "a 2", "seen 1", "b 1", "seen 2", "b 2", "seen 2", "c 1", "seen 3", "c 2", "seen 3", "d 1", "seen 4", "d 2", "seen 4",
	}
	if !slices.Equal(log, want) {
		t.Errorf("%q", log)
	}
	if at, ok := d.Next(); !ok || !at.Equal(epoch.Add(time.Second)) {
		t.Errorf("the next deadline is %v, %v", at, ok)
	}
}

// A deadline takes its turn like an event.
func TestDeadlinesTakeTurns(t *testing.T) {
	m := &echo{}
	d := Driver[string, string]{Machine: m, Now: func() time.Time { return epoch }}
	d.Perform = func(f string) {
		if f == "deadline 1" {
			d.Post("a")
		}
	}
	d.Advance()
	if want := []string{"deadline", "a"}; !slices.Equal(m.seen, want) || len(m.effects) > 0 {
		t.Errorf("saw %q, left %q", m.seen, m.effects)
	}
}

// What waits is dropped when the owner stops.
func TestForget(t *testing.T) {
	m := &echo{}
	d := Driver[string, string]{Machine: m, Now: func() time.Time { return epoch }}
	d.Perform = func(f string) {
		if f == "a 1" {
			d.Post("b")
			d.Forget()
		}
	}
	d.Post("a")
	if want := []string{"a"}; !slices.Equal(m.seen, want) {
		t.Errorf("saw %q", m.seen)
	}
	if !d.Post("c") || len(m.seen) != 2 {
		t.Errorf("does not go on: saw %q", m.seen)
	}
}
