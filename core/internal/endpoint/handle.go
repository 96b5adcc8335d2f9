package endpoint

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func (m *Endpoint) handle(now time.Time, event Event) {
	switch e := event.(type) {
	case Register:
		m.element.Register(now, e.Handle, e.Element, until(now, e.Wait))
	case Deregister:
		m.element.Deregister(now)
	case OpenSession:
		m.user.Open(now, e.Session, e.Handle, until(now, e.Wait))
	case SessionUp:
		m.user.SessionUp(e.Session, e.Assoc)
	case SessionLost:
		m.user.SessionLost(now, e.Session, e.Err, reportable(e), e.Over)
	case CloseSession:
		m.user.Close(e.Session)
	case SetFailoverLimit:
		m.user.SetFailoverLimit(e.Session, e.Limit)
	case PELeft:
		m.user.PELeft(e.Session)
	case Resolve:
		m.user.Resolve(now, e.Token, e.Handle, e.MaxAge, e.Items, until(now, e.Wait))
	case CancelResolve:
		m.user.CancelResolve(e.Token)
	case PEFailed:
		m.user.PEFailed(now, e.Handle, e.ID)
	case Purge:
		m.user.Purge(e.Handle)
	case SendCookie:
		m.sendCookie(e)
	case SendBusinessCard:
		if m.hasControl() {
			m.sendBusinessCard(e.Assoc, e.Prefer)
		}
	case FollowCard:
		m.user.Follow(now, e.Session, e.Handle, e.Lost, e.Card, e.Limit, e.Err)
	case Received:
		m.handleMessage(now, e.Assoc, e.Message)
	default:
		m.handleAssoc(now, event)
	}
}

// until is the end of a wait that begins now; negative: none.
func until(now time.Time, wait time.Duration) time.Time {
	if wait < 0 {
		wait = math.MaxInt64
	}
	return now.Add(wait)
}

// reportable says whether a lost PE may be called unreachable: the transport
// failed (ASAP-3.5-01), or the application says so and has sent something
// (ASAP-3.5-05). A PE that takes leave is not unreachable.
func reportable(e SessionLost) bool {
	if e.ByUser {
		return e.Sent
	}
	return e.Err != nil
}

// handleAssoc takes the events about registrars and associations.
func (m *Endpoint) handleAssoc(now time.Time, event Event) {
	switch e := event.(type) {
	case LookedUp:
		m.hunt.LookedUp(now, e.Found, e.Failed)
	case RegistrarStarted:
		m.hunt.Started(now)
	case Announced:
		m.hunt.Announced(now, e.Message.Transports, e.From)
	case Connecting:
		m.hunt.Connecting(now, e.Token, e.Assoc)
	case ConnectFailed:
		m.hunt.ConnectFailed(now, e.Token, e.Err)
	case AssocUp:
		m.hunt.AssocUp(now, e.Assoc, e.Local, e.Host, e.Peer)
	case AssocRestarted:
		m.hunt.AssocRestarted(e.Assoc)
	case AssocLost:
		m.hunt.AssocLost(now, e.Assoc, e.Err)
	case SendFailed:
		m.handleSendFailed(now, e)
	}
}

// handleSendFailed gives up a home to which nothing can be sent (ASAP-3.7-01).
// Whatever else it was for, its association's owner notices.
func (m *Endpoint) handleSendFailed(now time.Time, e SendFailed) {
	level := Warn
	if errors.Is(e.Err, assoc.ErrPipe) || errors.Is(e.Err, assoc.ErrNotConnected) {
		level = Debug // a peer that is leaving: its AssocLost says so, too
	}
	m.out.log(level, fmt.Sprintf("a control message could not be sent: %v", e.Err))
	m.hunt.Drop(now, e.Assoc)
}

