package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// View is what a registrar knows at one moment, for operators. It shares
// nothing that changes with the registrar.
type View struct {
	Server   protocol.ServerID
	Serving  bool
	Uptime   time.Duration
	Links    int
	Waiting  int // requests, messages and probes that wait for a table or for an association
	Timers   int
	Counters Counters
	Pools    []PoolView // in the order of their creation
	Peers    []PeerView // in the order in which they became known
}

// PeerView is another registrar in a View.
type PeerView struct {
	protocol.Server
	Connected bool
	Active    bool          // it is not thought dead
	Silent    time.Duration // since it was last heard
	Owned     int           // PEs whose home it is
}

// PoolView is a pool in a View.
type PoolView struct {
	Handle      protocol.PoolHandle
	Policy      protocol.PolicyType
	Protocol    protocol.TransportProtocol
	Use         protocol.TransportUse
	Subscribers int
	Elements    []ElementView // in the order in which they joined
}

// ElementView is a PE in a View.
type ElementView struct {
	protocol.Element
	// Owned says that this registrar is the PE's home. The rest is known of
	// such PEs only.
	Owned      bool
	Remaining  time.Duration // of its life; -1 = has no end
	BadReports int
	Connected  bool // it has a live association
	Probing    bool // a KEEP_ALIVE waits for its acknowledgement
}

// Counters count since the start.
type Counters struct {
	Registered, Rejected, Deregistered uint64 // registrations, re-registrations included
	Expired, Dead                      uint64 // PEs removed: life over, no answer
	Resolved, Unknown                  uint64 // resolutions answered, with and without success
	Probes, Reports                    uint64 // KEEP_ALIVEs sent, unreachability reports heeded
	Malformed, Ignored                 uint64 // messages dropped, not for a registrar
	Resyncs, Takeovers                 uint64 // resynchronizations begun, registrars taken over
	Offered                            uint64 // PEs that others may take over from us
}

// Snapshot returns what the registrar knows.
func (r *Registrar) Snapshot(now time.Time) View {
	v := View{
		Server: r.id, Serving: r.serving, Links: len(r.links.all), Waiting: len(r.asap.waiting) + r.attempts.waiting(),
		Timers: r.timers.Len(), Counters: r.counts,
	}
	if !r.started.IsZero() {
		v.Uptime = now.Sub(r.started)
	}
	for p := range r.space.Pools() {
		v.Pools = append(v.Pools, r.viewPool(now, p))
	}
	for _, p := range r.peers.list {
		v.Peers = append(v.Peers, r.viewPeer(now, p))
	}
	return v
}

func (r *Registrar) viewPool(now time.Time, p *pool) PoolView {
	v := PoolView{Handle: p.Handle, Policy: p.Policy, Protocol: p.Protocol, Use: p.Use}
	if s := r.subscribers.byPool[p.Handle]; s != nil {
		v.Subscribers = s.subs.len()
	}
	for el := range p.Elements() {
		v.Elements = append(v.Elements, r.viewElement(now, el))
	}
	return v
}

func (r *Registrar) viewPeer(now time.Time, p *peer) PeerView {
	return PeerView{
		Server:    protocol.Server{ID: p.id, Transport: p.server},
		Connected: p.link != nil,
		Active:    p.active(),
		Silent:    now.Sub(p.lastHeard),
		Owned:     r.space.Owned(p.id),
	}
}

func (r *Registrar) viewElement(now time.Time, el *element) ElementView {
	v := ElementView{Element: el.Element, Owned: el.Home == r.id, Remaining: -1}
	mon := el.State.monitor
	if mon == nil || !v.Owned {
		return v
	}
	if mon.life != 0 {
		v.Remaining = time.Duration(mon.life - r.moment(now))
	}
	v.BadReports, v.Connected, v.Probing = int(mon.reports), mon.link != nil, mon.probing
	return v
}
