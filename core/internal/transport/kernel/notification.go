package kernel

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/ishidawataru/sctp"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Fields of notifications, by their offsets in linux/sctp.h.
const (
	sentFlag = 1 // SCTP_DATA_SENT

	chunkLast      = 1 << 0 // flags of a DATA chunk
	chunkFirst     = 1 << 1
	chunkUnordered = 1 << 2
)

// notice handles one notification.
func (e *Endpoint) notice(b []byte) {
	if len(b) < 8 {
		return
	}
	kind := sctp.SCTPNotificationType(native.Uint16(b))
	if kind != sctp.SCTP_SEND_FAILED {
		e.release()
	}
	switch {
	case kind == sctp.SCTP_ASSOC_CHANGE && len(b) >= 20:
		e.handleAssocChange(b)
	case kind == sctp.SCTP_SEND_FAILED && len(b) >= 48:
		e.handleSendFailed(b)
	case kind == sctp.SCTP_SHUTDOWN_EVENT && len(b) >= 12:
		e.handleOther(assoc.RecvInfo{Kind: assoc.ShutdownEvent, Assoc: assoc.ID(native.Uint32(b[8:]))})
	case kind == sctp.SCTP_REMOTE_ERROR && len(b) >= 16:
		cause := binary.BigEndian.Uint16(b[8:])
		e.handleOther(assoc.RecvInfo{Kind: assoc.RemoteError, Assoc: assoc.ID(native.Uint32(b[12:])), Cause: cause,
			Err: fmt.Errorf("peer reports error cause %d", cause)})
	case kind == sctp.SCTP_PARTIAL_DELIVERY_EVENT && len(b) >= 24:
		e.handlePartialDelivery(b)
	case kind == sctp.SCTP_PEER_ADDR_CHANGE && len(b) >= 148:
		e.handlePeerAddrChange(b)
	}
}

// handleOther passes on what belongs between CommUp and the end.
func (e *Endpoint) handleOther(info assoc.RecvInfo) {
	if a := e.assocs[info.Assoc]; a != nil && a.up {
		e.inbox.put(info)
	}
}

func (e *Endpoint) handlePeerAddrChange(b []byte) {
	state, ok := map[uint32]assoc.PathState{
		0: assoc.PathAvailable, 1: assoc.PathUnreachable, 2: assoc.PathRemoved,
		3: assoc.PathAdded, 4: assoc.PathMadePrimary, 5: assoc.PathConfirmed,
	}[native.Uint32(b[136:])]
	id := assoc.ID(native.Uint32(b[144:]))
	if a := e.assocs[id]; a != nil {
		a.failing = !ok || state == assoc.PathUnreachable // not ok: potentially failed
	}
	if ok {
		from, _ := parseAddr(b[8:136])
		e.handleOther(assoc.RecvInfo{Kind: assoc.PeerAddrChange, Assoc: id, From: from, PathState: state})
	}
}

// handleSendFailed hands back one fragment of a message. All fragments of it
// come, one after the other; the message was sent if the first was.
func (e *Endpoint) handleSendFailed(b []byte) {
	flags := native.Uint16(b[16:])
	if flags&chunkFirst != 0 {
		e.inbox.unsent = native.Uint16(b[2:])&sentFlag == 0
	}
	info := assoc.RecvInfo{
		Kind: assoc.SendFailed, Assoc: assoc.ID(native.Uint32(b[44:])),
		Unsent: e.inbox.unsent,
		Stream: native.Uint16(b[12:]), SSN: native.Uint16(b[14:]),
		PPID: binary.BigEndian.Uint32(b[20:]), Unordered: flags&chunkUnordered != 0,
		More: flags&chunkLast == 0,
	}
	if a := e.assocs[info.Assoc]; a != nil {
		info.Context = a.contexts.find(native.Uint32(b[24:]))
	}
	e.inbox.ready = append(e.inbox.ready, item{info, append([]byte(nil), b[48:]...)})
}

