package registrar

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func (r *Registrar) handleASAP(now time.Time, ev ASAPReceived) {
	l := r.links[ev.Link]
	if l == nil || l.Channel == ENRPOverSCTP {
		return
	}
	if l.idle.Armed() {
		r.checkIdle(now, l)
	}
	if ev.Message == nil {
		r.refuse(l, ev)
		return
	}
	if len(ev.Report) > 0 {
		r.emit(SendASAP{Link: l.Link, Message: asap.Error{Causes: ev.Report}})
		ev.Report = nil
	}
	if !r.serving {
		r.wait(ev)
		return
	}
	switch m := ev.Message.(type) {
	case asap.Registration:
		r.handleRegistration(now, l, m)
	case asap.Deregistration:
		r.handleDeregistration(now, l, m)
	case asap.HandleResolution:
		r.handleResolution(now, l, m)
	case asap.EndpointKeepAliveAck:
		r.handleKeepAliveAck(now, l, m)
	case asap.EndpointUnreachable:
		r.handleUnreachable(now, l, m)
	case asap.Error:
		r.handleError(l, m)
	default:
		r.counts.Ignored++ // not for registrars
	}
}

// wait keeps a request until the registrar knows the handlespace: answering
// earlier would be wrong (ENRP-3.2-16). What does not fit is dropped, its
// sender asks again.
func (r *Registrar) wait(ev ASAPReceived) {
	if len(r.waiting) < maxWaiting {
		r.waiting = append(r.waiting, ev)
	}
}

// handleError only notes it: an ASAP_ERROR is never answered (ASAP-2.2.14-02).
func (r *Registrar) handleError(l *link, m asap.Error) {
	text := "peer reports an error"
	if len(m.Causes) > 0 {
		text += ": " + m.Causes[0].Code.String()
	}
	r.emit(Log{Level: Debug, Msg: text, At: l.addrs, Link: l.Link})
}

// refuse deals with a message that cannot be processed. A request that has an
// answer of its own is refused with that answer, anything else by an
// ASAP_ERROR if the rules for unknown things ask for it (ASAP-2.2.14-01).
func (r *Registrar) refuse(l *link, ev ASAPReceived) {
	r.counts.Malformed++
	r.emit(Log{Level: Debug, Msg: "dropped a message", At: l.addrs, Link: l.Link, Err: ev.Err})
	if len(ev.Report) > 0 {
		r.emit(SendASAP{Link: l.Link, Message: asap.Error{Causes: ev.Report}})
		return
	}
	var e *wire.Error
	switch {
	case !errors.As(ev.Err, &e):
	case e.Reason == wire.Framing && l.Channel == ASAPOverTCP:
		r.emit(Abort{Link: l.Link, Reason: "message boundaries are lost"}) // COM-4-07
	case e.Reason == wire.Invalid:
		if m := refusal(e); m != nil {
			r.emit(SendASAP{Link: l.Link, Message: m})
		}
	}
}

// refusal is the answer to a message with an invalid value (cause 0x3), or nil
// where an answer would be an answer to an answer.
func refusal(e *wire.Error) asap.Message {
	causes := []protocol.Cause{e.Cause()}
	switch t := asap.Type(e.Type); {
	case t == asap.TypeRegistration && e.Handle != "" && e.HasID:
		return asap.RegistrationResponse{Rejected: true, Handle: e.Handle, ID: e.ID, Causes: causes}
	case t == asap.TypeDeregistration && e.Handle != "" && e.HasID:
		return asap.DeregistrationResponse{Handle: e.Handle, ID: e.ID, Causes: causes}
	case t == asap.TypeHandleResolution && e.Handle != "":
		return asap.HandleResolutionResponse{Handle: e.Handle, Causes: causes}
	case t == asap.TypeRegistration, t == asap.TypeDeregistration, t == asap.TypeHandleResolution,
		t == asap.TypeEndpointUnreachable:
		return asap.Error{Causes: causes}
	}
	return nil
}
