package session

import (
	"errors"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Open begins the session of a pool user with a pool. For a pool or a registrar that
// is not there yet it waits for so long; negative: for ever. There is one at a time
// (ErrConnected).
func (t *Table) Open(now time.Time, pool string, wait time.Duration) (*Session, error) {
	t.now = now
	switch {
	case t.backlog > 0:
		return nil, fmt.Errorf("%w: the socket listens; connect with another one", ErrConnected)
	case t.own != nil && t.own.phase != ended:
		return nil, fmt.Errorf("%w: to pool %q; end that session first or use another socket", ErrConnected, t.own.peer.Pool)
	}
	if t.own != nil {
		t.dropInbox(t.own)
		t.retire(t.own)
	}
	ss := t.newSession()
	ss.own, ss.phase, ss.peer.Pool = true, searching, pool
	t.own = ss
	t.changes(ss)
	t.cfg.Post(endpoint.OpenSession{Session: ss.id, Handle: protocol.PoolHandle(pool), Wait: wait})
	t.cfg.Post(endpoint.SetFailoverLimit{Session: ss.id, Limit: ss.opts.FailoverLimit})
	return ss, nil
}

// useElement connects a session to the element that the machine chose.
func (t *Table) useElement(f endpoint.UsePE) {
	ss := t.sessions[f.Session]
	if ss == nil || ss.phase == ended {
		return
	}
	ss.peer.PE, ss.at = f.Element.ID, f.Element.User
	ss.phase = connecting
	t.connectElement(ss)
}

// connectElement opens the association. Where an old one with that element is
// being shut down the new one waits for its end.
func (t *Table) connectElement(ss *Session) {
	id, err := assoc.ID(0), fmt.Errorf("it serves over %v, this library speaks SCTP", ss.at.Protocol)
	if ss.at.Protocol == protocol.SCTP {
		p := t.params(ss.opts)
		p.Exclusive = true
		id, err = t.port.Connect(ss.at.AddrPorts(), &p)
	}
	if a := t.assocs[id]; errors.Is(err, assoc.ErrAlreadyExists) && a != nil && a.over {
		a.next = ss
		return
	}
	if errors.Is(err, assoc.ErrAlreadyExists) {
		t.passOver(ss)
		return
	}
	if err != nil {
		t.log(endpoint.Debug, "pool element cannot be reached", "pool", ss.peer.Pool, "pe", ss.peer.PE, "err", err)
		ss.phase = searching
		t.cfg.Post(endpoint.SessionLost{Session: ss.id, Err: err})
		return
	}
	ss.assoc = id
	t.assocs[id] = &association{session: ss}
}

// passOver has the machine take another element than one that is a pool user of
// this endpoint: it is not unreachable (ASAP-3.5-05).
func (t *Table) passOver(ss *Session) {
	t.log(endpoint.Warn, "pool element is passed over: it is a pool user of this socket; use another socket for one of the roles", "pool", ss.peer.Pool, "pe", ss.peer.PE)
	ss.phase, ss.assoc = searching, 0
	t.cfg.Post(endpoint.SessionLost{Session: ss.id, Err: errMutual, ByUser: true})
}

// failed: the machine has found no element for a session.
func (t *Table) failed(f endpoint.SessionFailed) {
	ss := t.sessions[f.Session]
	if ss == nil || ss.phase == ended {
		return
	}
	err := t.cfg.Explain(f.Err, f.Handle)
	if ss.stood {
		t.failure = err
		t.log(endpoint.Warn, "session failed", "pool", ss.peer.Pool, "lost_bytes", ss.queuedBytes, "err", err)
	}
	t.abortAssoc(ss, "the session failed")
	t.giveUp(ss, err)
	if ss.stood {
		t.notify(ss, Notification{Type: SessionRemoved, Err: err})
	}
	t.end(ss, err)
}

// waitsFor notes why a session waits: that is what is said if its caller gives up.
func (t *Table) waitsFor(f endpoint.Waits) {
	if ss := t.sessions[f.Session]; ss != nil {
		ss.waits = t.cfg.Explain(f.Err, f.Handle)
		t.log(endpoint.Info, "waiting for what is not there yet", "pool", string(f.Handle), "err", ss.waits)
	}
}