// handleAssocChange tells the beginning, a restart, or the end.
func (e *Endpoint) handleAssocChange(b []byte) {
	id := assoc.ID(native.Uint32(b[16:]))
	a := e.assocs[id]
	switch state := sctp.SCTPState(native.Uint16(b[8:])); state {
	case sctp.SCTP_COMM_UP, sctp.SCTP_RESTART:
		if a == nil {
			a = &association{id: id, sock: e.main, maxMessage: e.params.MaxMessage, guard: e.params.ShutdownGuard}
			e.assocs[id] = a
		}
		info := assoc.RecvInfo{
			Kind: assoc.CommUp, Assoc: id, Incoming: !a.outgoing,
			OutStreams: native.Uint16(b[12:]), InStreams: native.Uint16(b[14:]),
		}
		if state == sctp.SCTP_RESTART && a.up {
			info.Kind, info.Incoming = assoc.Restart, false
			e.abandon(a, func(partial) bool { return true })
		}
		e.becomeUp(a)
		e.inbox.put(info)
	case sctp.SCTP_COMM_LOST, sctp.SCTP_CANT_STR_ASSOC, sctp.SCTP_SHUTDOWN_COMP:
		if a == nil {
			return // the end was told, or the beginning never
		}
		info := assoc.RecvInfo{Kind: assoc.ShutdownComplete, Assoc: id}
		if state != sctp.SCTP_SHUTDOWN_COMP {
			info.Kind = assoc.CannotStart
			if a.up {
				info.Kind = assoc.CommLost
			}
			info.Cause, info.Err = e.reason(a, b)
		}
		e.inbox.end = &item{info: info}
	}
}

func (e *Endpoint) becomeUp(a *association) {
	a.up = true
	if a.timeout != nil {
		a.timeout.Stop()
	}
	if a.primary.IsValid() {
		_ = a.sock.control(func(fd uintptr) error { return setPrimary(fd, a.id, a.primary) })
	}
	if a.outgoing && a.closing {
		_ = e.shutdown(a)
	}
}

// release lets the end of an association that was held back go out.
func (e *Endpoint) release() {
	end := e.inbox.end
	if end == nil {
		return
	}
	e.inbox.end = nil
	if a := e.assocs[end.info.Assoc]; a != nil {
		e.forget(a)
	}
	e.inbox.ready = append(e.inbox.ready, *end)
}

// forget drops an association that has ended.
func (e *Endpoint) forget(a *association) {
	if a.timeout != nil {
		a.timeout.Stop()
	}
	e.letCome(a)
	delete(e.assocs, a.id)
	if a.sock != e.main {
		if e.current == a.sock {
			e.current = nil
		}
		e.peeled.remove(a)
	}
}

// reason says why an association ended: because we wanted it, because of an
// ABORT, whose causes follow the notification, or because nobody answered. An
// ABORT without cause looks like the last, except that it comes too early.
func (e *Endpoint) reason(a *association, b []byte) (cause uint16, err error) {
	if a.aborted != nil {
		return 0, a.aborted
	}
	cause = native.Uint16(b[10:])
	is := assoc.ErrAborted
	if !a.up {
		is = assoc.ErrRefused
	}
	if causes := b[20:]; len(causes) >= 4 {
		cause = binary.BigEndian.Uint16(causes)
		size := min(int(binary.BigEndian.Uint16(causes[2:])), len(causes))
		if text := causes[4:max(size, 4)]; cause == causeUserAbort && len(text) > 0 {
			return cause, assoc.Explained(fmt.Errorf("%w: %q", is, text), string(text))
		}
	}
	if cause != 0 {
		return cause, fmt.Errorf("%w: error cause %d", is, cause)
	}
	if a.up && !a.failing || !a.up && time.Now().Before(a.patience) {
		return 0, is
	}
	return 0, assoc.ErrTimeout
}

// causeUserAbort is the cause that carries a reason (RFC 9260 section
// 3.3.10.12).
const causeUserAbort = 12
