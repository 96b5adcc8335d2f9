package session

import "time"

// RecvFlags say how Receive receives.
type RecvFlags uint8

// What they say; rserpool explains them.
const (
	RecvPeek     RecvFlags = 1 << iota // the bytes are to be received again
	RecvDiscard                        // what does not fit in the buffer is dropped
	RecvMessages                       // cookie echoes and notifications are passed over
)

// Receive copies what came first for any session into b and describes it in info,
// which may be nil; ErrWouldBlock means that there is none. Of what is longer than b
// the rest remains, but for notifications. It is in vain with Config.PerSession.
func (t *Table) Receive(now time.Time, b []byte, info *RecvInfo, flags RecvFlags) (n int, err error) {
	t.now = now
	ss := t.nextArrival(flags)
	if ss == nil {
		return 0, ErrWouldBlock
	}
	n, done := t.take(ss, b, info, flags)
	if done {
		t.arrivals.pop()
	}
	if flags&RecvPeek == 0 {
		t.unstall(ss)
	}
	return n, nil
}

// Arrived says that Receive would return something.
func (t *Table) Arrived() bool { return t.nextArrival(0) != nil }

// nextArrival returns the session of what is next, skipping what was dropped;
// or of the next message.
func (t *Table) nextArrival(flags RecvFlags) *Session {
	for t.arrivals.len() > 0 {
		ss := *t.arrivals.first()
		if ss.offers(flags) {
			return ss
		}
		if t.arrivals.pop(); ss.inbox.len() > 0 {
			t.take(ss, nil, nil, RecvDiscard)
			t.unstall(ss)
		}
	}
	return nil
}

// ReceiveFrom is Receive for one session.
func (t *Table) ReceiveFrom(now time.Time, ss *Session, b []byte, info *RecvInfo, flags RecvFlags) (n int, err error) {
	t.now = now
	if !t.skip(ss, flags) {
		return 0, ErrWouldBlock
	}
	n, _ = t.take(ss, b, info, flags)
	if flags&RecvPeek == 0 {
		t.unstall(ss)
	}
	return n, nil
}

// Take returns what came first for a session, which belongs to the caller, and
// describes it in info.
func (t *Table) Take(now time.Time, ss *Session, info *RecvInfo) (b []byte, err error) {
	t.now = now
	if ss.inbox.len() == 0 {
		return nil, ErrWouldBlock
	}
	b = ss.inbox.first().data
	t.take(ss, nil, info, RecvDiscard)
	info.Left = 0
	t.unstall(ss)
	return b, nil
}

// skip drops what is not wanted, and says whether anything is left.
func (t *Table) skip(ss *Session, flags RecvFlags) bool {
	for ss.inbox.len() > 0 {
		if ss.offers(flags) {
			return true
		}
		t.take(ss, nil, nil, RecvDiscard)
		t.unstall(ss)
	}
	return false
}

// offers says whether the first item of the inbox is one to receive.
func (ss *Session) offers(flags RecvFlags) bool {
	return ss.inbox.len() > 0 && (flags&RecvMessages == 0 || !ss.inbox.first().special())
}

// take copies the next message of a session that has one, or its next part. done
// says that nothing of the message is left.
func (t *Table) take(ss *Session, b []byte, info *RecvInfo, flags RecvFlags) (n int, done bool) {
	m := ss.inbox.first()
	n = copy(b, m.data)
	if info != nil {
		*info = RecvInfo{
			Session: ss.id, PE: m.pe, Stream: m.stream, PPID: m.ppid, Unordered: m.unordered,
			Left: len(m.data) - n, Length: m.length, CookieEcho: m.echo, Notification: m.note,
		}
	}
	if flags&RecvPeek != 0 {
		return n, false
	}
	if n < len(m.data) && m.note == nil && flags&RecvDiscard == 0 {
		m.data = m.data[n:]
		ss.inboxBytes -= n
		return n, false
	}
	t.drop(ss)
	return n, true
}

// drop ends the receipt of the next message of a session that has one.
func (t *Table) drop(ss *Session) {
	m := t.unload(ss)
	if m.special() {
		ss.read(m.note)
	} else {
		ss.taken++
		t.touch(ss)
	}
	t.tell(ss, newsLess)
	t.lookParting(ss)
	t.retire(ss)
}

// unload takes the next message of a session out of its inbox.
func (t *Table) unload(ss *Session) incoming {
	m := ss.inbox.pop()
	ss.inboxBytes -= len(m.data)
	if m.lent != 0 {
		t.consumed(m.lent, m.length)
	}
	return m
}

// deliver puts something into the inbox of a session.
func (t *Table) deliver(ss *Session, m incoming) {
	m.length = len(m.data)
	ss.inbox.push(m)
	ss.inboxBytes += len(m.data)
	if !t.cfg.PerSession {
		t.arrivals.push(ss)
	}
	t.tell(ss, newsRead)
	t.lookParting(ss)
	t.throttle(ss)
}
