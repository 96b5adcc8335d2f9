package socket

// EventKind says what an Event is.
type EventKind uint8

// What is observed; rserpool.Trace explains it.
const (
	RegistrarFound EventKind = iota + 1
	RegistrarLost
	Registered
	Waiting
	SessionEvent
)

// Event is something that happened to a socket.
type Event struct {
	Kind      EventKind
	Registrar string
	Peer      Name         // of a session; Registered: the socket's own
	Session   Notification // SessionEvent
	Err       error
}

// observe keeps an event for Config.Observe, with the socket locked.
func (s *Socket) observe(e Event) {
	if s.cfg.Observe != nil {
		s.events = append(s.events, e)
	}
}

// observeSessions takes those of sessions.
func (s *Socket) observeSessions() {
	for _, o := range s.table.Observed() {
		s.observe(Event{Kind: SessionEvent, Peer: o.Peer, Session: o.Notification, Err: o.Err})
	}
}

// observed are the events that nobody is being told of, with the socket locked: one
// goroutine at a time tells them, in their order, without the lock.
func (s *Socket) observed() (events []Event) {
	if !s.telling {
		events, s.events = s.events, nil
	}
	s.telling = s.telling || len(events) > 0
	return events
}

// tellObserver tells events, and returns those that have come meanwhile.
func (s *Socket) tellObserver(events []Event) (more []Event) {
	defer func() { // also when the observer panics
		s.mu.Lock()
		s.telling = false
		more = s.observed()
		s.mu.Mutex.Unlock()
	}()
	for _, e := range events {
		s.cfg.Observe(e)
	}
	return nil
}
