// Package transport is what the layers above know of SCTP: endpoints in the
// style of RFC 6458's one-to-many socket, which carry bytes and associations
// and know nothing of ASAP or ENRP. Its subdirectories implement it.
package transport

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Lender is an Endpoint whose receive windows can follow what its caller keeps of
// what it has received, for somebody else to take.
type Lender interface {
	// Lend has the messages that Recv returns count against the receive windows of
	// their associations until Return. Call it before the first Recv.
	Lend()

	// Return gives messages of an association back, of so many bytes. Who keeps less
	// than an eighth of Params.ReceiveBuffer may wait with it. An association that
	// has ended has nothing to be given back.
	Return(id assoc.ID, bytes, messages int)
}

// Holder is an Endpoint that can leave the data of one association unread, so
// that its receive window closes, while the others go on.
type Holder interface {
	// Hold keeps messages of an association from Recv, and everything of it
	// that follows them, until it is called with on false or the association
	// ends. It returns assoc.ErrNotConnected where there is no association.
	// Not to be called between the pieces of a message.
	Hold(id assoc.ID, on bool) error
}

// Batcher is an Endpoint that can send what several calls of Send bring about in as
// few packets as it takes.
type Batcher interface {
	// Together calls f, and sends afterwards what its calls of Send queued. f is
	// brief and does not wait.
	Together(f func())
}

// Led is an Endpoint whose sockets a thread may read that waits for it anyway: one
// thread wakes then for each message, and not one after the other.
type Led interface {
	// Lead takes the sockets from the endpoint's goroutines and returns their
	// descriptors. Whoever got ok waits for them, calls Step when there is something to
	// read, and Yield in the end: the endpoint reads nothing until then. Not ok: somebody
	// else leads, or there is nothing to lead.
	Lead() (fds []int, ok bool)

	// Step reads from the sockets of the set bits of ready, by their index in fds, and does
	// what that brings about: hooks are called, and answers sent. There may be more to
	// read afterwards. No lock that a hook takes may be held.
	Step(ready uint)

	// Yield ends the lead. lent says that the endpoint still does not read: when messages
	// come quickly somebody is about to lead again, who then has the sockets for nothing.
	// That somebody must see to it that Recall is called soon.
	Yield() (lent bool)

	// ReadLent reads what is there if the sockets are lent and nobody leads, and says
	// whether it has. The same lock must not be held.
	ReadLent() bool

	// Recall gives back to the endpoint's goroutines what was lent, unless somebody
	// leads; with idle set only if nobody has led since the last such call. What has arrived
	// unread wakes them. It says whether somebody has to call it once more.
	Recall(idle bool) (lent bool)
}

// Sharer is an Endpoint that occupies a UDP port, at which programs of this host
// may want to listen to multicast groups.
type Sharer interface {
	// ShareWithGroups lets sockets that are bound to the address of a group, and
	// ask for it by SO_REUSEADDR, have the port too. Where the endpoint is bound
	// to any address, that holds for sockets bound to any address as well.
	ShareWithGroups() error
}

// Endpoint is one SCTP endpoint. It accepts associations from the moment it is
// open and opens others with Connect. No method blocks, all are safe for
// concurrent use, and errors are those of package assoc or wrap net.ErrClosed.
type Endpoint interface {
	// Recv copies the next message or notification into b and describes it in
	// info. It returns assoc.ErrWouldBlock when there is none. A message that
	// is longer than b arrives in pieces, all but the last with info.More.
	// Messages of one stream and the notifications of one association keep
	// their order.
	Recv(b []byte, info *assoc.RecvInfo) (n int, err error)

	// Send queues one message, copying b. assoc.ErrWouldBlock means that the
	// association's send buffer is full: the writable hook is called when
	// there is room again. Every accepted message either arrives or comes
	// back in a SendFailed.
	Send(b []byte, info *assoc.SendInfo) error

	// Connect opens an association to a peer with the given SCTP addresses
	// (one or more, same port). Messages may be sent at once; they wait for
	// the set-up. The outcome is a notification: CommUp or CannotStart. If an
	// association with that peer exists already its ID is returned with
	// assoc.ErrAlreadyExists. p may be nil.
	Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error)

	// Shutdown ends an association after everything queued has arrived.
	Shutdown(id assoc.ID) error

	// Abort ends an association at once; reason goes to the peer.
	Abort(id assoc.ID, reason string) error

	// SetParams changes the non-zero fields of p for one association, or with
	// id 0 for those that start later.
	SetParams(id assoc.ID, p assoc.Params) error

	// Status describes an association.
	Status(id assoc.ID) (assoc.Status, error)

	// LocalAddrs returns the addresses the endpoint is bound to; a wildcard
	// binding is returned as such. All have the same port.
	LocalAddrs() []netip.AddrPort

	// AssocAddrs returns the two ends of an association: the local addresses
	// that its peer knows or sees, and the peer's.
	AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error)

	// Notify installs the hooks; call it once, before the first Connect or
	// Recv. readable is called when Recv has something to return after it had
	// returned ErrWouldBlock (and may be called without need); writable when
	// an association whose Send returned ErrWouldBlock has room. Hooks run on
	// a goroutine of the endpoint without any of its locks held: they may
	// call the endpoint, and should be brief.
	Notify(readable func(), writable func(assoc.ID))

	// Close ends the endpoint. Associations that are not yet shut down are
	// aborted, those that are shutting down finish in the background within
	// their guard time. Recv returns what is left, then net.ErrClosed.
	Close() error
}
