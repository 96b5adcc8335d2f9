// Package session is the pure machine that keeps the promise of this library: a
// session outlives its pool elements, and what was sent arrives exactly once and
// in order, or is told to be in doubt.
//
// A Table holds the sessions of one SCTP endpoint, those of its pool user and
// those of its pool element. What happens at the transport (Handle, Writable), what
// the machine of ASAP wants (Perform), what the program does (Send, Receive,
// SendCookie, ...) and the time (Advance) go in; it calls the transport under it by
// the interfaces Port and Sender, which never call back, posts events to the machine
// of ASAP, and says what has become readable, writable or over (Changed) and worth
// a line in a log (Logs). It has no clock, lock or goroutine: its owner calls it with
// the time, one call after the other. Package rserpool is such an owner, and the
// simulated world another one.
package session

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// ID names a session within one endpoint. It is never used twice; zero names none.
type ID = endpoint.SessionID

// Name is what RSerPool knows a peer by.
type Name struct {
	Pool string
	PE   protocol.PEID // zero when not known
}

// State says what a session does at the moment.
type State uint8

// States of a session, as the program sees them.
const (
	Connecting  State = iota + 1 // the first element is looked for
	Established                  // messages go both ways
	Moving                       // the element was lost, and another one is looked for
	Ending                       // it is being ended, by this side or the other one
	Ended                        // nothing more comes but what was received before
)

// String returns the name in lower case.
func (s State) String() string {
	names := [...]string{"unknown", "connecting", "established", "moving", "ending", "ended"}
	if int(s) < len(names) {
		return names[s]
	}
	return names[0]
}

// phase is where a session is with its association.
type phase uint8

const (
	searching   phase = iota + 1 // the machine of ASAP looks for an element
	connecting                   // to the element it found
	established                  // its association stands
	draining                     // the peer is shutting it down: nothing more can be sent
	ended
)

// Session is one conversation. That of a pool user outlives its associations:
// what one element did not get is sent to the next. That of a pool element ends with
// its association.
type Session struct {
	id     ID
	opts   Options
	own    bool // the endpoint is the pool user
	ending bool // to be ended as soon as nothing waits to be sent
	phase  phase
	assoc  assoc.ID           // zero in searching and ended
	peer   Name               // empty for a pool user
	at     protocol.Transport // where peer serves
	err    error              // ended: why
	waits  error              // searching for the first element: why that is not there yet
	stood  bool               // has been established
	moves  int                // how often it was established again

	failover                       // of a pool user's session
	gate        failoverGate       // what of it may be sent after a failover
	gateOpener  *Notification      // gateShut: what the program has to read
	elementSide                    // of a pool element's session
	card        []protocol.Element // of a pool user that is an element itself

	kept        fifo[outgoing] // Replay: was sent, but no cookie covers it
	toSend      fifo[outgoing] // waits for the association, or for room in it
	returned    fifo[outgoing] // came back from an association that ends; older than toSend
	queuedBytes int            // of all

	inbox      fifo[incoming]
	inboxBytes int
	inboxFull  bool // what is in the transport stays there (window.go)
	parked     bool // too many wait for Accept: the same
	room            // to send

	tuning  timerq.Timer[deadline] // when its association's timing is looked at again
	tuneGap time.Duration          // how long that was after the last time
	news    news                   // what the owner has not been told
}

// ID returns the session's identifier.
func (ss *Session) ID() ID { return ss.id }

// Peer returns the pool, and the element that serves the session at the moment.
func (ss *Session) Peer() Name { return ss.peer }

// Options returns what is in force.
func (ss *Session) Options() Options { return ss.opts }

// Own says that the endpoint is the pool user of the session.
func (ss *Session) Own() bool { return ss.own }

// Stood says that the session was established once.
func (ss *Session) Stood() bool { return ss.stood }

// Ended says that nothing comes any more but what was received before.
func (ss *Session) Ended() bool { return ss.phase == ended }

// Over says that the session has ended, or is being ended by this side.
func (ss *Session) Over() bool { return ss.ending || ss.phase == ended }

// Err says why it has ended; nil: gracefully, or not at all.
func (ss *Session) Err() error { return ss.err }

// Waits says why its first element is not there yet; nil if that is not known.
func (ss *Session) Waits() error { return ss.waits }

// Assoc returns the association that carries the session; zero between two.
func (ss *Session) Assoc() assoc.ID { return ss.assoc }

// Readable says that something can be received, or that it is over.
func (ss *Session) Readable() bool { return ss.inbox.len() > 0 || ss.Over() }

// Writable says that no message was refused for which there is still no room, or
// that it is over.
func (ss *Session) Writable() bool { return !ss.full || ss.Over() }

// Full says that a message was refused, and there was no room since.
func (ss *Session) Full() bool { return ss.full }

// State describes the session.
func (ss *Session) State() State {
	switch {
	case ss.phase == ended:
		return Ended
	case ss.ending, ss.phase == draining:
		return Ending
	case ss.phase == established:
		return Established
	case ss.stood:
		return Moving
	}
	return Connecting
}

// waiting says that something was not yet handed to the transport.
func (ss *Session) waiting() bool { return ss.toSend.len() > 0 || ss.returned.len() > 0 }

// replays says that what was sent is kept until a cookie covers it.
func (ss *Session) replays() bool { return ss.own && ss.opts.Replay }
