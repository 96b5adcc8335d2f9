package session

import "github.com/librserpool/librserpool/core/internal/assoc"

// What waits for the program is in the inboxes of sessions, and counts against the
// receive windows of their associations: a session keeps Options.ReceiveBuffer
// and no more, and then its peer waits. Everything is taken from the transport
// meanwhile, so that ASAP's messages (PPID 11) never wait for the program.
//
// A transport that cannot lend (transport.Lender) has buffers of its own. There a
// session has one half of its buffer, and the transport the other; when the first is
// full its association is left unread, if the transport can do that for one
// (transport.Holder), or else all of them.

const (
	// messageCost is what a message costs besides its bytes.
	messageCost = 256
	// MinBuffer is the smallest buffer of a session; smaller ones are raised.
	MinBuffer = 4096
	// controlBuffer is the size of the buffers towards a registrar, whatever those of
	// sessions are.
	controlBuffer = 256 << 10
	// giveBackAt is the part of a receive buffer that is given back at once, and
	// giveBackMost the most that is not: what is kept back counts against the share of
	// the receive memory that the association has in any case, which may be as small
	// as 4 KiB (sctp/memory.go); were it all of that, nothing would ever come that
	// could be given back.
	giveBackAt   = 8
	giveBackMost = 2 << 10
)

// debt is what an association has lent and is to be given back.
type debt struct{ bytes, messages int }

// consumed notes that a message which came from an association is not kept any more.
func (t *Table) consumed(id assoc.ID, bytes int) {
	a := t.assocs[id]
	if a == nil {
		return // it has ended, and nothing is owed
	}
	a.owed.bytes += bytes
	a.owed.messages++
	if a.session != nil && a.owed.bytes+a.owed.messages*messageCost < min(a.session.opts.ReceiveBuffer/giveBackAt, giveBackMost) {
		return
	}
	t.port.Return(id, a.owed.bytes, a.owed.messages)
	a.owed = debt{}
}

// buffers are the transport's for sessions with such options.
func (t *Table) buffers(o Options) assoc.Params {
	p := assoc.Params{SendBuffer: o.SendBuffer, ReceiveBuffer: o.ReceiveBuffer}
	if !t.lends {
		p.ReceiveBuffer /= 2
	}
	return p
}

// params are all that the transport has to know of such options.
func (t *Table) params(o Options) assoc.Params {
	p, b := o.params(), t.buffers(o)
	p.SendBuffer, p.ReceiveBuffer = b.SendBuffer, b.ReceiveBuffer
	return p
}

// towardsRegistrar are the transport's settings for the association with a
// registrar: sessions' options mean nothing to it.
func towardsRegistrar() *assoc.Params {
	return &assoc.Params{SendBuffer: controlBuffer, ReceiveBuffer: controlBuffer}
}

// throttle leaves what comes for a session in the transport while its half of the
// buffer is full, and until it is half empty again.
func (t *Table) throttle(ss *Session) {
	if t.lends {
		return
	}
	limit := ss.opts.ReceiveBuffer / 2
	if ss.inboxFull {
		limit /= 2
	}
	switch full := ss.inboxBytes+ss.inbox.len()*messageCost >= max(limit, 1); {
	case full == ss.inboxFull || full && ss.assoc == 0:
	case full:
		ss.inboxFull = true
		if !t.port.PauseReceive(ss.assoc) {
			t.stuck++
		}
	default:
		t.release(ss)
	}
}

// release lets what is in the transport for a session come.
func (t *Table) release(ss *Session) {
	if !ss.inboxFull {
		return
	}
	ss.inboxFull, t.hungry = false, true
	if !ss.parked && !t.port.ResumeReceive(ss.assoc) {
		t.stuck--
	}
}

// unstall lets more come for a session as soon as there is room.
func (t *Table) unstall(ss *Session) {
	if ss.inboxFull {
		t.throttle(ss)
	}
}

// Stuck says that nothing is to be taken from the transport: an inbox is full, and
// the transport cannot leave one association alone unread.
func (t *Table) Stuck() bool { return t.stuck > 0 }
