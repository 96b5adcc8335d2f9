package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// asapReceiver takes the messages of PEs and PUs.
type asapReceiver struct {
	*core
	links         *links
	registrations *registrations
	resolver      *resolver
	monitors      *monitors

	waiting []ASAPReceived // requests that came before the registrar served
}

// maxWaiting bounds the requests kept until the registrar serves.
const maxWaiting = 1024

func (ar *asapReceiver) handle(now time.Time, ev ASAPReceived) {
	l := ar.links.all[ev.Link]
	if l == nil || l.Channel == ENRPOverSCTP {
		return
	}
	if l.idle.Armed() {
		ar.links.checkIdle(now, l)
	}
	if ev.Message == nil {
		ar.refuse(l, ev)
		return
	}
	if len(ev.Report) > 0 {
		ar.emit(SendASAP{Link: l.Link, Message: asap.Error{Causes: ev.Report}})
		ev.Report = nil
	}
	if !ar.serving {
		ar.hold(ev)
		return
	}
	ar.dispatch(now, l, ev.Message)
}

// dispatch gives a message to the part in charge of it.
func (ar *asapReceiver) dispatch(now time.Time, l *link, m asap.Message) {
	switch m := m.(type) {
	case asap.Registration:
		ar.registrations.register(now, l, m)
	case asap.Deregistration:
		ar.registrations.deregister(now, l, m)
	case asap.HandleResolution:
		ar.resolver.handle(now, l, m)
	case asap.EndpointKeepAliveAck:
		ar.monitors.handleAck(now, l, m)
	case asap.EndpointUnreachable:
		ar.monitors.handleUnreachable(now, l, m)
	case asap.Error:
		ar.noteError(l, m)
	default:
		ar.counts.Ignored++ // not for registrars
	}
}

// hold keeps a request until the registrar knows the handlespace: answering
// earlier would be wrong (ENRP-3.2-16). What does not fit is dropped, its
// sender asks again.
func (ar *asapReceiver) hold(ev ASAPReceived) {
	if len(ar.waiting) < maxWaiting {
		ar.waiting = append(ar.waiting, ev)
	}
}

// serve begins to answer, first what has waited.
func (ar *asapReceiver) serve(now time.Time) {
	ar.serving = true
	ar.emit(Log{Level: Info, Msg: "registrar serves", Server: ar.id})
	waiting := ar.waiting
	ar.waiting = nil
	for _, ev := range waiting {
		ar.handle(now, ev)
	}
}

// noteError only notes it: an ASAP_ERROR is never answered (ASAP-2.2.14-02).
func (ar *asapReceiver) noteError(l *link, m asap.Error) {
	text := "peer reports an error"
	if len(m.Causes) > 0 {
		text += ": " + m.Causes[0].Code.String()
	}
	ar.emit(Log{Level: Debug, Msg: text, At: l.addrs, Link: l.Link})
}
