package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// join is how a registrar starts: it asks a mentor who the other registrars
// are, then for the whole handle table, and only then serves (RFC 5353
// section 3.2). The configured candidates are tried one after the other
// (ENRP-3.2-01), then those that were found by multicast, for which it listens
// a while; with none there is nothing to ask (ENRP-3.2-02).
type join struct {
	step    joinStep
	at      int   // which candidate
	mentor  *peer // once it was heard
	timer   timerq.Timer[deadline]
	round   int
	lowest  bool // nobody with a lower identifier is starting too
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

type joinTime struct{}

func (r *Registrar) startJoining(now time.Time) {
	r.join.timer.Value = joinTime{}
	r.makeCandidates()
	if r.cfg.LookUp {
		r.join.step = joinNames
		r.lookUpPeers()
		return
	}
	r.startRound(now)
}

func (r *Registrar) startRound(now time.Time) {
	r.join.at, r.join.refused, r.join.lowest = -1, 0, true
	r.join.round++
	r.nextMentor(now)
}

// nextMentor turns to the next candidate; after the last one the round is over.
func (r *Registrar) nextMentor(now time.Time) {
	j := &r.join
	j.at++
	j.mentor = nil
	if j.at >= len(r.candidates) {
		r.endRound(now)
		return
	}
	j.step = joinList
	r.timers.Set(&j.timer, now.Add(r.cfg.Timers.Mentor)) // ENRP-3.2-04
	c := r.candidates[j.at]
	if l := r.candidateLink(c); l != nil {
		r.askForList(l)
	} else if c.attempt == nil {
		r.reachOut(c)
	}
}

// candidateLink is an association with the candidate's registrar, if there is one.
func (r *Registrar) candidateLink(c *peerCandidate) *link {
	if c.link != nil {
		return c.link
	}
	for _, p := range r.peers {
		if p.link != nil && len(p.link.addrs) > 0 && p.link.addrs[0] == c.addrs[0] {
			return p.link
		}
	}
	return nil
}

// endRound: no mentor gave us its table. If some are starting like us, the
// one with the lowest identifier stops waiting and serves, so that the others
// find a mentor; if there is nobody, we are alone.
func (r *Registrar) endRound(now time.Time) {
	j := &r.join
	if now.Before(r.discovery.until) { // one that serves may still be found
		j.step = joinSeek
		r.timers.Set(&j.timer, r.discovery.until)
		return
	}
	if j.refused == 0 || j.lowest || j.round >= maxJoinRounds {
		r.restore(now)
		r.endJoin(now)
		return
	}
	j.step = joinPause
	r.timers.Set(&j.timer, now.Add(r.cfg.Timers.MentorRetry)) // ENRP-3.2-08
}

func (r *Registrar) endJoin(now time.Time) {
	r.join.step, r.join.mentor = joinDone, nil
	r.timers.Stop(&r.join.timer)
	r.becomeServing(now)
}

func (joinTime) due(r *Registrar, now time.Time) {
	switch r.join.step {
	case joinPause, joinSeek:
		r.startRound(now)
	case joinList, joinTable:
		r.mentorFailed(now)
	}
}

// mentorFailed: what was downloaded stays, the rest comes from a backup from
// the beginning (ENRP-3.2-04, ENRP-3.2-19).
func (r *Registrar) mentorFailed(now time.Time) {
	if p := r.join.mentor; p != nil {
		r.endDownload(p)
	}
	r.nextMentor(now)
}

func (r *Registrar) joinFailed(now time.Time, c *peerCandidate) {
	if r.waitsFor(c) {
		r.mentorFailed(now)
	}
}

// waitsFor says whether the candidate is the mentor that was asked for the list.
func (r *Registrar) waitsFor(c *peerCandidate) bool {
	return r.join.step == joinList && r.candidates[r.join.at] == c
}

// askForList may not know yet whom it asks: Receiver ID 0 (ENRP-2.1-02).
func (r *Registrar) askForList(l *link) {
	m := enrp.ListRequest{Route: enrp.Route{Sender: r.id}} // ENRP-3.2-03
	if l.peer != nil {
		m.Receiver = l.peer.id
	}
	r.emit(SendENRP{Link: l.Link, Message: m})
}

// handleListRequest names all registrars but the one who asks (ENRP-3.2-05),
// or refuses while we are starting ourselves (ENRP-3.2-07, ENRP-2.6-01).
func (r *Registrar) handleListRequest(p *peer) {
	m := enrp.ListResponse{Route: enrp.Route{Sender: r.id, Receiver: p.id}, Rejected: !r.serving}
	if r.serving {
		if !r.cfg.ENRP.IsZero() {
			m.Servers = append(m.Servers, protocol.Server{ID: r.id, Transport: r.cfg.ENRP})
		}
		for _, q := range r.peers {
			if q != p && q.active() && !q.server.IsZero() {
				m.Servers = append(m.Servers, protocol.Server{ID: q.id, Transport: q.server})
			}
		}
	}
	r.tell(p, m)
}

// handleListResponse makes the registrars in it peers (ENRP-3.2-06), but those
// that were taken over, and goes on to the table (ENRP-3.2-09).
func (r *Registrar) handleListResponse(now time.Time, p *peer, m enrp.ListResponse) {
	if m.Rejected {
		if r.join.step == joinList {
			r.mentorRefused(now, p)
		}
		return
	}
	for _, s := range m.Servers {
		if s.ID == 0 || s.ID == r.id || r.peersByID[s.ID] != nil || r.hasDeparted(now, s.ID) || !r.canServe(p, s.Transport) {
			continue
		}
		if q := r.addPeer(now, s.ID, s.Transport.AddrPorts()); q != nil {
			q.server = s.Transport
			r.tell(q, r.presence(q.id, true))
		}
	}
	if r.join.step == joinList {
		r.join.step, r.join.mentor = joinTable, p
		r.startDownload(now, p, false)
	}
}

func (r *Registrar) mentorRefused(now time.Time, p *peer) {
	r.join.refused++
	if p.id < r.id {
		r.join.lowest = false
	}
	r.mentorFailed(now)
}
