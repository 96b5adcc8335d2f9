package endpoint

import (
	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// offersControl says whether the own registration offers a control channel
// (ASAP-5-06). A PU may be quicker than the registrar's answer to us, and stay
// when the registration ends: what counts is what was asked for last.
func (e *element) offersControl() bool { return hasControlChannel(e.offered) }

// hasControlChannel says whether a user transport has a control channel.
func hasControlChannel(t protocol.Transport) bool {
	return t.Protocol == protocol.SCTP && t.Use == protocol.DataAndControl
}

// sendCookie leaves a cookie with a PU (ASAP-3.8-01).
func (e *element) sendCookie(to assoc.ID, data []byte) {
	if !e.offersControl() {
		e.effects.log(Warn, "a cookie was not sent: the registered transport has no control channel")
		return
	}
	e.effects.add(Send{Assoc: to, Message: asap.Cookie{Data: data}})
}

// handleCookieEcho hands over the cookie with which a PU comes from another PE.
func (e *element) handleCookieEcho(from assoc.ID, m asap.CookieEcho) {
	if e.offersControl() {
		e.effects.add(CookieEchoReceived{Assoc: from, Data: m.Data})
	}
}
