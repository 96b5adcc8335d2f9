// Package registrar is the protocol machine of a registrar (ENRP server): the
// server's side of ASAP (RFC 5352) and all of ENRP (RFC 5353) over one
// handlespace. It is pure: events and the time go in by Step and Advance,
// effects come out by Drain, Next tells when to call Advance.
package registrar

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/handlespace"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// Registrar is one registrar. Its methods must not be called concurrently.
type Registrar struct {
	cfg     Config
	id      protocol.ServerID
	started time.Time
	serving bool
	waiting []ASAPReceived // requests that came before it served

	space       *handlespace.Space[state]
	links       map[Link]*link
	housing     int                      // links that are the association of some PE
	byAddr      map[netip.AddrPort]*link // ASAP over SCTP, by address of the peer
	attempts    map[Token]*connectAttempt
	attemptsTo  map[netip.AddrPort]*connectAttempt // those to PEs, by the first address
	subscribers map[protocol.PoolHandle]*poolSubscribers
	subs        int
	token       Token
	announcer   announcer

	// ENRP
	peers      []*peer // in the order in which they became known
	peersByID  map[protocol.ServerID]*peer
	candidates []*peerCandidate
	departed   departed
	names      names
	complaints
	join      join
	discovery discovery
	heartbeat timerq.Timer[deadline]
	handover  handover
	listTurn  int
	downloads int                   // tables on their way
	updates   uint32                // counts downloads, and changes that peers told of meanwhile
	gone      map[elementKey]uint32 // what a peer removed meanwhile

	timers  timerq.Queue[deadline]
	resumes time.Time // not before that, after a stall
	effects []Effect
	scratch []*element
	counts  Counters
}

// element is a PE in this registrar's handlespace.
type element = handlespace.Element[state]

type pool = handlespace.Pool[state]

// state is what the registrar keeps with every PE it knows.
type state struct {
	monitor *monitor          // nil while there is no reason to monitor it
	mark    uint32            // the resynchronization that has not confirmed it yet
	newHome protocol.ServerID // who was offered it and has not announced it yet
	update  uint32            // number of the last change that a peer told of during a download
}

// deadline is what a timer leads to.
type deadline interface {
	due(r *Registrar, now time.Time)
}

// maxWaiting bounds the requests kept until the registrar serves.
const maxWaiting = 1024

// New returns a registrar that waits for Start, or an error that says what is
// wrong with the configuration.
func New(cfg Config) (*Registrar, error) {
	cfg, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	return &Registrar{
		cfg:         cfg,
		id:          cfg.ServerID,
		space:       handlespace.New[state](cfg.Rand),
		links:       map[Link]*link{},
		byAddr:      map[netip.AddrPort]*link{},
		attempts:    map[Token]*connectAttempt{},
		attemptsTo:  map[netip.AddrPort]*connectAttempt{},
		subscribers: map[protocol.PoolHandle]*poolSubscribers{},
		peersByID:   map[protocol.ServerID]*peer{},
		departed:    departed{},
		complaints:  complaints{},
		gone:        map[elementKey]uint32{},
	}, nil
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
		r.handleConnectFailed(now, ev)
	case ASAPReceived:
		r.handleASAP(now, ev)
	case ENRPReceived:
		r.handleENRP(now, ev)
	case Leave:
		r.leaveGroup(now)
	case AnnounceReceived:
		r.handleAnnounce(now, ev)
	case PeerNamesChanged:
		r.cfg.LookUp = true
		r.lookUpPeers()
	case Misdirected:
		r.handleMisdirected(now, ev)
	case PeersLookedUp:
		r.handlePeersLookedUp(now, ev)
	case PresenceHeard:
		r.handlePresenceHeard(now, ev)
	}
}

// Drain returns the effects since the last Drain. They belong to the caller.
func (r *Registrar) Drain() []Effect {
	out := r.effects
	r.effects = nil
	return out
}

func (r *Registrar) emit(e Effect) { r.effects = append(r.effects, e) }

func (r *Registrar) start(now time.Time) {
	r.started = now
	r.startAnnouncing(now)
	r.startHeartbeat(now)
	r.startDiscovery(now)
	r.startJoining(now)
}

// becomeServing starts to answer, beginning with what has waited.
func (r *Registrar) becomeServing(now time.Time) {
	r.serving = true
	r.emit(Log{Level: Info, Msg: "registrar serves", Server: r.id})
	waiting := r.waiting
	r.waiting = nil
	for _, ev := range waiting {
		r.handleASAP(now, ev)
	}
}
