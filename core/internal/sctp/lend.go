package sctp

import "github.com/librserpool/librserpool/core/internal/assoc"

// lent is what Recv has returned of an association's messages and the user of the
// endpoint keeps for somebody else.
type lent struct {
	bytes    int
	messages int
}

// slack is the part of a receive buffer that may be free without the peer being
// told at once.
const slack = 8

// Lend has messages count against the receive windows after Recv has returned
// them, until Return: for a user who keeps them until somebody else takes them.
func (e *Endpoint) Lend() { e.lends = true }

// Return gives messages back that Recv has returned, of so many bytes. Who keeps
// less than an eighth of the receive buffer may do so later.
func (e *Endpoint) Return(id assoc.ID, bytes, messages int) {
	a := e.byID[id]
	if a == nil {
		return
	}
	b := &a.in
	b.lent.add(a, -min(bytes, b.lent.bytes), -min(messages, b.lent.messages))
	a.windowOpened()
}

// unread says that there is something worth mentioning that the user has not taken,
// or keeps.
func (a *association) unread() bool { return a.in.ready > a.params.ReceiveBuffer/slack }

// returned notes that Recv returned n bytes of a message.
func (e *Endpoint) returned(ev *event, n int) {
	a := ev.a
	if a == nil || ev.note || a.dead {
		return
	}
	if !e.lends {
		a.windowOpened()
		return
	}
	whole := 0
	if ev.first == nil {
		whole = 1
	}
	a.in.lent.add(a, n, whole)
}

// add changes what is lent.
func (l *lent) add(a *association, bytes, messages int) {
	l.bytes += bytes
	l.messages += messages
	a.in.held += bytes
	a.in.ready += bytes
	a.account(bytes + messages*objectOverhead)
}

// forgive forgets what is lent of an association that ends.
func (l *lent) forgive(a *association) { l.add(a, -l.bytes, -l.messages) }
