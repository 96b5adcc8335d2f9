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
	*core
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

func (a *announcer) start(now time.Time) {
	if !a.cfg.Announce {
		return
	}
	a.heard = map[protocol.ServerID]*announced{}
	a.timer.Value = announceTime{}
	for _, t := range a.cfg.ASAP { // SCTP and TCP only (ASAP-2.2.10-01); RSPLIB wants SCTP last
		switch t.Protocol {
		case protocol.SCTP:
			a.transports = append(a.transports, t)
		case protocol.TCP:
			a.transports = slices.Insert(a.transports, 0, t)
		}
	}
	a.timers.Set(&a.timer, now)
}

func (a *announcer) announce(now time.Time) {
	a.emit(SendAnnounce{Message: asap.ServerAnnounce{Server: a.id, Transports: a.transports}})
	a.timers.Set(&a.timer, now.Add(a.period()))
}

func (a *announcer) period() time.Duration {
	return time.Duration(len(a.heard)+1) * a.cfg.Timers.Announce
}

func (a *announcer) handle(now time.Time, ev AnnounceReceived) {
	if a.heard == nil || ev.Message.Server == a.id {
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
	a.timers.Set(&other.forgets, now.Add(3*a.period()))
}

func (a *announcer) forget(o *announced) { delete(a.heard, o.id) }
