package registrar

import (
	"net/netip"
	"slices"
	"time"
)

// names are the peers that are configured by name. A look-up takes time and the
// network, so the shell does it: at the start, and with the heartbeat as long as
// one of them is missing, for a registrar may move with its name, and a name may
// come to be later than we.
type names struct {
	asked  bool // an answer is due
	last   time.Time
	failed bool // some had no address
}

// lookUpPause is kept between an answer and the next look-up.
const lookUpPause = 2 * time.Second

func (r *Registrar) lookUpPeers() {
	if !r.names.asked {
		r.names.asked = true
		r.emit(LookUpPeers{})
	}
}

// lookUpMissing looks the names up again if some registrar behind them is
// missing.
func (r *Registrar) lookUpMissing(now time.Time) {
	missing := func(c *peerCandidate) bool { return c.named && !r.known(c) }
	if r.cfg.LookUp && now.Sub(r.names.last) >= lookUpPause && (r.names.failed || slices.ContainsFunc(r.candidates, missing)) {
		r.lookUpPeers()
	}
}

// handlePeersLookedUp makes every address of the names a candidate, in place of
// those that the names had before. A name without address is like a peer that is
// not there.
func (r *Registrar) handlePeersLookedUp(now time.Time, ev PeersLookedUp) {
	r.names = names{last: now, failed: len(ev.Failed) > 0}
	for _, f := range ev.Failed {
		r.complain(now, "peer "+f.Name, Log{Msg: "the name of a peer cannot be looked up", Peer: f.Name, Err: f.Err})
	}
	if r.join.step == joinDone { // or else the mentors are counted
		r.candidates = slices.DeleteFunc(r.candidates, func(c *peerCandidate) bool {
			return c.named && c.attempt == nil && c.link == nil && !slices.Contains(ev.Found, c.addrs[0])
		})
	}
	for _, a := range ev.Found {
		if r.addCandidate([]netip.AddrPort{a}) {
			r.candidates[len(r.candidates)-1].named = true
		}
	}
	if r.join.step == joinNames {
		r.startRound(now)
	} else {
		r.retryCandidates()
	}
}
