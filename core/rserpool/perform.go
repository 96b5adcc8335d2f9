package rserpool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/shell"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// perform does what the machine wants, with the socket locked.
func (s *Socket) perform(f endpoint.Effect) {
	switch f := f.(type) {
	case endpoint.Connect:
		s.connectRegistrar(f)
	case endpoint.LookUp:
		s.startLookUp()
	case endpoint.Send:
		s.sendControl(f.Assoc, f.Message)
	case endpoint.Shutdown:
		s.endAssoc(f.Assoc, "")
	case endpoint.Abort:
		s.endAssoc(f.Assoc, f.Reason)
	case endpoint.UsePE:
		s.useElement(f)
	case endpoint.LeavePE:
		s.leavePE(f)
	case endpoint.CookieReceived:
		s.cookieReceived(f)
	case endpoint.CookieEchoReceived:
		s.cookieEchoed(f)
	case endpoint.BusinessCardReceived:
		s.cardReceived(f)
	case endpoint.SessionFailed:
		s.sessionFailed(f)
	case endpoint.Resolved:
		s.resolved(f.Token, f.Elements, nil)
	case endpoint.ResolveFailed:
		s.resolved(f.Token, nil, s.publicError(f.Err, f.Handle))
	case endpoint.Waits:
		s.waits(f)
	case endpoint.Log:
		s.write(f)
	default:
		s.performRegistration(f)
	}
}

// performRegistration does the rest: what concerns the home and the
// registration.
func (s *Socket) performRegistration(f endpoint.Effect) {
	switch f := f.(type) {
	case endpoint.HomeFound:
		s.home = joinStrs(f.Addrs)
		s.log.Debug("registrar found", "registrar", s.home)
		s.keeperDone()
		s.hereHome = homeHere(f)
		s.watchHome()
	case endpoint.HomeLost:
		s.log.Info("registrar lost", "registrar", s.home, "err", f.Err)
		s.home, s.hereHome = "", hereHome{}
		s.keeperStart()
	case endpoint.Registered:
		s.becomeRegistered(f)
	case endpoint.RegistrationFailed:
		if !f.StillRegistered {
			s.registered, s.name = false, Name{}
		}
		s.registrationEnds(s.publicError(f.Err, f.Handle))
	case endpoint.RegistrationLost:
		s.registered = false
		s.lastErr = s.publicError(f.Err, f.Handle)
		s.log.Warn("the registration is lost for now", "pool", string(f.Handle), "err", f.Err)
		s.keeperStart()
	case endpoint.Deregistered:
		err := s.publicError(f.Err, f.Handle)
		if s.name.Pool == "" && s.registerEnd == nil {
			err = nil // there was nothing to end: the socket closes after Register has failed
		}
		s.registered, s.name, s.leaving = false, Name{}, false
		s.registrationEnds(err)
	}
}

func (s *Socket) connectRegistrar(f endpoint.Connect) {
	if s.tcp.at[f.Addrs[0]] {
		s.connectTCP(f)
		return
	}
	id, err := s.port.Connect(f.Addrs, towardsRegistrar())
	exists := errors.Is(err, assoc.ErrAlreadyExists)
	if err != nil && !exists {
		s.machine.Post(endpoint.ConnectFailed{Token: f.Token, Err: err})
		return
	}
	s.machine.Post(endpoint.Connecting{Token: f.Token, Assoc: id})
	if a := s.assocs[id]; exists && a != nil && a.up {
		s.postUp(id)
	}
}

func (s *Socket) sendControl(id assoc.ID, m asap.Message) {
	if card, is := m.(asap.BusinessCard); is {
		m = s.forPeer(id, card)
	}
	b, err := asap.Append(nil, s.cfg.outgoing(m))
	if err == nil {
		err = s.sendOver(id, protocol.PPIDASAP, b)
	}
	if errors.Is(err, shell.ErrOutbox) {
		s.endAssoc(id, "control messages are not read")
	}
	if err != nil && s.machine != nil {
		s.machine.Post(endpoint.SendFailed{Assoc: id, Err: err})
	}
}

// useElement connects a session to the element that the machine chose.
func (s *Socket) useElement(f endpoint.UsePE) {
	ss := s.sessions[SessionID(f.Session)]
	if ss == nil || ss.state == ended {
		return
	}
	ss.peer.PE, ss.at = f.Element.ID, f.Element.User
	ss.state = connecting
	s.connectElement(ss)
}

