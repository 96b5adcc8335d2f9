// Package sctp is the SCTP engine.
package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Endpoint is one SCTP endpoint with its associations.
type Endpoint struct{ cfg Config }

// New makes an endpoint.
func New(cfg Config) *Endpoint { return &Endpoint{cfg: cfg} }

// Input takes one UDP datagram that arrived. p.Data is not retained.
func (e *Endpoint) Input(now time.Time, p Packet) {}

// Unreachable reports an ICMP port unreachable for a datagram that was sent
// to the given address and UDP port; quoted is the beginning of the SCTP
// packet that was in it, as far as it is known.
func (e *Endpoint) Unreachable(now time.Time, to netip.AddrPort, quoted []byte) {}

// Advance fires the timers that are due.
func (e *Endpoint) Advance(now time.Time) {}

// Next returns the time of the earliest timer.
func (e *Endpoint) Next() (time.Time, bool) { return time.Time{}, false }

// Output builds the next packet to send into p.Data[:0]. It returns false
// when there is nothing to send now.
func (e *Endpoint) Output(now time.Time, p *Packet) bool { return false }

// Connect opens an association.
func (e *Endpoint) Connect(now time.Time, peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error) {
	return 0, assoc.ErrInvalid
}

// Send queues a message, copying b.
func (e *Endpoint) Send(now time.Time, b []byte, info *assoc.SendInfo) error {
	return assoc.ErrNotConnected
}

// Recv returns the next message, piece of a message, or notification.
func (e *Endpoint) Recv(now time.Time, b []byte, info *assoc.RecvInfo) (int, error) {
	return 0, assoc.ErrWouldBlock
}

// Readable says whether Recv has something to return.
func (e *Endpoint) Readable() bool { return false }

// Writable pops an association whose Send had returned ErrWouldBlock and
// whose send buffer is at least half free again.
func (e *Endpoint) Writable() (assoc.ID, bool) { return 0, false }

// Shutdown ends an association gracefully.
func (e *Endpoint) Shutdown(now time.Time, id assoc.ID) error { return assoc.ErrNotConnected }

// Abort ends an association at once.
func (e *Endpoint) Abort(now time.Time, id assoc.ID, reason string) error {
	return assoc.ErrNotConnected
}

// SetParams changes the non-zero fields of p for one association, or with id
// 0 for those that start later.
func (e *Endpoint) SetParams(id assoc.ID, p assoc.Params) error { return assoc.ErrNotConnected }

// Status describes an association.
func (e *Endpoint) Status(id assoc.ID) (assoc.Status, error) {
	return assoc.Status{}, assoc.ErrNotConnected
}

// AssocAddrs returns the SCTP addresses of both ends of an association. The
// local ones are those that packets arrived at.
func (e *Endpoint) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	return nil, nil, assoc.ErrNotConnected
}

// Close aborts every association that is not shutting down and refuses new
// ones from now on.
func (e *Endpoint) Close(now time.Time) {}

// Idle says that no association is left and nothing waits to be sent.
func (e *Endpoint) Idle() bool { return true }

// Counters returns what was counted so far.
func (e *Endpoint) Counters() Counters { return Counters{} }
