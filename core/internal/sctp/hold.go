package sctp

import "github.com/librserpool/librserpool/core/internal/assoc"

// Hold keeps what an association brings from Recv until it is let go: its
// receive window closes, the other associations go on. One that ends is let go.
// A message of which Recv has returned a part is still returned.
func (e *Endpoint) Hold(id assoc.ID, on bool) error {
	a := e.byID[id]
	if a == nil {
		return assoc.ErrNotConnected
	}
	a.hold(on)
	return nil
}

func (a *association) hold(on bool) {
	if a.held == on {
		return
	}
	a.held = on
	if on {
		a.e.events.move(a.id, &a.parked)
		return
	}
	a.e.events.join(&a.parked)
}

// push queues an event for Recv, or where it waits while the association is
// held.
func (a *association) push(ev *event) {
	if a.held {
		a.parked.push(ev)
		return
	}
	a.e.events.push(ev)
}

// move takes the events of an association out of the queue.
func (q *eventQueue) move(id assoc.ID, to *eventQueue) {
	var rest eventQueue
	for ev := q.head; ev != nil; {
		next := ev.next
		ev.next = nil
		if ev.info.Assoc == id && !ev.begun {
			to.push(ev)
		} else {
			rest.push(ev)
		}
		ev = next
	}
	*q = rest
}

// join puts the events of other behind those of q and empties it.
func (q *eventQueue) join(other *eventQueue) {
	if other.head == nil {
		return
	}
	if q.tail == nil {
		q.head = other.head
	} else {
		q.tail.next = other.head
	}
	q.tail = other.tail
	q.n += other.n
	*other = eventQueue{}
}
