package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/session"
)

// The promise of sessions (rserpool.h, Delivery), held against what happens: within a
// session to one element every message arrives exactly once and in order. When the
// element fails, what the transport did not deliver goes to the next one, in order and
// before newer messages; what the old one had received and not answered is in doubt, and
// FailoverBegun says how much that is. With Replay the state that travels in cookies
// reflects every message exactly once.

// conversation is what a PU has said on one session, and what became of it.
type conversation struct {
	w        *World
	id       uint32
	user     *endpointProgram
	session  *session.Session
	replay   bool
	hold     bool
	over     bool
	requests []asked // by number, from 1

	at       assoc.ID // the association that serves it
	handed   []*sending
	newest   uint64 // of the ordered requests that at was given
	answers  int    // that came from it
	moved    bool   // at is not the first one
	repaired bool   // hold: at was told what it has to know
	cookie   bool   // the PU has one
	echoes   bool   // and at begins with it
	doubts   []int  // how many messages were in doubt, of failovers that the program has not read of
	doubt    int    // in all
}

// asked is one request.
type asked struct {
	unordered, bounded bool
	sent               []*sending // each time that a transport took it
	answered           int
	undelivered        bool
}

// begin begins a conversation.
func (w *World) begin(e *endpointProgram, ss *session.Session) *conversation {
	o := ss.Options()
	c := &conversation{w: w, id: uint32(len(w.conversations)), user: e, session: ss, replay: o.Replay, hold: o.HoldFailover}
	w.conversations = append(w.conversations, c)
	return c
}

func (c *conversation) fail(format string, args ...any) {
	c.w.fail("session %d of %s: "+format, append([]any{c.session.ID(), c.user.host.name}, args...)...)
}

// accept notes the next request, which is about to be sent; refuse takes it back.
func (c *conversation) accept(info session.SendInfo) (n uint64) {
	c.requests = append(c.requests, asked{unordered: info.Unordered, bounded: info.Lifetime > 0})
	return uint64(len(c.requests))
}

func (c *conversation) refuse() { c.requests = c.requests[:len(c.requests)-1] }

// arrives notes what the transport of a PU tells, when it does.
func (c *conversation) arrives(info *assoc.RecvInfo, b []byte) {
	switch kind, of, _ := c.w.decodeBody(b); {
	case info.Kind == assoc.Message && kind == answer && of == c && info.Assoc == c.at:
		c.answers++
	case info.Kind == assoc.CommUp && info.Assoc == c.session.Assoc():
		c.moved = c.at != 0
		c.at, c.handed, c.newest, c.answers, c.repaired, c.echoes = info.Assoc, nil, 0, 0, false, c.cookie
	case info.Kind == assoc.CommLost || info.Kind == assoc.ShutdownComplete:
		if info.Assoc == c.at {
			c.doubts = append(c.doubts, c.inDoubt())
		}
	}
}

// inDoubt is how many messages nobody can vouch for: a transport took them, has not given
// them back, and no answer came.
func (c *conversation) inDoubt() (n int) {
	if c.replay {
		return 0
	}
	for _, s := range c.handed {
		if !s.returned {
			n++
		}
	}
	return max(n-c.answers, 0)
}

// keepsCookie notes that the PU has got a cookie.
func (c *conversation) keepsCookie(b []byte) { c.cookie = session.CarriesState(b) }

// handed checks what a session gives the transport of a PU.
func (w *World) handed(e *end, s *sending) {
	kind, c, n := w.decodeBody(s.data)
	if c == nil || kind == answer || s.info.PPID == protocol.PPIDASAP {
		return
	}
	if c.at != e.id {
		c.fail("request %d is sent to an element that does not serve it", n)
	}
	s.echoed = c.echoes
	c.handed = append(c.handed, s)
	switch {
	case kind == repair:
		c.repaired = true
	case c.hold && c.moved && !c.repaired:
		c.fail("request %d goes ahead of what the program wants to say first", n)
	default:
		c.handedRequest(s, n)
	}
}

func (c *conversation) handedRequest(s *sending, n uint64) {
	r := &c.requests[n-1]
	for _, before := range r.sent {
		if !before.returned && !c.replay {
			c.fail("request %d is sent again, although it was not given back", n)
		}
	}
	if r.undelivered {
		c.fail("request %d is sent although it was said to be undelivered", n)
	}
	r.sent = append(r.sent, s)
	if r.unordered {
		return
	}
	if n <= c.newest {
		c.fail("request %d is sent behind %d", n, c.newest)
	}
	for m := c.newest + 1; m < n && !c.replay; m++ {
		if !c.requests[m-1].settled() {
			c.fail("request %d is sent, and %d is forgotten", n, m)
		}
	}
	c.newest = n
}

// settled says that an ordered request need not be sent before younger ones: it was
// taken by a transport which has not given it back, or its time is over.
func (r *asked) settled() bool {
	if r.unordered || r.bounded || r.undelivered {
		return true
	}
	return len(r.sent) > 0 && !r.sent[len(r.sent)-1].returned
}

// delivered checks what a PE receives.
func (c *conversation) delivered(e *endpointProgram, s *serving, kind bodyKind, n uint64, unordered bool) {
	if s.seen == nil {
		s.seen = map[uint64]bool{}
	}
	if kind == repair {
		return
	}
	switch {
	case n == 0 || n > uint64(len(c.requests)):
		c.fail("%s receives request %d, which was not sent", e.host.name, n)
	case s.seen[n]:
		c.fail("%s receives request %d twice", e.host.name, n)
	case !unordered && n < s.newest:
		c.fail("%s receives request %d behind %d", e.host.name, n, s.newest)
	case c.replay && n != s.last+1:
		c.fail("%s receives request %d in the state after %d", e.host.name, n, s.last)
	}
	s.seen[n] = true
	if !unordered {
		s.newest = n
	}
}

