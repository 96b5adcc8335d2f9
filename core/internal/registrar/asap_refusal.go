package registrar

import (
	"errors"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// refuse deals with a message that cannot be processed. A request that has an
// answer of its own is refused with that answer, anything else by an
// ASAP_ERROR if the rules for unknown things ask for it (ASAP-2.2.14-01).
func (ar *asapReceiver) refuse(l *link, ev ASAPReceived) {
	ar.counts.Malformed++
	ar.emit(Log{Level: Debug, Msg: "dropped a message", At: l.addrs, Link: l.Link, Err: ev.Err})
	if len(ev.Report) > 0 {
		ar.emit(SendASAP{Link: l.Link, Message: asap.Error{Causes: ev.Report}})
		return
	}
	var e *wire.Error
	switch {
	case !errors.As(ev.Err, &e):
	case e.Reason == wire.Framing && l.Channel == ASAPOverTCP:
		ar.emit(Abort{Link: l.Link, Reason: "message boundaries are lost"}) // what follows has no beginning (COM-4-07)
	case e.Reason == wire.Invalid:
		if m := refusal(e); m != nil {
			ar.emit(SendASAP{Link: l.Link, Message: m})
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
