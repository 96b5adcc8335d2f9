package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// mentorFailed turns to the next candidate: what was downloaded stays, the rest
// comes from that one's table, which is read from its beginning (ENRP-3.2-04,
// ENRP-3.2-19).
func (j *join) mentorFailed(now time.Time) {
	if p := j.mentor; p != nil {
		j.downloads.end(p)
	}
	j.nextMentor(now)
}

// awaitList gives a mentor its time for the list (ENRP-3.2-04).
func (j *join) awaitList(now time.Time) {
	j.timers.Set(&j.timer, now.Add(j.cfg.Timers.Mentor))
}

// awaitTable leaves it to the download how long the table may take.
func (j *join) awaitTable() { j.timers.Stop(&j.timer) }

// heard makes a registrar that was heard over SCTP while we join one of the
// candidates. If we have nobody to ask any more, it is asked at once.
func (j *join) heard(now time.Time, p *peer) {
	if j.step == joinDone || !j.candidates.addHeard(now, p) {
		return
	}
	if j.step == joinSeek {
		j.at = len(j.candidates.list) - 2
		j.nextMentor(now)
	}
}

// candidateFailed: there is no registrar at the candidate's address.
func (j *join) candidateFailed(now time.Time, c *peerCandidate) {
	if j.waitsFor(c) {
		j.mentorFailed(now)
	}
}

// waitsFor says whether the candidate is the mentor that was asked for the list.
func (j *join) waitsFor(c *peerCandidate) bool {
	return j.step == joinList && j.candidates.list[j.at] == c
}

// handleListResponse makes the registrars in it peers (ENRP-3.2-06), but those
// that were taken over, and goes on to the table (ENRP-3.2-09).
func (j *join) handleListResponse(now time.Time, p *peer, m enrp.ListResponse) {
	if m.Rejected {
		if j.step == joinList {
			j.mentorRefused(now, p)
		}
		return
	}
	for _, s := range m.Servers {
		if canServe(p, s.Transport) {
			j.peers.learn(now, s)
		}
	}
	if j.step == joinList {
		j.step, j.mentor = joinTable, p
		j.downloads.start(now, p, false)
	}
}

// mentorRefused: a registrar that is starting itself has no table for us.
func (j *join) mentorRefused(now time.Time, p *peer) {
	j.refused++
	if p.id < j.id {
		j.lowest = false
	}
	j.mentorFailed(now)
}

// loseMentor turns to a backup when the mentor is gone (ENRP-3.2-19).
func (j *join) loseMentor(now time.Time, p *peer) {
	if j.mentor == p {
		j.nextMentor(now)
	}
}
