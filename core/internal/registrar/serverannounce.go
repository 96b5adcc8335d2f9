package registrar

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// announcer multicasts ASAP_SERVER_ANNOUNCE every (N+1) * T6 where N is the
// number of other registrars heard (ASAP-3.6-02), so that all together send
// about one per T6.
type announcer struct {
	timer      timerq.Timer[deadline]
	transports []protocol.Transport
	heard      map[protocol.ServerID]*announced
}

// announced is another registrar heard on the group. It counts until it was
// silent for a few of its periods (ASAP-3.6-03).
type announced struct {
	id      protocol.ServerID
	forgets timerq.Timer[deadline]
}

// maxAnnounced bounds what forged announcements can fill (SEC-2.12-02).
const maxAnnounced = 256

type announceTime struct{ *announcer }

func (r *Registrar) startAnnouncing(now time.Time) {
	if !r.cfg.Announce {
		return
	}
	a := &r.announcer
	a.heard = map[protocol.ServerID]*announced{}
	a.timer.Value = announceTime{a}
	for _, t := range r.cfg.ASAP { // ASAP-2.2.10-01; RSPLIB wants SCTP last
		switch t.Protocol {
		case protocol.SCTP:
			a.transports = append(a.transports, t)
		case protocol.TCP:
			a.transports = slices.Insert(a.transports, 0, t)
		}
	}
	r.timers.Set(&a.timer, now)
}

func (a announceTime) due(r *Registrar, now time.Time) {
	r.emit(SendAnnounce{Message: asap.ServerAnnounce{Server: r.id, Transports: a.transports}})
	r.timers.Set(&a.timer, now.Add(a.period(r)))
}

func (a *announcer) period(r *Registrar) time.Duration {
	return time.Duration(len(a.heard)+1) * r.cfg.Timers.Announce
}

func (r *Registrar) handleAnnounce(now time.Time, ev AnnounceReceived) {
	a := &r.announcer
	if a.heard == nil || ev.Message.Server == r.id {
		return
	}
	other := a.heard[ev.Message.Server]
	if other == nil {
		if len(a.heard) >= maxAnnounced {
			return
		}
		other = &announced{id: ev.Message.Server}
		other.forgets.Value = other
		a.heard[other.id] = other
	}
	r.timers.Set(&other.forgets, now.Add(3*a.period(r)))
}

func (o *announced) due(r *Registrar, _ time.Time) { delete(r.announcer.heard, o.id) }
