package rserpool

// TryRecv copies the next message into b and describes it in info, which may
// be nil. n is the number of bytes copied; what does not fit in b is lost and
// info.Truncated set. With peek the message stays to be received again.
// ErrWouldBlock means that there is none. When the session that Connect made
// has failed for good and nothing is left to receive, TryRecv returns why.
func (s *Socket) TryRecv(b []byte, info *RecvInfo, peek bool) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return 0, ErrClosed
	}
	ss := s.nextArrival()
	if ss == nil {
		s.dispatch() // perhaps its hook is on the way
		ss = s.nextArrival()
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
		s.unstall()
		s.updateReadiness()
	}
	return n, nil
}

// nextArrival returns the session of the next message, skipping those whose
// messages were dropped.
func (s *Socket) nextArrival() *session {
	for s.arrivals.len() > 0 {
		if ss := *s.arrivals.first(); ss.inbox.len() > 0 {
			return ss
		}
		s.arrivals.pop()
	}
	return nil
}

// take copies the next message of a session that has one.
func (s *Socket) take(ss *session, b []byte, info *RecvInfo, peek bool) int {
	m := ss.inbox.first()
	n := copy(b, m.data)
	if info != nil {
		*info = RecvInfo{
			Session: ss.id, PE: m.pe, Stream: m.stream, PPID: m.ppid, Unordered: m.unordered,
			Truncated: n < len(m.data), Length: len(m.data),
		}
	}
	if !peek {
		s.inboxBytes -= len(m.data)
		ss.inbox.pop()
		s.retire(ss)
	}
	return n
}

// unstall receives again as soon as there is room. Control messages stand in
// one queue with the data: the sooner they get through, the better.
func (s *Socket) unstall() {
	if s.stalled && s.inboxBytes < s.cfg.ReceiveBuffer {
		s.dispatch()
	}
}
