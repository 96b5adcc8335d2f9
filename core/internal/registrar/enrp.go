package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// enrpReceiver takes the messages of other registrars.
type enrpReceiver struct {
	*core
	links     *links
	liveness  *liveness
	peers     *peers
	join      *join
	sessions  *sessions
	downloads *downloads
	updates   *updates
	takeovers *takeovers
}

func (er *enrpReceiver) handle(now time.Time, ev ENRPReceived) {
	l := er.links.all[ev.Link]
	if l == nil || l.Channel != ENRPOverSCTP {
		return
	}
	if ev.Message == nil {
		er.counts.Malformed++
		er.emit(Log{Level: Debug, Msg: "dropped a message", At: l.addrs, Link: l.Link, Err: ev.Err})
		er.report(l, 0, ev.Report)
		return
	}
	if e, ok := ev.Message.(enrp.Error); ok {
		er.noteError(l, e)
		return
	}
	from := ev.Message.IDs().Sender
	if from == 0 || from == er.id { // from nobody, or from ourselves (ENRP-2.1-06)
		er.endOwnLink(l, ev.Message)
		return
	}
	er.report(l, from, ev.Report)
	if p := er.liveness.meet(now, l, from); p != nil {
		er.dispatch(now, p, ev.Message)
	}
}

// endOwnLink ends an association over which we have met ourselves.
func (er *enrpReceiver) endOwnLink(l *link, m enrp.Message) {
	if m, ok := m.(enrp.Presence); ok && m.Sender == er.id && l.peer == nil {
		er.emit(Abort{Link: l.Link, Reason: assoc.WrongPort("this registrar is its own peer")})
	}
}

// report sends an ENRP_ERROR where the rules for unknown things ask for it
// (ENRP-2.10-01, ENRP-3.7-01).
func (er *enrpReceiver) report(l *link, to protocol.ServerID, causes []protocol.Cause) {
	if len(causes) > 0 {
		er.emit(SendENRP{Link: l.Link, Message: enrp.Error{Route: enrp.Route{Sender: er.id, Receiver: to}, Causes: causes}})
	}
}

// noteError only notes it (ENRP-3.7-02). Its route is not to be relied on.
func (er *enrpReceiver) noteError(l *link, m enrp.Error) {
	text := "registrar reports an error"
	if len(m.Causes) > 0 {
		text += ": " + m.Causes[0].Code.String()
	}
	er.emit(Log{Level: Warn, Msg: text, At: l.addrs, Link: l.Link})
}

// dispatch gives a message to the part in charge of it.
func (er *enrpReceiver) dispatch(now time.Time, p *peer, m enrp.Message) {
	switch m := m.(type) {
	case enrp.Presence:
		er.liveness.handlePresence(now, p, m)
	case enrp.ListRequest:
		er.peers.handleListRequest(p)
	case enrp.ListResponse:
		er.join.handleListResponse(now, p, m)
	case enrp.HandleTableRequest:
		er.sessions.handleRequest(now, p, m)
	case enrp.HandleTableResponse:
		er.downloads.handleResponse(now, p, m)
	case enrp.HandleUpdate:
		er.updates.handle(now, p, m)
	case enrp.InitTakeover:
		er.takeovers.handleInit(now, p, m)
	case enrp.InitTakeoverAck:
		er.takeovers.handleInitAck(now, p, m)
	case enrp.TakeoverServer:
		er.takeovers.handleServer(now, p, m)
	}
}
