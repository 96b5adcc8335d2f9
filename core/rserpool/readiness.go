package rserpool

// readiness is what the hooks were told last.
type readiness struct {
	readable, writable         bool
	readableHook, writableHook func(bool)
}

// Hooks installs functions that follow the socket's readiness. Each is called
// at once with the present state, then on every change, in the order of the
// changes. Readable means that TryRecv returns something other than
// ErrWouldBlock, writable that TrySend does not return ErrWouldBlock, as far as
// is known. They are called with the socket locked: they must be brief and must
// not call it.
func (s *Socket) Hooks(readable, writable func(bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = readiness{
		readable: s.isReadable(), writable: s.isWritable(), readableHook: readable, writableHook: writable,
	}
	readable(s.ready.readable)
	writable(s.ready.writable)
}

// updateReadiness tells the hooks about edges, with the socket locked.
func (s *Socket) updateReadiness() {
	if s.ready.readableHook == nil {
		return
	}
	if now := s.isReadable(); now != s.ready.readable {
		s.ready.readable = now
		s.ready.readableHook(now)
	}
	if now := s.isWritable(); now != s.ready.writable {
		s.ready.writable = now
		s.ready.writableHook(now)
	}
}

func (s *Socket) isReadable() bool {
	return s.closing || s.nextArrival(false) != nil || s.failed()
}

// failed says that the session of Connect stood and has failed for good, which
// TryRecv has to tell. One that never stood is Connect's to report.
func (s *Socket) failed() bool { return s.own != nil && s.own.stood && s.own.state == ended }

// isWritable: until a session refused a message there is room, and then again
// from the moment that any has some.
func (s *Socket) isWritable() bool { return s.closing || !s.full }
