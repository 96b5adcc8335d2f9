package registrar

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// compose makes the parts of a registrar and says which ones each of them uses.
// Many use each other, so they are made before they are filled in.
func compose(c *core) *Registrar {
	r := &Registrar{
		core: c, links: &links{}, attempts: &attempts{},
		asap: &asapReceiver{}, registrations: &registrations{}, resolver: &resolver{}, listing: &listing{},
		subscribers: &subscribers{}, elements: &elements{}, monitors: &monitors{}, announcer: &announcer{},
		enrp: &enrpReceiver{}, peers: &peers{}, liveness: &liveness{}, candidates: &candidates{}, names: &names{},
		discovery: &discovery{}, join: &join{}, sessions: &sessions{}, downloads: &downloads{}, changes: &changes{},
		updates: &updates{}, claims: &claims{}, takeovers: &takeovers{}, handover: &handover{},
	}
	r.composeLinks()
	r.composeASAP()
	r.composePeers()
	r.composeTables()
	r.composeOwnership()
	return r
}

func (r *Registrar) composeLinks() {
	*r.links = links{core: r.core, all: map[Link]*link{}, byAddr: map[netip.AddrPort]*link{}}
	*r.attempts = attempts{core: r.core, byToken: map[Token]*connectAttempt{}, toPE: map[netip.AddrPort]*connectAttempt{}}
}

func (r *Registrar) composeASAP() {
	*r.asap = asapReceiver{core: r.core, links: r.links, registrations: r.registrations, resolver: r.resolver, monitors: r.monitors}
	*r.registrations = registrations{
		core: r.core, elements: r.elements, monitors: r.monitors, subscribers: r.subscribers, peers: r.peers, handover: r.handover,
	}
	*r.resolver = resolver{core: r.core, listing: r.listing, subscribers: r.subscribers}
	*r.listing = listing{core: r.core, peers: r.peers}
	*r.subscribers = subscribers{core: r.core, listing: r.listing, byPool: map[protocol.PoolHandle]*poolSubscribers{}}
	*r.monitors = monitors{
		core: r.core, links: r.links, attempts: r.attempts, elements: r.elements, claims: r.claims, handover: r.handover,
	}
	*r.announcer = announcer{core: r.core}
}

func (r *Registrar) composePeers() {
	*r.enrp = enrpReceiver{
		core: r.core, links: r.links, liveness: r.liveness, peers: r.peers, join: r.join,
		sessions: r.sessions, downloads: r.downloads, updates: r.updates, takeovers: r.takeovers,
	}
	*r.peers = peers{
		core: r.core, attempts: r.attempts, handover: r.handover, byID: map[protocol.ServerID]*peer{}, departed: departed{},
	}
	*r.liveness = liveness{
		core: r.core, peers: r.peers, candidates: r.candidates, join: r.join,
		downloads: r.downloads, takeovers: r.takeovers, handover: r.handover,
	}
	*r.candidates = candidates{
		core: r.core, attempts: r.attempts, peers: r.peers, join: r.join, discovery: r.discovery,
	}
	*r.names = names{core: r.core, candidates: r.candidates, join: r.join}
	*r.discovery = discovery{core: r.core, peers: r.peers, candidates: r.candidates, handover: r.handover}
}

func (r *Registrar) composeTables() {
	*r.join = join{
		core: r.core, candidates: r.candidates, names: r.names, discovery: r.discovery,
		peers: r.peers, downloads: r.downloads, claims: r.claims, asap: r.asap,
	}
	*r.sessions = sessions{core: r.core, peers: r.peers}
	*r.downloads = downloads{
		core: r.core, links: r.links, elements: r.elements, claims: r.claims,
		peers: r.peers, join: r.join, changes: r.changes,
	}
	*r.changes = changes{gone: map[elementKey]uint32{}}
	*r.updates = updates{
		core: r.core, links: r.links, elements: r.elements, peers: r.peers, handover: r.handover, changes: r.changes,
	}
}

func (r *Registrar) composeOwnership() {
	*r.elements = elements{
		core: r.core, monitors: r.monitors, subscribers: r.subscribers, peers: r.peers, claims: r.claims, handover: r.handover,
	}
	*r.claims = claims{core: r.core, elements: r.elements, monitors: r.monitors, peers: r.peers, handover: r.handover}
	*r.takeovers = takeovers{
		core: r.core, peers: r.peers, liveness: r.liveness, candidates: r.candidates, join: r.join,
		sessions: r.sessions, downloads: r.downloads, elements: r.elements, claims: r.claims,
	}
	*r.handover = handover{core: r.core, elements: r.elements, monitors: r.monitors, peers: r.peers}
}
