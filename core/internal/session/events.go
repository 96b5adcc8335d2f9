package session

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Handle takes what the transport has received: a whole message, or a notification.
// b is not kept.
func (t *Table) Handle(now time.Time, info *assoc.RecvInfo, b []byte) {
	t.now = now
	a := t.assocs[info.Assoc]
	if a == nil {
		a = &association{}
		t.assocs[info.Assoc] = a
	}
	switch info.Kind {
	case assoc.Message:
		if !t.handleMessage(a, info, b) {
			t.consumed(info.Assoc, len(b))
		}
	case assoc.CommUp:
		t.handleUp(a, info.Assoc, info.Incoming)
	case assoc.Restart:
		t.handleRestart(a, info.Assoc)
	case assoc.ShutdownEvent:
		t.handleShutdown(a)
	case assoc.SendFailed:
		if a.session != nil {
			t.takeBack(a.session, info, b)
		}
	case assoc.CommLost, assoc.ShutdownComplete, assoc.CannotStart:
		t.handleDown(a, info)
	}
}

// Writable notes that an association whose send buffer was full has room.
func (t *Table) Writable(now time.Time, id assoc.ID) {
	t.now = now
	t.port.Flush(id)
	if a := t.assocs[id]; a != nil && a.session != nil {
		t.flush(a.session)
	}
}

// handleMessage demultiplexes by PPID: ASAP is never seen by the application,
// and nothing else by the machine (ASAP-5-05). kept says that it is to be received.
func (t *Table) handleMessage(a *association, info *assoc.RecvInfo, b []byte) (kept bool) {
	if info.PPID == protocol.PPIDASAP {
		t.handleControl(info, b)
		return false
	}
	if a.session == nil && info.PPID == protocol.PPIDENRP { // --peer of a registrar
		_ = t.port.Abort(info.Assoc, assoc.WrongPort("this is a pool element or pool user, no registrar")) // gone already: as wished
		return false
	}
	if a.session == nil && !a.over && t.service.Serving && !t.service.Foreign {
		a.session = t.acceptSession(info.Assoc)
	}
	ss := a.session
	if ss == nil || ss.ending || t.closing {
		t.logRarely("data that belongs to no session is dropped", "from", info.From, "ppid", info.PPID, "bytes", len(b))
		return false
	}
	ss.answered++
	if ss.own {
		ss.heard = t.now
	}
	t.deliver(ss, incoming{
		data: append([]byte(nil), b...), pe: ss.peer.PE, stream: info.Stream, ppid: info.PPID, unordered: info.Unordered,
		lent: info.Assoc,
	})
	return true
}

// Control takes an ASAP message that came on another way than Handle.
func (t *Table) Control(now time.Time, info *assoc.RecvInfo, b []byte) {
	t.now = now
	t.handleControl(info, b)
}

// handleControl passes an ASAP message to the machine and reports what was
// wrong with it (ASAP-2.2.14-01).
func (t *Table) handleControl(info *assoc.RecvInfo, b []byte) {
	m, report := t.cfg.Decode(info, b)
	if len(report) > 0 {
		t.sendControl(info.Assoc, asap.Error{Causes: report})
	}
	if m != nil {
		t.cfg.Post(endpoint.Received{Assoc: info.Assoc, Message: m})
	}
}

// handleUp: where both ends connected at the same moment the association may be
// the peer's session.
func (t *Table) handleUp(a *association, id assoc.ID, incoming bool) {
	a.up = true
	if ss := a.session; ss != nil && ss.own {
		if !incoming {
			t.sessionUp(ss)
			return
		}
		a.session = nil
		t.passOver(ss)
	}
	t.postUp(id)
}

func (t *Table) postUp(id assoc.ID) {
	local, peer, _ := t.port.AssocAddrs(id) // gone already: its end follows
	t.cfg.Post(endpoint.AssocUp{Assoc: id, Local: local, Host: t.cfg.Here(local), Peer: peer})
}

// PostStanding tells a machine that has just been made of the associations that
// stand, but for those of sessions.
func (t *Table) PostStanding(now time.Time) {
	t.now = now
	for _, id := range t.sortedAssocs() {
		if a := t.assocs[id]; a.up && a.session == nil {
			t.postUp(id)
		}
	}
}

func (t *Table) sortedAssocs() []assoc.ID {
	out := make([]assoc.ID, 0, len(t.assocs))
	for id := range t.assocs { // any order: sorted below
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// handleShutdown: the peer wants to end the association.
func (t *Table) handleShutdown(a *association) {
	if ss := a.session; ss != nil && ss.phase == established {
		ss.phase = draining
		t.notify(ss, Notification{Type: Shutdown})
	}
}

// handleRestart: a peer process that starts again on its old address knows
// nothing of the session.
func (t *Table) handleRestart(a *association, id assoc.ID) {
	switch ss := a.session; {
	case ss == nil:
		t.cfg.Post(endpoint.AssocRestarted{Assoc: id})
	case ss.own || ss.follows():
		_ = t.port.Abort(id, "the peer restarted")
	default:
		a.session = nil
		t.release(ss)
		t.giveUp(ss, errRestarted)
		t.notify(ss, Notification{Type: SessionRemoved, Err: errRestarted})
		t.end(ss, errRestarted)
	}
}

func (t *Table) handleDown(a *association, info *assoc.RecvInfo) {
	delete(t.assocs, info.Assoc)
	t.port.Forget(info.Assoc)
	if ss := a.session; ss != nil && ss.assoc == info.Assoc {
		t.sessionDown(ss, info.Err)
	}
	t.cfg.Post(endpoint.AssocLost{Assoc: info.Assoc, Err: info.Err})
	if ss := a.next; ss != nil && ss.phase == connecting && ss.assoc == 0 {
		t.connectElement(ss)
	}
	t.moved = true
}
