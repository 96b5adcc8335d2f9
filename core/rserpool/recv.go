package rserpool

// RecvFlags say how TryRecv receives.
type RecvFlags uint8

const (
	// RecvPeek leaves the bytes to be received again.
	RecvPeek RecvFlags = 1 << iota
	// RecvDiscard drops what does not fit in the buffer.
	RecvDiscard
	// RecvMessages passes over cookie echoes and notifications.
	RecvMessages
)

// TryRecv copies the next message into b and describes it in info; a nil info
// implies RecvMessages. n is the number of bytes copied. When the message is longer
// than b the next calls continue it, and info.Left says how much is left (RFC
// 6458 section 4.1.8: partial delivery); messages of different sessions never
// mix. Only notifications lose what has no room. ErrWouldBlock means that there is none. When the session that Connect made
// has failed for good and nothing is left to receive, TryRecv returns why. The
// sessions of a Listener are received from by their Conns, and not here.
func (s *Socket) TryRecv(b []byte, info *RecvInfo, flags RecvFlags) (n int, err error) {
	if info == nil {
		flags |= RecvMessages
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return 0, ErrClosed
	}
	ss := s.nextArrival(flags)
	if ss == nil {
		s.dispatch() // perhaps its hook is on the way
		ss = s.nextArrival(flags)
	}
	if ss == nil {
		if s.failed() {
			return 0, s.own.err
		}
		return 0, ErrWouldBlock
	}
	n, done := s.take(ss, b, info, flags)
	if done {
		s.arrivals.pop()
	}
	if flags&RecvPeek == 0 {
		s.unstall(ss)
		s.updateReadiness()
	}
	return n, nil
}

// nextArrival returns the session of what is next, skipping what was dropped;
// or of the next message.
func (s *Socket) nextArrival(flags RecvFlags) *session {
	for s.arrivals.len() > 0 {
		ss := *s.arrivals.first()
		if ss.offers(flags) {
			return ss
		}
		if s.arrivals.pop(); ss.inbox.len() > 0 {
			s.take(ss, nil, nil, RecvDiscard)
			s.unstall(ss)
		}
	}
	return nil
}

// offers says whether the first item of the inbox is one to receive.
func (ss *session) offers(flags RecvFlags) bool {
	return ss.inbox.len() > 0 && (flags&RecvMessages == 0 || !ss.inbox.first().special())
}

// special says that it is no message.
func (m *incoming) special() bool { return m.note != nil || m.echo }

// take copies the next message of a session that has one, or its next part. done
// says that nothing of the message is left.
func (s *Socket) take(ss *session, b []byte, info *RecvInfo, flags RecvFlags) (n int, done bool) {
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
	s.drop(ss)
	return n, true
}

// drop ends the receipt of the next message of a session that has one.
func (s *Socket) drop(ss *session) {
	m := s.unload(ss)
	if m.special() {
		ss.read(m.note)
	} else {
		ss.taken++
		ss.touch()
	}
	ss.show()
	s.retire(ss)
}

// unload takes the next message of a session out of its inbox.
func (s *Socket) unload(ss *session) incoming {
	m := ss.inbox.pop()
	ss.inboxBytes -= len(m.data)
	if m.lent != 0 {
		s.consumed(m.lent, m.length)
	}
	return m
}
