package endpoint

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func (m *Endpoint) handle(now time.Time, event Event) {
	switch e := event.(type) {
	case Register:
		m.element.register(now, e.Handle, e.Element, until(now, e.Wait))
	case Deregister:
		m.element.deregister(now)
	case OpenSession:
		m.user.openSession(now, e.Session, e.Handle, until(now, e.Wait))
	case SessionUp:
		m.user.sessionUp(e.Session, e.Assoc)
	case SessionLost:
		m.user.sessionLost(now, e.Session, e.Err, reportable(e), e.Over)
	case CloseSession:
		m.user.closeSession(e.Session)
	case SetFailoverLimit:
		m.user.setFailoverLimit(e.Session, e.Limit)
	case PELeft:
		m.user.peLeft(e.Session)
	case Resolve:
		m.user.resolve(now, e)
	case WatchPool:
		m.user.watchPool(e.Handle, e.On)
	case CancelResolve:
		m.user.cancelResolve(e.Token)
	case PEFailed:
		m.user.peFailed(now, e.Handle, e.ID)
	case Purge:
		m.user.purge(e.Handle)
	case SendCookie:
		m.element.sendCookie(e.Assoc, e.Data)
	case SendBusinessCard:
		if m.element.offersControl() {
			m.user.sendBusinessCard(e.Assoc, e.Prefer)
		}
	case FollowCard:
		m.user.followCard(now, e.Session, e.Handle, e.Lost, e.Card, e.Limit, e.Err)
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
		m.hunt.lookedUp(now, e.Found, e.Failed)
	case RegistrarStarted:
		m.hunt.registrarStarted(now)
	case Announced:
		m.hunt.announced(now, e.Message.Transports, e.From)
	case Connecting:
		m.hunt.connecting(now, e.Token, e.Assoc)
	case ConnectFailed:
		m.hunt.connectFailed(now, e.Token, e.Err)
	case AssocUp:
		m.hunt.assocUp(now, e.Assoc, assocAddrs{local: e.Local, host: e.Host, remote: e.Peer})
	case AssocRestarted:
		m.hunt.assocRestarted(e.Assoc)
	case AssocLost:
		m.hunt.assocLost(now, e.Assoc, e.Err)
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
	m.effects.log(level, fmt.Sprintf("a control message could not be sent: %v", e.Err))
	m.hunt.dropHome(now, e.Assoc)
}

func (m *Endpoint) handleMessage(now time.Time, from assoc.ID, message asap.Message) {
	m.hunt.heardFrom(from)
	switch msg := message.(type) {
	case asap.RegistrationResponse:
		m.element.handleRegistrationResponse(now, from, msg)
	case asap.DeregistrationResponse:
		m.element.handleDeregistrationResponse(now, from, msg)
	case asap.EndpointKeepAlive: // a PU ignores it (OWN-03, E-28)
		m.element.handleKeepAlive(now, from, msg)
	case asap.HandleResolutionResponse:
		m.user.handleResolutionResponse(now, from, msg)
	case asap.Cookie:
		m.user.handleCookie(from, msg)
	case asap.CookieEcho:
		m.element.handleCookieEcho(from, msg)
	case asap.BusinessCard:
		m.user.handleBusinessCard(now, from, msg)
	case asap.Error:
		m.handleError(now, from, msg)
	case asap.Registration, asap.Deregistration, asap.HandleResolution, asap.EndpointUnreachable:
		m.sendAway(from, message)
	default:
		m.effects.log(Debug, "not for a PE or PU: "+message.String())
	}
}

// sendAway ends the association of somebody who takes us for a registrar, and says
// so: it would wait for an answer.
func (m *Endpoint) sendAway(from assoc.ID, message asap.Message) {
	m.effects.log(Debug, "only registrars answer that, its sender is sent away: "+message.String())
	if from != m.hunt.homeAssoc() {
		m.effects.add(Abort{Assoc: from, Reason: assoc.WrongPort("this is a pool element or pool user, no registrar")})
	}
}

// handleError never answers. If its sender owes exactly one answer, this is it
// (ASAP-2.2.14-02).
func (m *Endpoint) handleError(now time.Time, from assoc.ID, msg asap.Error) {
	m.effects.log(Warn, msg.String())
	inElement, inUser := m.element.outstanding(from), m.user.outstanding(from)
	switch {
	case inElement+inUser != 1:
	case inElement == 1:
		m.element.handleError(now, msg)
	default:
		m.user.handleError(now, from, msg)
	}
}
