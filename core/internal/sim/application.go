package sim

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/session"
)

// App is what the application of a PE or PU does with sessions. The PU sends
// requests that are numbered, and the PE answers each with its number.
type App struct {
	// Every is the pause between two requests; 0: a PU sends none.
	Every time.Duration
	// Size is that of requests and answers, at least headSize.
	Size int
	// Unordered and Bounded are how many requests in a hundred may overtake others,
	// or have a lifetime.
	Unordered, Bounded int
	// Options of sessions; Notifications are all.
	Options session.Options
	// Cookie makes a PE leave a cookie after so many requests; 0: none.
	Cookie int
	// PoolKey seals the cookies.
	PoolKey []byte
	// Kernel: the transport cannot lend, as the kernel's SCTP.
	Kernel bool
}

// options are those that sessions begin with.
func (r *Role) options() session.Options {
	o := r.App.Options
	o.Notifications = session.NotifyAll
	o, err := o.Resolve()
	if err != nil {
		panic(err)
	}
	return o
}

// bodyKind is what a message of the application is.
type bodyKind uint8

const (
	request bodyKind = iota + 1
	repair           // what HoldFailover lets a program say first
	answer
)

// headSize is how long the head of a message is: kind, conversation and number.
const headSize = 13

func encodeBody(kind bodyKind, of *conversation, n uint64, size int) []byte {
	b := make([]byte, max(size, headSize))
	b[0] = byte(kind)
	binary.BigEndian.PutUint32(b[1:], of.id)
	binary.BigEndian.PutUint64(b[5:], n)
	return b
}

// decodeBody reads a message; of is nil for what is none.
func (w *World) decodeBody(b []byte) (kind bodyKind, of *conversation, n uint64) {
	if len(b) < headSize {
		return 0, nil, 0
	}
	id := binary.BigEndian.Uint32(b[1:])
	if int(id) >= len(w.conversations) {
		return 0, nil, 0
	}
	return bodyKind(b[0]), w.conversations[id], binary.BigEndian.Uint64(b[5:])
}

// traceData tells of a message of applications.
func (w *World) traceData(from, to *Host, b []byte) {
	if kind, of, n := w.decodeBody(b); w.Trace != nil && of != nil {
		w.trace(from, to, "%s %d", [...]string{request: "request", repair: "repair", answer: "answer"}[kind], n)
	}
}

// application is the program of a PE or PU.
type application struct {
	e       *endpointProgram
	talk    *conversation // of the PU's session
	blocked bool          // the PU's next request has no room
	serves  map[*session.Session]*serving
	deaf    bool // it does not read for some time
}

// serving is what a PE knows of a session: its state is the number of the last request.
type serving struct {
	of      *conversation
	last    uint64 // the state
	since   int    // requests since the last cookie
	newest  uint64 // of the ordered requests of this session
	seen    map[uint64]bool
	pending []byte // an answer that has no room
}

// changed is told what is new about a session.
func (a *application) changed(c session.Change) {
	ss := c.Session
	if c.Write {
		a.hasRoom(ss)
	}
	if c.Read {
		a.read(ss)
	}
	if c.Over {
		a.e.sessionChanged(ss)
		if a.e.table.Find(ss.ID()) == nil { // it has ended, and was read to its end
			delete(a.serves, ss)
		}
	}
}

// opened begins a conversation on a session of the PU.
func (a *application) opened(ss *session.Session) {
	a.talk, a.blocked = a.e.host.w.begin(a.e, ss), false
	if a.e.role.App.Every > 0 {
		a.ask(a.talk)
	}
}

// ended: nothing more is asked.
func (a *application) ended(ss *session.Session) {
	if a.talk != nil && a.talk.session == ss {
		a.talk.over = true
		a.talk = nil
	}
}

// ask sends the next request, and one after a pause.
func (a *application) ask(of *conversation) {
	if a.talk != of || of.session.Over() {
		return
	}
	if !a.blocked {
		a.send(of)
	}
	a.e.later(a.e.role.App.Every, func() { a.ask(of) })
}

func (a *application) send(of *conversation) {
	w, app := a.e.host.w, &a.e.role.App
	var info session.SendInfo
	if !of.replay {
		info.Unordered = w.rnd.IntN(100) < app.Unordered
		if w.rnd.IntN(100) < app.Bounded {
			info.Lifetime = w.between(time.Millisecond, 10*time.Second)
		}
	}
	n := of.accept(info)
	switch err := a.e.table.Send(a.e.host.now(), of.session, encodeBody(request, of, n, app.Size), &info); {
	case errors.Is(err, session.ErrWouldBlock):
		of.refuse()
		a.blocked = true
	case err != nil:
		of.refuse()
		w.fail("%s cannot send request %d: %v", a.e.host.name, n, err)
	}
}

// hasRoom goes on with what found none.
func (a *application) hasRoom(ss *session.Session) {
	if a.talk != nil && a.talk.session == ss && a.blocked && ss.Writable() {
		a.blocked = false
	}
	if s := a.serves[ss]; s != nil && s.pending != nil {
		a.answer(ss, s, s.pending)
		a.read(ss)
	}
}

