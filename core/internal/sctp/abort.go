package sctp

import (
	"errors"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// ErrClosed is what Connect returns after Close.
var ErrClosed = errors.New("endpoint is closed")

// errRestarted is the reason of SendFailed when the peer has lost its memory.
var errRestarted = errors.New("peer restarted")

// Abort ends an association at once; reason goes to the peer, cut to what one
// packet carries (section 9.1, SCTP-2-55).
func (e *Endpoint) Abort(now time.Time, id assoc.ID, reason string) error {
	a := e.byID[id]
	if a == nil {
		return assoc.ErrNotConnected
	}
	if a.state != cookieWait { // its tag is not known there
		a.sendAbort(chunk.CauseUserAbort, []byte(reason[:min(len(reason), maxReason)]))
	}
	a.lost(assoc.CommLost, chunk.CauseUserAbort, assoc.ErrLocalAbort)
	return nil
}

func (a *association) sendAbort(cause chunk.Cause, info []byte) {
	a.sendNow(a.dataPath(), a.peerTag, chunk.AppendAbort(nil, 0, cause, info))
}

// abort ends the association because of what the peer did.
func (a *association) abort(cause chunk.Cause, info []byte, why string) {
	a.sendAbort(cause, info)
	a.lost(assoc.CommLost, cause, &causeError{cause: cause, reason: why, kind: assoc.ErrProtocol})
}

// violation ends the association with cause 13.
func (a *association) violation(why string) {
	a.abort(chunk.CauseProtocol, []byte(why), why)
}

// handleAbort ends the association; nothing is ever answered (sections 3.3.7,
// 8.5.1 B, 9.1; SCTP-1-40, SCTP-2-03).
func (a *association) handleAbort(in *arrival, c chunk.Raw) {
	if (c.Flags&chunk.FlagT != 0) != in.reflected {
		a.e.counters.BadTag++
		return
	}
	var cause chunk.Cause
	var reason string
	if code, info, _, err := chunk.NextCause(c.Value); err == nil {
		cause = code
		if code == chunk.CauseUserAbort || code == chunk.CauseProtocol {
			reason = printable(info)
		}
	}
	kind := assoc.ErrAborted
	if a.state == cookieWait || a.state == cookieEchoed {
		kind = assoc.ErrRefused
	}
	a.lost(assoc.CommLost, cause, assoc.Explained(&causeError{cause, reason, kind}, reason))
}

// printable makes text of what the peer sent as its reason.
func printable(b []byte) string {
	b = b[:min(len(b), maxReason)]
	text := make([]byte, 0, len(b))
	for _, c := range b {
		if c >= ' ' && c < 0x7f {
			text = append(text, c)
		}
	}
	return string(text)
}

// Close aborts every association that is not shutting down and refuses new
// ones from now on. Nobody holds any of them longer.
func (e *Endpoint) Close(now time.Time) {
	e.closed = true
	for _, id := range e.ids() {
		a := e.byID[id]
		a.hold(false)
		if a.state <= established && !a.closing {
			_ = e.Abort(now, id, "endpoint closed")
		}
	}
}

// ids returns the associations in the order in which they began.
func (e *Endpoint) ids() []assoc.ID {
	ids := make([]assoc.ID, 0, len(e.byID))
	for id := range e.byID { // any order: sorted below
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
