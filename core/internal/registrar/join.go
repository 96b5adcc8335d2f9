package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// join is how a registrar starts: it asks a mentor who the other registrars
// are, then for the whole handle table, and only then serves (RFC 5353
// section 3.2). The configured candidates are tried one after the other
// (ENRP-3.2-01), then those that were found by multicast, for which it listens
// a while; with none there is nothing to ask (ENRP-3.2-02).
type join struct {
	*core
	candidates *candidates
	names      *names
	discovery  *discovery
	peers      *peers
	downloads  *downloads
	claims     *claims
	asap       *asapReceiver

	step    joinStep
	at      int   // which candidate
	mentor  *peer // once it was heard
	timer   timerq.Timer[deadline]
	round   int
	lowest  bool // no registrar that is starting too has a lower identifier
	refused int  // mentors that are starting themselves, in this round
}

type joinStep uint8

const (
	joinDone  joinStep = iota // serving, or not started
	joinList                  // waiting for the list of registrars
	joinTable                 // waiting for the handle table
	joinPause                 // everybody refused: waiting to ask again
	joinNames                 // waiting for the addresses of candidates
	joinSeek                  // nobody to ask yet: waiting to find somebody by multicast
)

// maxJoinRounds is after how many rounds without a mentor that serves a
// registrar stops to wait for one.
const maxJoinRounds = 5

func (j *join) start(now time.Time) {
	j.timer.Value = joinTime{}
	j.candidates.configure()
	if j.cfg.LookUp {
		j.step = joinNames
		j.names.lookUp()
		return
	}
	j.startRound(now)
}

func (j *join) startRound(now time.Time) {
	j.at, j.refused, j.lowest = -1, 0, true
	j.round++
	j.nextMentor(now)
}

// nextMentor turns to the next candidate; after the last one the round is over.
func (j *join) nextMentor(now time.Time) {
	j.at++
	j.mentor = nil
	if j.at >= len(j.candidates.list) {
		j.endRound(now)
		return
	}
	j.step = joinList
	j.awaitList(now)
	c := j.candidates.list[j.at]
	if l := j.candidates.linkTo(c); l != nil {
		j.peers.askForList(l)
	} else if c.attempt == nil {
		j.candidates.reachOut(c)
	}
}

// endRound: no mentor gave us its table. If some are starting like us, the
// one with the lowest identifier stops waiting and serves, so that the others
// find a mentor; if there is nobody, we are alone.
func (j *join) endRound(now time.Time) {
	if now.Before(j.discovery.until) { // one that serves may still be found
		j.step = joinSeek
		j.timers.Set(&j.timer, j.discovery.until)
		return
	}
	if j.refused == 0 || j.lowest || j.round >= maxJoinRounds {
		j.claims.restore(now)
		j.end(now)
		return
	}
	j.step = joinPause
	j.timers.Set(&j.timer, now.Add(j.cfg.Timers.MentorRetry)) // wait before asking again (ENRP-3.2-08)
}

func (j *join) end(now time.Time) {
	j.step, j.mentor = joinDone, nil
	j.timers.Stop(&j.timer)
	j.asap.serve(now)
}

func (j *join) timeout(now time.Time) {
	switch j.step {
	case joinPause, joinSeek:
		j.startRound(now)
	case joinList, joinTable:
		j.mentorFailed(now)
	}
}
