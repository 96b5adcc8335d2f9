package sctp

import "time"

// Streams take turns (RFC 8260 section 3.2, SCTP-3-07). With DATA a turn is a
// message, whose fragments have consecutive TSNs (SCTP-3-02). With I-DATA a turn
// is a chunk, so that a short message waits for no long one.
//
// A stream that had nothing to send, and now has a short message, comes before
// those that are in the round: likely somebody waits for it. It keeps a place in
// the round when it is empty again, and has no such advantage before the round has
// come to that, so that the round goes on whatever the short ones are.
//
// A receiver can give its user nothing of the messages that are under way. Were
// more of them than its buffer holds, none would ever be complete; so a message of
// several fragments begins only if there is room for all of it beside the others
// (mayBegin, SCTP-3-154). Short ones have more of it than long ones.
type schedule struct {
	fresh, round streamList
	parked       streamList // their next message may not begin yet
	turn         *outStream // whose turn it is
	begun        int        // bytes of messages, of several fragments, under way
}

// outStream holds the messages of a stream that wait for their turn; the first
// may be under way.
type outStream struct {
	next, nextUnordered uint32 // number of the next message
	head, tail          *outMessage
	placed              bool // has the turn, or is in a list of the schedule
	behind              *outStream
}

// streamList is a queue of streams, each of which is in one.
type streamList struct{ head, tail *outStream }

func (l *streamList) push(s *outStream) {
	s.behind = nil
	if l.tail == nil {
		l.head = s
	} else {
		l.tail.behind = s
	}
	l.tail = s
}

func (l *streamList) pop() *outStream {
	s := l.head
	if s == nil {
		return nil
	}
	l.head, s.behind = s.behind, nil
	if l.head == nil {
		l.tail = nil
	}
	return s
}

// remove takes a stream out, if it is there.
func (l *streamList) remove(gone *outStream) {
	var rest streamList
	for s := l.pop(); s != nil; s = l.pop() {
		if s != gone {
			rest.push(s)
		}
	}
	*l = rest
}

// join moves all streams of other to the end.
func (l *streamList) join(other *streamList) {
	for s := other.pop(); s != nil; s = other.pop() {
		l.push(s)
	}
}

// place gives a stream that has something to send its place.
func (d *schedule) place(s *outStream) {
	switch {
	case s.placed:
		return
	case s.head.size <= shortMessage:
		d.fresh.push(s)
	default:
		d.round.push(s)
	}
	s.placed = true
}

// pass ends the turn.
func (d *schedule) pass() {
	if d.turn != nil {
		d.round.push(d.turn)
		d.turn = nil
	}
}

func (d *schedule) remove(s *outStream) {
	if d.turn == s {
		d.turn = nil
	}
	for _, l := range []*streamList{&d.fresh, &d.round, &d.parked} {
		l.remove(s)
	}
}

// next returns the stream whose turn it is, or nil.
func (a *association) next() *outStream {
	d := &a.out.schedule
	for d.turn == nil {
		s := d.fresh.pop()
		if s == nil {
			s = d.round.pop()
		}
		switch {
		case s == nil:
			return nil
		case s.head == nil:
			s.placed = false // its place was all it had
		case a.mayBegin(s.head):
			d.turn = s
		default:
			d.parked.push(s)
		}
	}
	return d.turn
}

// shortMessage is the size of a message that need not wait for longer ones, and may
// use what those have to leave.
const shortMessage = 64 << 10

// mayBegin says that the peer can hold the message beside those that are under
// way already.
func (a *association) mayBegin(m *outMessage) bool {
	o := &a.out
	return !a.interleave || m.taken > 0 || o.begun == 0 || m.size <= a.maxPayload() || o.hasRoom(m)
}

// hasRoom says that the peer has room for a message of several fragments beside
// those under way.
func (o *outbound) hasRoom(m *outMessage) bool {
	room := o.largest / 2
	if m.size <= shortMessage {
		room += o.largest / 4
	}
	return o.begun+m.size <= room
}

// peek returns the message that the next new chunk comes from, or nil.
// Messages whose lifetime ended before they were sent go back (SCTP-3-143).
func (a *association) peek(now time.Time) *outMessage {
	for s := a.next(); s != nil; s = a.next() {
		m := s.head
		switch {
		case a.state == cookieEchoed && m.stream >= a.outStreams:
			return nil // failUnsendable gives it back
		case !a.expired(m, now):
			return m
		case m.taken > 0:
			a.abandonRest(m)
		default:
			a.sendTooLate(s, m)
		}
	}
	return nil
}

// begin gives the message that peek returned its number (SCTP-3-05).
func (o *outbound) begin(s *outStream, m *outMessage) {
	number := &s.next
	if m.unordered && m.interleaved {
		number = &s.nextUnordered
	}
	if !m.unordered || m.interleaved {
		m.mid = *number
		*number++
	}
	o.unsent--
	o.unacked++
}

// end takes the message whose turn it is, all of which is in chunks or given up,
// out of its stream, and lets others begin.
func (o *outbound) end(s *outStream) {
	m := s.head
	if m.counted {
		m.counted = false
		o.begun -= m.size
		o.round.join(&o.parked)
	}
	if s.head, m.next = m.next, nil; s.head == nil {
		s.tail = nil
	}
}