func (m *Endpoint) handleMessage(now time.Time, from assoc.ID, message asap.Message) {
	m.hunt.Alive(from)
	switch msg := message.(type) {
	case asap.RegistrationResponse:
		m.element.HandleRegistrationResponse(now, from, msg)
	case asap.DeregistrationResponse:
		m.element.HandleDeregistrationResponse(now, from, msg)
	case asap.EndpointKeepAlive: // a PU ignores it (OWN-03, E-28)
		m.element.HandleKeepAlive(now, from, msg)
	case asap.HandleResolutionResponse:
		m.user.HandleResolutionResponse(now, from, msg)
	case asap.Cookie:
		m.user.HandleCookie(from, msg)
	case asap.CookieEcho:
		if m.hasControl() {
			m.out.add(CookieEchoReceived{Assoc: from, Data: msg.Data})
		}
	case asap.BusinessCard:
		m.handleBusinessCard(now, from, msg)
	case asap.Error:
		m.handleError(now, from, msg)
	case asap.Registration, asap.Deregistration, asap.HandleResolution, asap.EndpointUnreachable:
		m.sendAway(from, message)
	default:
		m.out.log(Debug, "not for a PE or PU: "+message.String())
	}
}

// sendAway ends the association of somebody who takes us for a registrar, and says
// so: it would wait for an answer.
func (m *Endpoint) sendAway(from assoc.ID, message asap.Message) {
	m.out.log(Debug, "only registrars answer that, its sender is sent away: "+message.String())
	if from != m.hunt.Home() {
		m.out.Abort(from, assoc.WrongPort("this is a pool element or pool user, no registrar"))
	}
}

// handleError never answers. If its sender owes exactly one answer, this is it
// (ASAP-2.2.14-02).
func (m *Endpoint) handleError(now time.Time, from assoc.ID, msg asap.Error) {
	m.out.log(Warn, msg.String())
	inElement, inUser := m.element.Outstanding(from), m.user.Outstanding(from)
	switch {
	case inElement+inUser != 1:
	case inElement == 1:
		m.element.HandleError(now, msg)
	default:
		m.user.HandleError(now, from, msg)
	}
}

// hasControl says whether the own registration offers a control channel
// (ASAP-5-06). A PU may be quicker than the registrar's answer to us, and stay
// when the registration ends: what counts is what was asked for last.
func (m *Endpoint) hasControl() bool {
	offered := m.element.Offered()
	return offered.Protocol == protocol.SCTP && offered.Use == protocol.DataAndControl
}

func (m *Endpoint) sendCookie(e SendCookie) {
	if !m.hasControl() {
		m.out.log(Warn, "a cookie was not sent: the registered transport has no control channel")
		return
	}
	m.out.Send(e.Assoc, asap.Cookie{Data: e.Data})
}

func (m *Endpoint) handleBusinessCard(now time.Time, from assoc.ID, msg asap.BusinessCard) {
	m.out.add(BusinessCardReceived{Assoc: from, Handle: msg.Handle, Elements: msg.Elements})
	m.user.HandleBusinessCard(now, from, msg, m.hasControl())
}

// maxCard bounds the PEs on a business card.
const maxCard = 16

// sendBusinessCard tells a peer on a control channel the own pool and the PEs
// to fail over to (ASAP-3.9-01). Who is no PE has no card (ASAP-3.9-02).
func (m *Endpoint) sendBusinessCard(to assoc.ID, prefer []protocol.PEID) {
	handle, self, ok := m.element.Self()
	if !ok {
		return
	}
	var elements []protocol.Element
	for _, e := range preferred(m.user.Known(handle), prefer) {
		if e.ID != self.ID && len(elements) < maxCard-1 {
			elements = append(elements, e)
		}
	}
	m.out.Send(to, asap.BusinessCard{Handle: handle, Elements: append(elements, self)})
}

// preferred returns the elements with the given identifiers, in that order.
func preferred(known []protocol.Element, ids []protocol.PEID) []protocol.Element {
	var out []protocol.Element
	for _, id := range ids {
		if i := slices.IndexFunc(known, func(e protocol.Element) bool { return e.ID == id }); i >= 0 {
			out = append(out, known[i])
		}
	}
	return out
}