// read takes what there is, as long as answers find room.
func (a *application) read(ss *session.Session) {
	for !a.deaf && (a.serves[ss] == nil || a.serves[ss].pending == nil) {
		var info session.RecvInfo
		b, err := a.e.table.Take(a.e.host.now(), ss, &info)
		if err != nil {
			return
		}
		a.received(ss, b, &info)
	}
}

func (a *application) received(ss *session.Session, b []byte, info *session.RecvInfo) {
	switch {
	case info.Notification != nil && a.talk != nil && a.talk.session == ss:
		a.notified(ss, b, info.Notification)
	case info.Notification != nil:
	case info.CookieEcho:
		a.restored(ss, b)
	default:
		a.message(ss, b, info)
	}
}

// notified is told what happened to the PU's session.
func (a *application) notified(ss *session.Session, b []byte, n *session.Notification) {
	w := a.e.host.w
	switch n.Type {
	case session.FailoverBegun:
		w.trace(a.e.host, nil, "failover begins, %d in doubt: %v", n.InDoubt, n.Err)
		a.talk.failoverBegun(n)
	case session.FailoverCompleted:
		w.trace(a.e.host, nil, "failover to %s is completed, %d in doubt, %d sent again", a.e.serving(), n.InDoubt, n.Resent)
		a.talk.failoverCompleted(n)
		if ss.Options().HoldFailover {
			a.repair(ss)
		}
	case session.Undelivered:
		w.trace(a.e.host, nil, "undelivered: %v", n.Err)
		a.talk.undelivered(b)
	}
}

// repair says what the new PE has to know first, and lets the rest go.
func (a *application) repair(ss *session.Session) {
	err := a.e.table.Send(a.e.host.now(), ss, encodeBody(repair, a.talk, 0, headSize), &session.SendInfo{})
	if err != nil && !errors.Is(err, session.ErrWouldBlock) {
		a.e.host.w.fail("%s cannot repair: %v", a.e.host.name, err)
	}
	a.e.table.Resume(a.e.host.now(), ss)
}

// restored begins a session with the state that the PU brings.
func (a *application) restored(ss *session.Session, b []byte) {
	kind, of, n := a.e.host.w.decodeBody(b)
	s := a.serving(ss, of)
	if of == nil || kind != answer || s.seen != nil {
		a.e.host.w.fail("%s is given a wrong state, or too late", a.e.host.name)
		return
	}
	s.last = n
	a.e.host.w.trace(a.e.host, nil, "a session begins in the state after request %d", n)
}

func (a *application) serving(ss *session.Session, of *conversation) *serving {
	if a.serves == nil {
		a.serves = map[*session.Session]*serving{}
	}
	if a.serves[ss] == nil {
		a.serves[ss] = &serving{of: of}
	}
	return a.serves[ss]
}

func (a *application) message(ss *session.Session, b []byte, info *session.RecvInfo) {
	kind, of, n := a.e.host.w.decodeBody(b)
	switch {
	case of == nil:
		a.e.host.w.fail("%s receives what nobody has sent", a.e.host.name)
	case kind == answer:
		of.answered(n)
	default:
		s := a.serving(ss, of)
		of.delivered(a.e, s, kind, n, info.Unordered)
		a.apply(s, kind, n)
		a.answer(ss, s, encodeBody(answer, of, n, a.e.role.App.Size))
		a.leaveCookie(ss, s)
	}
}

// apply changes the state of a session as a request says.
func (a *application) apply(s *serving, kind bodyKind, n uint64) {
	if kind == request {
		s.last = max(s.last, n)
		s.since++
	}
}

// answer answers a request; without room the PE does not go on reading.
func (a *application) answer(ss *session.Session, s *serving, b []byte) {
	s.pending = nil
	if ss.Over() {
		return
	}
	if err := a.e.table.Send(a.e.host.now(), ss, b, &session.SendInfo{}); errors.Is(err, session.ErrWouldBlock) {
		s.pending = b
	}
}

// leaveCookie leaves the state with the PU, now and then, behind the answers to what it
// covers.
func (a *application) leaveCookie(ss *session.Session, s *serving) {
	if every := a.e.role.App.Cookie; every == 0 || s.since < every || s.pending != nil || ss.Over() {
		return
	}
	if a.e.table.SendCookie(a.e.host.now(), ss, encodeBody(answer, s.of, s.last, headSize)) == nil {
		s.since = 0
	}
}

// Ask makes the PU of a host send some requests.
func (h *Host) Ask(n int) {
	h.endpointDo(func(e *endpointProgram) {
		for range n {
			if e.app.talk != nil && !e.app.blocked {
				e.app.send(e.app.talk)
			}
		}
	})
}

// Deafen makes the application of a host read nothing for some time.
func (h *Host) Deafen(d time.Duration) {
	h.endpointDo(func(e *endpointProgram) {
		e.app.deaf = true
		e.later(d, func() {
			e.app.deaf = false
			for _, ss := range e.table.Sessions() {
				e.app.read(ss)
			}
		})
	})
}

// Drain makes the PE of a host leave its pool and send its PUs to others.
func (h *Host) Drain() {
	h.endpointDo(func(e *endpointProgram) {
		e.leaving = true
		e.table.Drain(e.host.now())
		e.Post(endpoint.Deregister{})
	})
}
