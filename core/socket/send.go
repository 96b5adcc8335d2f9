package socket

import "time"

// TrySend sends one message. A nil info means the zero SendInfo. ErrWouldBlock
// means that there is no room: the writable hook tells when to try again. A
// message that was accepted reaches the element that serves the session, or
// the next one.
func (s *Socket) TrySend(b []byte, info *SendInfo) error {
	if info == nil {
		info = &SendInfo{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send(b, info)
}

// send is TrySend with the socket locked.
func (s *Socket) send(b []byte, info *SendInfo) error {
	ss, err := s.session(info.Session)
	if err != nil {
		return err
	}
	return s.table.Send(time.Now(), ss, b, info)
}