// connectElement opens the association. Where an old one with that element is
// being shut down the new one waits for its end.
func (s *Socket) connectElement(ss *session) {
	id, err := assoc.ID(0), fmt.Errorf("it serves over %v, this library speaks SCTP", ss.at.Protocol)
	if ss.at.Protocol == protocol.SCTP {
		p := s.params(ss.opts)
		p.Exclusive = true
		id, err = s.port.Connect(ss.at.AddrPorts(), &p)
	}
	if a := s.assocs[id]; errors.Is(err, assoc.ErrAlreadyExists) && a != nil && a.over {
		a.next = ss
		return
	}
	if errors.Is(err, assoc.ErrAlreadyExists) {
		s.passOver(ss)
		return
	}
	if err != nil {
		s.log.Debug("pool element cannot be reached", "pool", ss.peer.Pool, "pe", ss.peer.PE, "err", err)
		ss.state = searching
		s.machine.Post(endpoint.SessionLost{Session: endpoint.SessionID(ss.id), Err: err})
		return
	}
	ss.assoc = id
	s.assocs[id] = &association{session: ss}
}

// passOver has the machine take another element than one that is a pool user of
// this socket: it is not unreachable (ASAP-3.5-05).
func (s *Socket) passOver(ss *session) {
	s.log.Warn("pool element is passed over: it is a pool user of this socket; use another socket for one of the roles", "pool", ss.peer.Pool, "pe", ss.peer.PE)
	ss.state, ss.assoc = searching, 0
	s.machine.Post(endpoint.SessionLost{Session: endpoint.SessionID(ss.id), Err: errMutual, ByUser: true})
}

func (s *Socket) sessionFailed(f endpoint.SessionFailed) {
	ss := s.sessions[SessionID(f.Session)]
	if ss == nil || ss.state == ended {
		return
	}
	err := s.publicError(f.Err, f.Handle)
	if ss.stood {
		s.lastErr = err
		s.log.Warn("session failed", "pool", ss.peer.Pool, "lost", ss.queuedBytes, "err", err)
	}
	if a := s.assocs[ss.assoc]; a != nil {
		a.session, a.over = nil, true
		_ = s.port.Abort(ss.assoc, "the session failed")
	}
	s.giveUp(ss, err)
	if ss.stood {
		s.notify(ss, Notification{Type: SessionRemoved, Err: err})
	}
	s.end(ss, err)
}

// errMutual: two endpoints have one association at most, and nothing on it
// would tell the messages of two sessions apart.
var errMutual = errors.New("the element is a pool user of this socket already; connect with another socket")

// livelyFor is how long an element does not hang that was heard of.
const livelyFor = 500 * time.Millisecond

// errRemoved: a registrar found out that the element hangs.
var errRemoved = errors.New("a registrar removed the element from its pool")

func (s *Socket) leavePE(f endpoint.LeavePE) {
	if ss := s.sessions[SessionID(f.Session)]; ss != nil && time.Since(ss.heard) > livelyFor {
		s.leaveElement(ss, errRemoved)
	}
}

func (s *Socket) becomeRegistered(f endpoint.Registered) {
	s.registered = true
	s.name = Name{Pool: string(f.Handle), PE: f.Element.ID}
	for _, w := range f.Warnings {
		s.log.Warn("the registrar changed the registration", "pool", s.name.Pool, "cause", w.Code)
	}
	s.log.Info("registered", "pool", s.name.Pool, "pe", s.name.PE, "registrar", s.home, "at", f.Element.User.AddrPorts())
	s.registrationEnds(nil)
}

// registrationEnds tells the call that waits for the outcome, or else
// remembers what went wrong.
func (s *Socket) registrationEnds(err error) {
	if s.registerEnd != nil {
		s.registerEnd(err)
	} else if err != nil {
		s.lastErr = err
		s.log.Warn("the registration ended", "err", err)
	}
	s.changed.fire()
}

func (s *Socket) write(f endpoint.Log) {
	level := map[endpoint.Level]slog.Level{
		endpoint.Debug: slog.LevelDebug, endpoint.Info: slog.LevelInfo, endpoint.Warn: slog.LevelWarn,
	}[f.Level]
	s.log.Log(context.Background(), level, f.Text)
}