// answered notes an answer, which the PU has received.
func (c *conversation) answered(n uint64) {
	if n > 0 {
		c.requests[n-1].answered++
	}
}

// undelivered notes that a message will not arrive.
func (c *conversation) undelivered(b []byte) {
	if kind, _, n := c.w.decodeBody(b); kind == request {
		c.requests[n-1].undelivered = true
	}
}

// failoverBegun checks how many messages are said to be in doubt.
func (c *conversation) failoverBegun(n *session.Notification) {
	if len(c.doubts) == 0 {
		c.fail("a failover begins without reason")
		return
	}
	want := c.doubts[0]
	if c.doubts = c.doubts[1:]; n.InDoubt != want {
		c.fail("%d messages are said to be in doubt, and %d are", n.InDoubt, want)
	}
	if n.Err == nil && n.InDoubt > 0 {
		c.fail("%d messages are in doubt, although the element took leave", n.InDoubt)
	}
	c.doubt += n.InDoubt
}

func (c *conversation) failoverCompleted(n *session.Notification) {
	if n.New == 0 || n.Old == 0 {
		c.fail("it moves from %v to %v", n.Old, n.New)
	}
}

// unanswered counts the requests of which nothing is known.
func (c *conversation) unanswered() (n int) {
	for i := range c.requests {
		if r := &c.requests[i]; r.answered == 0 && !r.undelivered {
			n++
		}
	}
	return n
}

// checkSessions: what sessions keep is bounded. A session keeps what its options
// allow, and one message more.
func (c *checks) checkSessions() {
	for _, h := range c.w.hosts {
		e := h.endpoint()
		if e == nil {
			continue
		}
		most := session.Size{Sessions: 8 * len(c.w.hosts), Associations: 8 * len(c.w.hosts), Deadlines: 8 * len(c.w.hosts)}
		if s := e.table.Size(); s.Sessions > most.Sessions || s.Associations > most.Associations || s.Deadlines > most.Deadlines || s.Lookups > 0 {
			c.w.fail("%s keeps %+v, not %+v at most", h.name, s, most)
		}
		for _, ss := range e.table.Sessions() {
			o, st := ss.Options(), e.table.Stats(ss)
			usual := e.role.options() // who shrinks has what it had already
			o.SendBuffer, o.ReceiveBuffer = max(o.SendBuffer, usual.SendBuffer), max(o.ReceiveBuffer, usual.ReceiveBuffer)
			if queued := st.Queued; queued > 2*o.SendBuffer+e.role.App.Size { // what came back, and what waits
				c.w.fail("%s keeps %d bytes to send, its buffer has %d", h.name, queued, o.SendBuffer)
			}
			c.checkWindow(e, ss, &st)
			if st.Receiving.Bytes > o.ReceiveBuffer+max(e.role.App.Size, session.MaxCookie) {
				c.w.fail("%s keeps %d bytes that were received, its buffer has %d", h.name, st.Receiving.Bytes, o.ReceiveBuffer)
			}
		}
	}
}

// checkWindow: a session that has nothing unread leaves its peer half of the window at
// least, however small that is.
func (c *checks) checkWindow(e *endpointProgram, ss *session.Session, st *session.Stats) {
	end := e.port.ends[ss.Assoc()]
	if end == nil || st.Receiving.Messages > 0 || e.host.hung || len(e.host.proc.waiting) > 0 {
		return
	}
	if end.unread > end.receiveBuffer()/2 {
		c.w.fail("%s keeps %d bytes of the window of session %d, which has %d, and has read everything", e.host.name, end.unread, ss.ID(), end.receiveBuffer())
	}
}

// checkRoom: who had no room for a message has been told when there is some, also
// where buffers have become larger in the meantime.
func (w *World) checkRoom() {
	for _, h := range w.hosts {
		e := h.endpoint()
		if e == nil {
			continue
		}
		for _, p := range h.proc.ports {
			for _, id := range slices.Sorted(maps.Keys(p.ends)) {
				x := p.ends[id]
				if x.state == standing && x.refused && x.queued == 0 {
					w.fail("%s waits for room towards %v, and all of it is there", h.name, x.peer)
				}
			}
		}
		for _, ss := range e.table.Sessions() {
			waits := e.app.blocked && e.app.talk != nil && e.app.talk.session == ss || e.app.serves[ss] != nil && e.app.serves[ss].pending != nil
			if waits && ss.Writable() && !ss.Over() {
				w.fail("the program of %s has room on session %d, and is not told", h.name, ss.ID())
			}
			if st := e.table.Stats(ss); waits && st.State == session.Established && st.Sending.Bytes == 0 && st.Uncovered == 0 {
				w.fail("the program of %s waits for room on session %d, which has nothing to send", h.name, ss.ID())
			}
		}
	}
}

// restLag is how long answers may take in the slowest world.
const restLag = 5 * time.Second

// checkPromises checks at rest what was promised in the end: whatever was sent was
// answered, given back, or said to be in doubt.
func (w *World) checkPromises() {
	for _, c := range w.conversations {
		if c.over || c.user.host.endpoint() != c.user || c.session.State() != session.Established {
			continue
		}
		recent := int(restLag/max(c.user.role.App.Every, 1)) + 1
		if c.user.role.App.Every == 0 || c.user.app.blocked {
			recent = len(c.requests)
		}
		if n := c.unanswered(); n > c.doubt+recent {
			c.fail("%d requests are not answered, %d were said to be in doubt", n, c.doubt)
		}
	}
}
