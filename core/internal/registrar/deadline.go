package registrar

import "time"

// deadline is what a timer leads to. It says which part is in charge, as Step
// does for events. What is kept for every PE has no pointer to its part.
type deadline interface {
	due(r *Registrar, now time.Time)
}

// What is due at most once at a time needs no value of its own.
type (
	heartbeatTime struct{}
	announceTime  struct{}
	joinTime      struct{}
	presentTime   struct{} // of the presence to the multicast group
	leaveTimeout  struct{}
	offersOver    struct{}
)

// What is due for one association or peer among others.
type (
	idleLink   struct{ *link } // we opened it, and it was of no use for a while
	peerSilent struct{ *peer } // for too long, or it owes a reply
)

func (heartbeatTime) due(r *Registrar, now time.Time)      { r.beat(now) }
func (announceTime) due(r *Registrar, now time.Time)       { r.announcer.announce(now) }
func (o *announced) due(r *Registrar, _ time.Time)         { r.announcer.forget(o) }
func (joinTime) due(r *Registrar, now time.Time)           { r.join.timeout(now) }
func (presentTime) due(r *Registrar, now time.Time)        { r.discovery.present(now) }
func (leaveTimeout) due(r *Registrar, _ time.Time)         { r.handover.endLeave() }
func (offersOver) due(r *Registrar, now time.Time)         { r.handover.endOffers(now) }
func (i idleLink) due(r *Registrar, _ time.Time)           { r.links.closeIdle(i.link) }
func (s peerSilent) due(r *Registrar, now time.Time)       { r.liveness.silent(now, s.peer) }
func (mon *monitor) due(r *Registrar, now time.Time)       { r.monitors.due(now, mon) }
func (p *poolSubscribers) due(r *Registrar, now time.Time) { r.subscribers.tell(now, p) }
func (s *session) due(r *Registrar, _ time.Time)           { r.sessions.end(s.peer) }
func (d *download) due(r *Registrar, now time.Time)        { r.downloads.failed(now, d) }
func (t *takeover) due(r *Registrar, now time.Time)        { r.takeovers.remind(now, t) }
