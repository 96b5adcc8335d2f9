package session

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// Status is a snapshot of a session; rserpool.SessionStatus explains it.
type Status struct {
	ID        ID
	Peer      Name
	Addrs     []netip.AddrPort
	Connected bool
	Failovers int
	Queued    int
	Uncovered int
	Unread    int
}

// Queue is what waits in one direction.
type Queue struct{ Messages, Bytes int }

// Stats is a Status with what the transport has measured and counted;
// rserpool.SessionStats explains it.
type Stats struct {
	Status
	State              State
	Local              []netip.AddrPort
	Sending, Receiving Queue
	RTT, RTO           time.Duration
	MTU                int
	Retransmissions    uint64
}

// Status describes a session.
func (t *Table) Status(ss *Session) Status {
	st := Status{
		ID: ss.id, Peer: ss.peer, Connected: ss.phase == established, Failovers: ss.moves,
		Queued: ss.queuedBytes, Uncovered: ss.uncovered(), Unread: ss.inbox.len(),
	}
	if ss.assoc != 0 {
		_, st.Addrs, _ = t.port.AssocAddrs(ss.assoc) // gone already: no addresses
	}
	return st
}

// Stats describes a session, and asks the transport.
func (t *Table) Stats(ss *Session) Stats {
	st := Stats{Status: t.Status(ss), State: ss.State()}
	st.Sending = Queue{ss.toSend.len() + ss.returned.len() + ss.kept.len(), ss.queuedBytes}
	st.Receiving = Queue{ss.inbox.len(), ss.inboxBytes}
	if ss.assoc == 0 {
		return st
	}
	a, _ := t.port.Status(ss.assoc) // gone already: nothing is measured
	st.Local, st.Addrs = t.endsAs(ss, &a)
	ss.measured(&st, &a)
	return st
}

// measured adds what the transport knows. What is kept for replay is not counted
// twice.
func (ss *Session) measured(st *Stats, a *assoc.Status) {
	if !ss.replays() {
		st.Sending.Messages += a.Unacked + a.Unsent
		st.Sending.Bytes += a.QueuedPayload
	}
	st.Receiving.Bytes += a.Unread
	st.Retransmissions = a.Retransmissions
	if a.Primary < len(a.Paths) {
		p := a.Paths[a.Primary]
		st.RTT, st.RTO, st.MTU = p.SRTT, p.RTO, p.MTU
	}
}

// Ends returns the addresses of both ends of a session, first the one that data goes
// to; none between two elements.
func (t *Table) Ends(ss *Session) (local, peer []netip.AddrPort) {
	if ss.assoc == 0 {
		return nil, nil
	}
	a, _ := t.port.Status(ss.assoc) // gone already: no addresses
	return t.endsAs(ss, &a)
}

// endsAs is Ends for a session whose association is known to stand so.
func (t *Table) endsAs(ss *Session, a *assoc.Status) (local, peer []netip.AddrPort) {
	local, peer, _ = t.port.AssocAddrs(ss.assoc)
	if a.Primary < len(a.Paths) {
		peer = putFirst(peer, a.Paths[a.Primary].Addr)
	}
	return local, peer
}

func putFirst(addrs []netip.AddrPort, first netip.AddrPort) []netip.AddrPort {
	if i := slices.Index(addrs, first); i > 0 {
		return slices.Insert(slices.Delete(addrs, i, i+1), 0, first)
	}
	return addrs
}

// Options returns what sessions begin with.
func (t *Table) Options() Options { return t.cfg.Options }

// SetDefaults changes what sessions begin with. The error is the transport's, which
// cannot do that.
func (t *Table) SetDefaults(o Options) error {
	if t.port != nil {
		if err := t.port.SetParams(0, t.params(o)); err != nil {
			return err
		}
	}
	t.cfg.Options = o
	return nil
}

// SetOptions changes the options of a session, which are resolved and keep Replay.
// The error is the transport's.
func (t *Table) SetOptions(now time.Time, ss *Session, o Options) error {
	t.now = now
	if ss.assoc != 0 {
		err := t.port.SetParams(ss.assoc, t.params(o))
		if err != nil && !errors.Is(err, assoc.ErrNotConnected) { // gone already: they are the next one's
			return err
		}
		ss.tuned = assoc.Params{}
	}
	if ss.own && o.FailoverLimit != ss.opts.FailoverLimit {
		t.cfg.Post(endpoint.SetFailoverLimit{Session: ss.id, Limit: o.FailoverLimit})
	}
	limited := o.SendLimit != ss.opts.SendLimit
	ss.opts = o
	if limited {
		t.limitWait(ss)
	}
	t.throttle(ss)
	return nil
}
