package rserpool

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// readableHook runs on a goroutine of the endpoint: what arrives is passed on
// without another one in between.
func (s *Socket) readableHook() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch()
}

func (s *Socket) writableHook(id assoc.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.port.Flush(id)
	if a := s.assocs[id]; a != nil && a.session != nil {
		s.flush(a.session)
	}
	s.updateReadiness()
}

// dispatch takes from the transport what it has (window.go).
func (s *Socket) dispatch() {
	defer s.updateReadiness()
	for s.port != nil && !s.closed && s.stuck == 0 {
		var info assoc.RecvInfo
		b, err := s.port.Receive(&info)
		if err != nil {
			if !errors.Is(err, assoc.ErrWouldBlock) && !loop.Closed(err) {
				s.log.Error("the endpoint fails", "err", err)
			}
			return
		}
		s.handle(&info, b)
	}
}

func (s *Socket) handle(info *assoc.RecvInfo, b []byte) {
	a := s.assocs[info.Assoc]
	if a == nil {
		a = &association{}
		s.assocs[info.Assoc] = a
	}
	switch info.Kind {
	case assoc.Message:
		if !s.handleMessage(a, info, b) {
			s.consumed(info.Assoc, len(b))
		}
	case assoc.CommUp:
		s.handleUp(a, info.Assoc, info.Incoming)
	case assoc.Restart:
		s.handleRestart(a, info.Assoc)
	case assoc.ShutdownEvent:
		s.handleShutdown(a)
	case assoc.SendFailed:
		if a.session != nil {
			s.takeBack(a.session, info, b)
		}
	case assoc.CommLost, assoc.ShutdownComplete, assoc.CannotStart:
		s.handleDown(a, info)
	}
}

// handleMessage demultiplexes by PPID: ASAP is never seen by the application,
// and nothing else by the machine (ASAP-5-05). kept says that it is to be received.
func (s *Socket) handleMessage(a *association, info *assoc.RecvInfo, b []byte) (kept bool) {
	if info.PPID == protocol.PPIDASAP {
		s.handleControl(info, b)
		return false
	}
	if a.session == nil && info.PPID == protocol.PPIDENRP { // --peer of a registrar
		_ = s.port.Abort(info.Assoc, assoc.WrongPort("this is a pool element or pool user, no registrar")) // gone already: as wished
		return
	}
	if a.session == nil && !a.over && s.serving && s.foreign.IsZero() {
		a.session = s.acceptSession(info.Assoc)
	}
	ss := a.session
	if ss == nil || ss.ending || s.closing {
		s.garbage.Log("data that belongs to no session is dropped", "from", info.From, "ppid", info.PPID, "bytes", len(b))
		return false
	}
	ss.answered++
	if ss.own {
		ss.heard = time.Now()
	}
	s.deliver(ss, incoming{
		data: append([]byte(nil), b...), pe: ss.peer.PE, stream: info.Stream, ppid: info.PPID, unordered: info.Unordered,
		lent: info.Assoc,
	})
	return true
}

// deliver puts something into the inbox of a session.
func (s *Socket) deliver(ss *session, m incoming) {
	m.length = len(m.data)
	ss.inbox.push(m)
	ss.inboxBytes += len(m.data)
	if !s.perSession {
		s.arrivals.push(ss)
	}
	ss.readable.fire()
	ss.show()
	s.throttle(ss)
}

// handleControl passes an ASAP message to the machine and reports what was
// wrong with it (ASAP-2.2.14-01).
func (s *Socket) handleControl(info *assoc.RecvInfo, b []byte) {
	m, report, err := asap.Parse(b)
	if err != nil {
		s.garbage.Log("bad ASAP message", "from", info.From, "err", err)
	}
	if len(report) > 0 {
		s.sendControl(info.Assoc, asap.Error{Causes: report})
	}
	if m != nil && s.machine != nil {
		m = asap.In(m, info.From.Addr().Zone())
		s.machine.Post(endpoint.Received{Assoc: info.Assoc, Message: s.cfg.incoming(m)})
	}
}

// acceptSession makes a session of an association that a pool user opened.
// Registrars open associations too, to send their keep-alives; hence it is the
// first message that makes one. It returns nil when none is taken.
func (s *Socket) acceptSession(id assoc.ID) *session {
	ss := s.newSession()
	ss.state, ss.assoc, ss.stood = established, id, true
	ss.peer, ss.card = s.assocs[id].peer, s.assocs[id].card
	if !s.admit(ss) {
		s.end(ss, ErrClosed)
		return nil
	}
	s.welcome(ss)
	s.log.Debug("session begins", "session", ss.id)
	s.notify(ss, Notification{Type: SessionAdded})
	s.introduce(id)
	return ss
}

// handleUp: where both ends connected at the same moment the association may be
// the peer's session.
func (s *Socket) handleUp(a *association, id assoc.ID, incoming bool) {
	a.up = true
	if ss := a.session; ss != nil && ss.own {
		if !incoming {
			s.sessionUp(ss)
			return
		}
		a.session = nil
		s.passOver(ss)
	}
	s.postUp(id)
}

func (s *Socket) postUp(id assoc.ID) {
	if s.machine == nil {
		return
	}
	local, peer, _ := s.port.AssocAddrs(id) // gone already: its end follows
	s.machine.Post(endpoint.AssocUp{Assoc: id, Local: local, Host: s.atHome(local), Peer: peer})
}

// handleRestart: a peer process that starts again on its old address knows
// nothing of the session.
func (s *Socket) handleRestart(a *association, id assoc.ID) {
	switch ss := a.session; {
	case ss == nil:
		if s.machine != nil {
			s.machine.Post(endpoint.AssocRestarted{Assoc: id})
		}
	case ss.own || ss.follows():
		_ = s.port.Abort(id, "the peer restarted")
	default:
		a.session = nil
		s.release(ss)
		s.giveUp(ss, errRestarted)
		s.notify(ss, Notification{Type: SessionRemoved, Err: errRestarted})
		s.end(ss, errRestarted)
	}
}

// errRestarted is why a session of an element ends whose pool user's process
// begins anew.
var errRestarted = errors.New("the pool user restarted")

func (s *Socket) handleDown(a *association, info *assoc.RecvInfo) {
	delete(s.assocs, info.Assoc)
	s.port.Forget(info.Assoc)
	if ss := a.session; ss != nil && ss.assoc == info.Assoc {
		s.sessionDown(ss, info.Err)
	}
	if s.machine != nil {
		s.machine.Post(endpoint.AssocLost{Assoc: info.Assoc, Err: info.Err})
	}
	if ss := a.next; ss != nil && ss.state == connecting && ss.assoc == 0 {
		s.connectElement(ss)
	}
	s.changed.fire()
}
