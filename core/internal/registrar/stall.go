package registrar

import "time"

// A registrar that was stopped, or not given the processor, finds deadlines
// passed by which others should have answered. Perhaps they did, and their answers
// wait to be received. It has to read those before it thinks anybody dead, for it
// was the registrar itself that was not there.

// stalled is how late a deadline has to be noticed for the registrar to know
// that it did not run. It then listens for catchUp before it does what is due.
const (
	stalled = 500 * time.Millisecond
	catchUp = 250 * time.Millisecond
)

// Advance does what is due.
func (r *Registrar) Advance(now time.Time) {
	at, ok := r.Next()
	if !ok || now.Before(at) {
		return
	}
	if now.Sub(at) > stalled {
		r.emit(Log{Level: Info, Msg: "did not run for a while, listening before anything else", Server: r.id})
		r.resumes = now.Add(catchUp)
		return
	}
	for t := r.timers.Due(now); t != nil; t = r.timers.Due(now) {
		t.Value.due(r, now)
	}
}

// Next returns when Advance has something to do; false means never.
func (r *Registrar) Next() (time.Time, bool) {
	at, ok := r.timers.Next()
	if at.Before(r.resumes) {
		at = r.resumes
	}
	return at, ok
}
