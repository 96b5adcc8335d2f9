package rserpool

// TryRecv copies the next message into b and describes it in info. A nil info
// means that only messages are wanted: cookie echoes and notifications are
// passed over. n is the number of bytes copied; what does not fit in b is lost and
// info.Truncated set. With peek the message stays to be received again.
// ErrWouldBlock means that there is none. When the session that Connect made
// has failed for good and nothing is left to receive, TryRecv returns why.
func (s *Socket) TryRecv(b []byte, info *RecvInfo, peek bool) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return 0, ErrClosed
	}
	ss := s.nextArrival(info == nil)
	if ss == nil {
		s.dispatch() // perhaps its hook is on the way
		ss = s.nextArrival(info == nil)
	}
	if ss == nil {
		if s.failed() {
			return 0, s.own.err
		}
		return 0, ErrWouldBlock
	}
	n = s.take(ss, b, info, peek)
	if !peek {
		s.arrivals.pop()
		s.unstall(ss)
		s.updateReadiness()
	}
	return n, nil
}

// nextArrival returns the session of what is next, skipping what was dropped;
// or of the next message.
func (s *Socket) nextArrival(messages bool) *session {
	for s.arrivals.len() > 0 {
		ss := *s.arrivals.first()
		if ss.inbox.len() > 0 && !(messages && ss.inbox.first().special()) {
			return ss
		}
		if s.arrivals.pop(); ss.inbox.len() > 0 {
			s.take(ss, nil, nil, false)
			s.unstall(ss)
		}
	}
	return nil
}

// special says that it is no message.
func (m *incoming) special() bool { return m.note != nil || m.echo }

// take copies the next message of a session that has one.
func (s *Socket) take(ss *session, b []byte, info *RecvInfo, peek bool) int {
	m := ss.inbox.first()
	n := copy(b, m.data)
	if info != nil {
		*info = RecvInfo{
			Session: ss.id, PE: m.pe, Stream: m.stream, PPID: m.ppid, Unordered: m.unordered,
			Truncated: n < len(m.data), Length: len(m.data), CookieEcho: m.echo, Notification: m.note,
		}
	}
	if !peek {
		ss.inboxBytes -= len(m.data)
		ss.read(m.note)
		if !m.special() {
			ss.taken++
			ss.touch()
		}
		ss.inbox.pop()
		s.retire(ss)
	}
	return n
}

// unstall lets more come for a session as soon as there is room.
func (s *Socket) unstall(ss *session) {
	if ss.held {
		if s.throttle(ss); !ss.held {
			s.dispatch()
		}
	}
}
