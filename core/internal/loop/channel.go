package loop

import (
	"errors"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// channel is one endpoint of a registrar.
type channel struct {
	*driver.Channel
	port *Port
}

// receive passes on all that has arrived; it is the endpoint's readable hook.
func (r *Registrar) receive(ch *channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed {
		var info assoc.RecvInfo
		b, err := ch.port.Receive(&info)
		if err != nil {
			if !errors.Is(err, assoc.ErrWouldBlock) && !Closed(err) {
				r.log.Error("the endpoint fails", "channel", ch.Name.String(), "err", err)
			}
			return
		}
		r.handle(ch, &info, b)
	}
}

func (r *Registrar) writable(ch *channel, id assoc.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		ch.port.Flush(id)
	}
}

func (r *Registrar) handle(ch *channel, info *assoc.RecvInfo, b []byte) {
	switch info.Kind {
	case assoc.Message:
		r.handleMessage(ch, info, b)
		return
	case assoc.CommLost, assoc.ShutdownComplete, assoc.CannotStart:
		ch.port.Forget(info.Assoc)
		delete(r.tables, ch.Link(info.Assoc))
		r.parting.ended(ch.Link(info.Assoc))
	}
	ch.Notify(info)
}

// handleMessage demultiplexes by PPID (ASAP-5-01, ASAP-5-05).
func (r *Registrar) handleMessage(ch *channel, info *assoc.RecvInfo, b []byte) {
	link := ch.Link(info.Assoc)
	switch {
	case info.PPID == protocol.PPIDASAP && ch == r.asap:
		m, report, err := asap.Parse(b)
		if err != nil {
			r.garbage.Log("bad ASAP message", "from", info.From, "err", err)
		}
		r.loop.Post(registrar.ASAPReceived{Link: link, Message: m, Report: report, Err: err})
	case info.PPID == protocol.PPIDENRP:
		r.handleENRP(ch, info, b)
	case info.PPID == protocol.PPIDASAP:
		r.loop.Post(registrar.Misdirected{Link: link})
	default:
		r.garbage.Log("message that is neither ASAP nor ENRP", "from", info.From, "ppid", info.PPID)
	}
}

func (r *Registrar) handleENRP(ch *channel, info *assoc.RecvInfo, b []byte) {
	m, report, err := enrp.Parse(b)
	if err != nil {
		r.garbage.Log("bad ENRP message", "from", info.From, "err", err)
	}
	if q, ok := m.(enrp.HandleTableRequest); ok && q.Sender == 0 {
		r.handleQuery(ch, info.Assoc, q)
	} else if ch == r.enrp {
		r.loop.Post(registrar.ENRPReceived{Link: ch.Link(info.Assoc), Message: enrp.In(m, info.From.Addr().Zone()), Report: report, Err: err})
	} else if m != nil {
		r.loop.Post(registrar.Misdirected{Link: ch.Link(info.Assoc)})
	}
}

// perform does what the machine wants.
func (r *Registrar) perform(f registrar.Effect) {
	if f, is := f.(registrar.Shutdown); is {
		r.shutDown(f.Link)
	}
	if r.links.Perform(f) {
		return
	}
	switch f := f.(type) {
	case registrar.SendAnnounce:
		r.sendAnnounce(f.Message)
	case registrar.SendPresence:
		r.sendPresence(f.Message)
	case registrar.LookUpPeers:
		r.startLookUp()
	case registrar.Left:
		r.part()
	case registrar.Log:
		r.write(f)
	}
}

// couldNotSend needs no event: the end of the association tells.
func (r *Registrar) couldNotSend(l registrar.Link, err error) {
	r.garbage.Log("cannot send", "channel", l.Channel.String(), "assoc", l.Assoc, "err", err)
}
