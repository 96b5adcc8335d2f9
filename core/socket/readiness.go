package socket

// readiness is what the hooks of a socket or of a session were told last.
type readiness struct {
	readable, writable         bool
	readableHook, writableHook func(bool)
}

// install tells the hooks the present state.
func (r *readiness) install(readable, writable bool, readableHook, writableHook func(bool)) {
	*r = readiness{readable: readable, writable: writable, readableHook: readableHook, writableHook: writableHook}
	readableHook(readable)
	writableHook(writable)
}

// tell tells the hooks about edges.
func (r *readiness) tell(readable, writable bool) {
	if readable != r.readable {
		r.readable = readable
		r.readableHook(readable)
	}
	if writable != r.writable {
		r.writable = writable
		r.writableHook(writable)
	}
}

// Hooks installs functions that follow the socket's readiness. Each is called
// at once with the present state, then on every change, in the order of the
// changes. Readable means that TryRecv, or the TryAccept of its Listener, returns
// something other than ErrWouldBlock; writable that there is a session whose
// TrySend does not return ErrWouldBlock, as far as is known, or none at all. Who
// waits for one of several sessions uses AwaitRoom, or SendReady. They are called with the socket locked: they
// must be brief and must not call it.
func (s *Socket) Hooks(readable, writable func(bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready.install(s.isReadable(), s.isWritable(), readable, writable)
}

// updateReadiness tells the hooks about edges, with the socket locked.
func (s *Socket) updateReadiness() {
	if s.ready.readableHook != nil {
		s.ready.tell(s.isReadable(), s.isWritable())
	}
}

func (s *Socket) isReadable() bool {
	return s.closing || s.table.Pending() != nil || s.table.Arrived() || s.failed()
}

// failed says that the session of Connect stood and has failed for good, which
// TryRecv has to tell. One that never stood is Connect's to report.
func (s *Socket) failed() bool {
	own := s.table.Own()
	return own != nil && own.Stood() && own.Ended()
}

// isWritable: until a session refused a message there is room, and as long as
// another one has not.
func (s *Socket) isWritable() bool { return s.closing || s.table.Room() }

// Hooks is Socket.Hooks for the session: its TryRecv, TrySend and TrySendCookie.
func (c *Conn) Hooks(readable, writable func(bool)) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.ss.ready.install(c.ss.Readable(), c.ss.Writable(), readable, writable)
}

// show tells the hooks of a session about edges, with the socket locked.
func (ss *attended) show() {
	if ss.ready.readableHook != nil {
		ss.ready.tell(ss.Readable(), ss.Writable())
	}
}
