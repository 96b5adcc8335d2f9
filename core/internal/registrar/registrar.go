// Package registrar is the protocol machine of a registrar (ENRP server): the
// server's side of ASAP (RFC 5352) and all of ENRP (RFC 5353) over one
// handlespace. It is pure: events and the time go in by Step and Advance,
// effects come out by Drain, Next tells when to call Advance.
//
// It is composed of parts that share a core. Each has a state of its own, and
// names the other parts that it uses (compose):
//
//   - links are the associations, attempts those that are being set up.
//   - asapReceiver takes what PEs and PUs send. registrations and the monitors of
//     PEs are for PEs; resolver, listing and the subscribers for PUs.
//   - elements changes what the handlespace holds, and tells whom it concerns.
//   - enrpReceiver takes what other registrars send. peers knows these, liveness
//     whether they are there; candidates, names and discovery find them.
//   - join, sessions, downloads and updates keep the handlespaces equal.
//   - takeovers, claims and handover are how PEs change their home.
//   - announcer is how PEs and PUs find this registrar.
//
// Registrar itself only gives events and deadlines to the part in charge.
package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// Registrar is one registrar. Its methods must not be called concurrently.
type Registrar struct {
	*core
	links    *links
	attempts *attempts

	asap          *asapReceiver
	registrations *registrations
	resolver      *resolver
	listing       *listing
	subscribers   *subscribers
	elements      *elements
	monitors      *monitors
	announcer     *announcer

	enrp       *enrpReceiver
	peers      *peers
	liveness   *liveness
	candidates *candidates
	names      *names
	discovery  *discovery
	join       *join
	sessions   *sessions
	downloads  *downloads
	changes    *changes
	updates    *updates
	claims     *claims
	takeovers  *takeovers
	handover   *handover

	heartbeat timerq.Timer[deadline]
	resumes   time.Time // not before that, after a stall
}

// New returns a registrar that waits for Start, or an error that says what is
// wrong with the configuration.
func New(cfg Config) (*Registrar, error) {
	cfg, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	return compose(newCore(cfg)), nil
}

// ID returns the registrar's own identifier.
func (r *Registrar) ID() protocol.ServerID { return r.id }

// Serving says whether the registrar answers: it has a table, or is alone.
func (r *Registrar) Serving() bool { return r.serving }

// Step takes one event.
func (r *Registrar) Step(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Start:
		r.start(now)
	case AssocUp:
		r.handleAssocUp(now, ev)
	case AssocRestarted:
		r.handleAssocRestarted(now, ev)
	case AssocLost:
		r.handleAssocLost(now, ev)
	case ConnectFailed:
		r.connectFailed(now, ev.Token, ev.Err)
	case ASAPReceived:
		r.asap.handle(now, ev)
	case ENRPReceived:
		r.enrp.handle(now, ev)
	case Leave:
		r.handover.leave(now)
	case AnnounceReceived:
		r.announcer.handle(now, ev)
	case PeerNamesChanged:
		r.names.change()
	case Misdirected:
		r.links.handleMisdirected(now, ev)
	case PeersLookedUp:
		r.names.handleLookedUp(now, ev)
	case PresenceHeard:
		r.discovery.handleHeard(now, ev)
	}
}

// Drain returns the effects since the last Drain. They belong to the caller.
func (r *Registrar) Drain() []Effect {
	out := r.effects
	r.effects = nil
	return out
}

func (r *Registrar) start(now time.Time) {
	r.started = now
	r.announcer.start(now)
	r.setHeartbeat(now)
	r.discovery.start(now)
	r.join.start(now)
}

func (r *Registrar) setHeartbeat(now time.Time) {
	if r.cfg.ENRP.IsZero() {
		return // there are no peers that could hear it
	}
	r.heartbeat.Value = heartbeatTime{}
	r.timers.Set(&r.heartbeat, now.Add(r.cfg.Timers.Heartbeat))
}

// beat is what happens every PEER-HEARTBEAT-CYCLE: all peers hear of us
// (ENRP-3.4.2-01), and whatever is missing is looked for again.
func (r *Registrar) beat(now time.Time) {
	r.peers.groupcast(r.peers.presence(0, false))
	r.peers.requestPeerList()
	r.candidates.drop(now)
	r.candidates.retry()
	r.candidates.check(now)
	r.names.lookUpMissing(now)
	r.handover.rebalance(now)
	r.setHeartbeat(now)
}
