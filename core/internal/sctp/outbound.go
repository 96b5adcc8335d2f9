package sctp

import (
	"cmp"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// outMessage is a message that was accepted for sending. TSN and SSN are
// assigned when its first fragment leaves, so that it is certain until then
// that no byte of it was on the wire (SCTP-3-04).
type outMessage struct {
	next        *outMessage
	data        []byte
	number      uint64 // order of submission
	context     uint64
	expires     time.Time // RFC 3758; zero = never
	ppid        uint32
	stream      uint16
	mid         uint32 // number in the stream, an SSN if it is not interleaved
	firstTSN    uint32 // of its first chunk
	unordered   bool
	sackNow     bool
	interleaved bool   // sent as I-DATA
	counted     bool   // in schedule.begun
	size        int    // of data
	taken       int    // bytes in chunks
	fragments   uint32 // made of it
	open        int    // chunks that are not yet cumulatively acknowledged
	abandoned   bool   // given up after it was sent (RFC 3758)
}

// outChunk is a DATA chunk that was sent and is not yet cumulatively
// acknowledged.
type outChunk struct {
	m      *outMessage
	path   *path // it was last sent to
	off, n int32 // payload in m.data
	fsn    uint32
	flags  uint8
	misses uint8
	acked  bool // by a gap ack block
	marked bool // to be retransmitted
	fast   bool // was marked by missing reports once (SCTP-3-72)
	gone   bool // its message was abandoned
}

func (c *outChunk) payload() []byte { return c.m.data[c.off : c.off+c.n] }
func (c *outChunk) size() int       { return chunk.DataSize(int(c.n), c.m.interleaved) }

// outbound is the sending side of an association.
type outbound struct {
	streams map[uint16]*outStream
	schedule
	number  uint64
	unsent  int // messages that no chunk was made of
	unacked int // messages with chunks outstanding
	queued  int // bytes of send buffer in use
	left    int // payload bytes that no chunk was made of

	chunks  ring[outChunk] // the first has the TSN acked+1
	nextTSN uint32
	acked   uint32 // cumulative TSN ack point

	window      int // peer's rwnd as we know it (SCTP-3-52)
	advertised  int // as it said last
	largest     int // that it ever said
	outstanding int // payload bytes in flight on all paths
	marked      int // chunks to retransmit
	gapAcked    int // chunks acknowledged by gap ack blocks
	firstMarked int // no chunk before this index is marked

	recovering bool   // Fast Recovery (section 7.2.4)
	recoverEnd uint32 // its exit point
	forced     bool   // one packet of marked chunks may ignore cwnd
	probing    bool   // one chunk may ignore the closed window
	probeWait  time.Duration
	heard      bool // a SACK came since the last timeout

	forwarding forwarding
}

// start sets the first TSN.
func (o *outbound) start(tsn uint32) {
	o.nextTSN = tsn
	o.acked = tsn - 1
}

func (o *outbound) empty() bool {
	return o.chunks.len() == 0 && !o.waiting()
}

// waiting says that there is something that no chunk was made of.
func (o *outbound) waiting() bool { return o.left > 0 }

// Send queues a message, copying b.
func (e *Endpoint) Send(now time.Time, b []byte, info *assoc.SendInfo) error {
	a := e.byID[info.Assoc]
	switch {
	case a == nil:
		return assoc.ErrNotConnected
	case a.state > established || a.closing:
		return assoc.ErrPipe // nothing is sent behind a shutdown (SCTP-4-06)
	case len(b) == 0: // SCTP has no empty messages (SCTP-3-06)
		return assoc.ErrInvalid
	case a.state == established && info.Stream >= a.outStreams, info.Stream >= a.params.OutStreams:
		return assoc.ErrInvalid
	case len(b) > a.params.MaxMessage:
		return assoc.ErrMessageSize
	case a.out.queued > 0 && a.out.queued+len(b)+messageOverhead > a.params.SendBuffer:
		a.waiting = true
		return assoc.ErrWouldBlock
	}
	a.out.enqueue(e.newMessage(now, b, info))
	a.refillBurst()
	a.wake()
	return nil
}

// newMessage copies what is to be sent.
func (e *Endpoint) newMessage(now time.Time, b []byte, info *assoc.SendInfo) *outMessage {
	m := e.messages.get()
	m.data = e.buffers.get(len(b))
	copy(m.data, b)
	m.size = len(b)
	m.context = info.Context
	m.ppid, m.stream, m.unordered, m.sackNow = info.PPID, info.Stream, info.Unordered, info.SackNow
	if info.Lifetime > 0 {
		m.expires = now.Add(info.Lifetime)
	}
	return m
}

// enqueue puts a message behind the others of its stream.
func (o *outbound) enqueue(m *outMessage) {
	o.number++
	m.number = o.number
	o.queued += m.size + messageOverhead
	o.left += m.size
	o.unsent++
	s := o.stream(m.stream)
	if s.head == nil {
		s.head = m
	} else {
		s.tail.next = m
	}
	s.tail = m
	o.place(s)
}

// stream returns the state of a stream, which exists from its first message
// on (SCTP-2-10).
func (o *outbound) stream(sid uint16) *outStream {
	s := o.streams[sid]
	if s == nil {
		s = new(outStream)
		if o.streams == nil {
			o.streams = make(map[uint16]*outStream)
		}
		o.streams[sid] = s
	}
	return s
}

// sendTooLate hands a message back whose lifetime ended before it was sent.
func (a *association) sendTooLate(s *outStream, m *outMessage) {
	a.out.end(s)
	a.out.pass()
	a.out.neverSent(m)
	a.notifyFailed(m, 0, assoc.ErrTimeout)
	a.freeMessage(m)
}

// failUnsendable hands back what was queued during the set-up for streams that
// the peer does not offer (section 5.1.1).
func (a *association) failUnsendable() {
	o := &a.out
	for _, m := range o.messagesLeft() {
		if m.taken > 0 || m.stream < a.outStreams {
			continue
		}
		o.removeStream(m.stream)
		o.neverSent(m)
		a.notifyFailed(m, chunk.CauseInvalidStream, assoc.ErrInvalid)
		a.freeMessage(m)
	}
}

// neverSent takes a message that no chunk was made of out of the accounts.
func (o *outbound) neverSent(m *outMessage) {
	o.unsent--
	o.left -= m.size
}

// removeStream takes a stream out of the schedule and forgets it.
func (o *outbound) removeStream(sid uint16) {
	if s := o.streams[sid]; s != nil {
		o.remove(s)
		delete(o.streams, sid)
	}
}

// cut makes the next chunk, of n bytes, of message m, whose stream has the turn.
func (o *outbound) cut(m *outMessage, n int, p *path, interleave bool) *outChunk {
	s := o.turn
	if m.taken == 0 {
		m.interleaved, m.firstTSN = interleave, o.nextTSN
		o.begin(s, m)
		if m.counted = m.interleaved && n < m.size; m.counted {
			o.begun += m.size
		}
	}
	c := outChunk{m: m, path: p, off: int32(m.taken), n: int32(n), fsn: m.fragments}
	if m.unordered {
		c.flags |= chunk.FlagUnordered
	}
	if m.taken == 0 {
		c.flags |= chunk.FlagBegin
	}
	m.taken += n
	m.fragments++
	m.open++
	o.left -= n
	if m.taken == m.size {
		c.flags |= chunk.FlagEnd
		if m.sackNow {
			c.flags |= chunk.FlagImmediate
		}
		o.end(s)
	}
	if m.interleaved || m.taken == m.size {
		o.pass()
	}
	return o.chunks.push(c)
}

// settle is called for a chunk that was cumulatively acknowledged.
func (a *association) settle(m *outMessage) {
	m.open--
	if m.open > 0 || m.taken < m.size {
		return
	}
	if m.abandoned { // and handed back
		*m = outMessage{}
		a.e.messages.put(m)
		return
	}
	a.out.unacked--
	a.freeMessage(m)
}

// freeMessage gives the memory of a message and its share of the send buffer
// back.
func (a *association) freeMessage(m *outMessage) {
	if m.data != nil { // it was not handed back
		a.e.buffers.put(m.data[:0])
	}
	a.out.queued -= m.size + messageOverhead
	*m = outMessage{}
	a.e.messages.put(m)
	a.room()
}

// room announces that a sender who had to wait can go on (SCTP-3-08).
func (a *association) room() {
	if a.waiting && !a.dead && a.out.queued <= a.params.SendBuffer/2 {
		a.waiting = false
		a.e.writable = append(a.e.writable, a.id)
	}
}

// Writable pops an association whose Send had returned ErrWouldBlock and
// whose send buffer is at least half free again.
func (e *Endpoint) Writable() (assoc.ID, bool) {
	if len(e.writable) == 0 {
		return 0, false
	}
	id := e.writable[0]
	e.writable = slices.Delete(e.writable, 0, 1)
	return id, true
}

// messagesLeft returns the messages that are not known to have arrived, in
// the order of their submission.
func (o *outbound) messagesLeft() []*outMessage {
	var left []*outMessage
	for i := range o.chunks.len() {
		if m := o.chunks.at(i).m; !m.abandoned && (len(left) == 0 || left[len(left)-1] != m) {
			left = append(left, m)
		}
	}
	for _, s := range o.streams { // any order: sorted below
		for m := s.head; m != nil; m = m.next {
			left = append(left, m)
		}
	}
	slices.SortFunc(left, func(x, y *outMessage) int { return cmp.Compare(x.number, y.number) })
	return slices.Compact(left) // those under way were there more than once
}

// failMessages hands back everything that is not known to have arrived and
// empties the queue (SCTP-4-01, SCTP-4-02).
func (a *association) failMessages(cause chunk.Cause, err error) {
	o := &a.out
	for _, m := range o.messagesLeft() {
		a.notifyFailed(m, cause, err)
		*m = outMessage{}
		a.e.messages.put(m)
	}
	number := o.number
	*o = outbound{number: number}
}

// release is for an association that is gone; failMessages was called.
func (o *outbound) release(a *association) {
	for _, m := range o.messagesLeft() {
		a.e.buffers.put(m.data[:0])
		*m = outMessage{}
		a.e.messages.put(m)
	}
	*o = outbound{}
}
