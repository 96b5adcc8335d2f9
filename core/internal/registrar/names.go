package registrar

import (
	"slices"
	"time"
)

// names are the peers that are configured by name. A look-up takes time and the
// network, so the shell does it: at the start, and with the heartbeat as long as
// one of them is missing, for a registrar may move with its name, and a name may
// be made after we have started.
type names struct {
	*core
	candidates *candidates
	join       *join

	asked  bool // an answer is due
	last   time.Time
	failed bool // some had no address
}

// lookUpPause is kept between an answer and the next look-up.
const lookUpPause = 2 * time.Second

// change notes that there are other names than before.
func (na *names) change() {
	na.cfg.LookUp = true
	na.lookUp()
}

func (na *names) lookUp() {
	if !na.asked {
		na.asked = true
		na.emit(LookUpPeers{})
	}
}

// lookUpMissing looks the names up again if some registrar behind them is
// missing.
func (na *names) lookUpMissing(now time.Time) {
	missing := func(c *peerCandidate) bool { return c.named && !na.candidates.known(c) }
	if na.cfg.LookUp && now.Sub(na.last) >= lookUpPause && (na.failed || slices.ContainsFunc(na.candidates.list, missing)) {
		na.lookUp()
	}
}

// handleLookedUp makes every address of the names a candidate, in place of
// those that the names had before. A name without address is like a peer that is
// not there.
func (na *names) handleLookedUp(now time.Time, ev PeersLookedUp) {
	na.asked, na.last, na.failed = false, now, len(ev.Failed) > 0
	for _, f := range ev.Failed {
		na.complain(now, "peer "+f.Name, Log{Msg: "the name of a peer cannot be looked up", Peer: f.Name, Err: f.Err})
	}
	na.candidates.dropNamed(ev.Found)
	for _, a := range ev.Found {
		na.candidates.addNamed(a)
	}
	if na.join.step == joinNames {
		na.join.startRound(now)
	} else {
		na.candidates.retry()
	}
}
