package session

import (
	"cmp"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// news is what has changed about a session that somebody may wait for.
type news uint8

const (
	newsRead  news = 1 << iota // there is something to receive
	newsWrite                  // there is room to send
	newsState                  // it began, stands, moved, ended
	newsLess                   // there is less to receive, or no room any more: nobody waits for that
)

// output is what a Table has to tell its owner.
type output struct {
	changed []*Session
	moved   bool  // something has changed that concerns the whole
	hungry  bool  // more can be taken from the transport than a moment ago
	failure error // why a session failed that stood
	logs    []Log

	observed []Observation
}

// Observation is what happened to a session, whether or not its program wants to know.
type Observation struct {
	Peer Name // then
	Notification
}

// Change is what is new about a session.
type Change struct {
	Session           *Session
	Read, Write, Over bool
}

// Log is a line for whoever looks after the program.
type Log struct {
	Level endpoint.Level
	Rare  bool // anybody on the network can provoke it
	Text  string
	Args  []any // names and values in turn
}

// tell notes news of a session.
func (t *Table) tell(ss *Session, n news) {
	if ss.news == 0 {
		t.changed = append(t.changed, ss)
	}
	ss.news |= n
}

// Changed reports each session with news since the last call, in their order.
func (t *Table) Changed(report func(Change)) {
	for len(t.changed) > 0 {
		changed := t.changed
		t.changed = nil
		for _, ss := range changed {
			n := ss.news
			ss.news = 0
			report(Change{ss, n&newsRead != 0, n&newsWrite != 0, n&newsState != 0})
		}
		if t.changed == nil {
			clear(changed)
			t.changed = changed[:0]
			return
		}
	}
}

// Moved says that since the last call a session began, stands, moved or ended, or
// that something else changed which concerns the whole endpoint.
func (t *Table) Moved() bool {
	moved := t.moved
	t.moved = false
	return moved
}

// Hungry says, once, that messages may be taken from the transport which were left
// there before.
func (t *Table) Hungry() bool {
	hungry := t.hungry
	t.hungry = false
	return hungry
}

// Failure returns why the last session failed that had stood, if one did since the
// last call.
func (t *Table) Failure() error {
	err := t.failure
	t.failure = nil
	return err
}

// Observed returns what happened since the last call, with Config.Observe.
func (t *Table) Observed() []Observation {
	observed := t.observed
	t.observed = nil
	return observed
}

// Logs returns the lines since the last call.
func (t *Table) Logs() []Log {
	logs := t.logs
	t.logs = nil
	return logs
}

func (t *Table) log(level endpoint.Level, text string, args ...any) {
	t.logs = append(t.logs, Log{Level: level, Text: text, Args: args})
}

func (t *Table) logRarely(text string, args ...any) {
	t.logs = append(t.logs, Log{Rare: true, Text: text, Args: args})
}

// deadline is what is to be done at some time.
type deadline struct {
	do func(*Table, *Session)
	ss *Session
}

// Next returns the earliest deadline: Advance is to be called then.
func (t *Table) Next() (at time.Time, ok bool) { return t.deadlines.Next() }

// Advance lets the deadlines up to now pass.
func (t *Table) Advance(now time.Time) {
	t.now = now
	for due := t.deadlines.Due(now); due != nil; due = t.deadlines.Due(now) {
		due.Value.do(t, due.Value.ss)
	}
}

// list returns the sessions that are wanted, in the order in which they began: a map
// has none, and what is done in its order could not be played again.
func (t *Table) list(wanted func(*Session) bool) []*Session {
	var out []*Session
	for _, ss := range t.sessions { // any order: sorted below
		if wanted(ss) {
			out = append(out, ss)
		}
	}
	slices.SortFunc(out, func(a, b *Session) int { return cmp.Compare(a.id, b.id) })
	return out
}
