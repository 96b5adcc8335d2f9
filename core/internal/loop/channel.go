package loop

import (
	"errors"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// channel is one endpoint of a registrar.
type channel struct {
	name  registrar.Channel
	ppid  uint32
	port  *Port
	links map[assoc.ID]*link
}

// link is one association of a channel.
type link struct {
	up     bool
	tokens []registrar.Token // whose outcome is open
}

func (ch *channel) link(id assoc.ID) *link {
	l := ch.links[id]
	if l == nil {
		l = &link{}
		ch.links[id] = l
	}
	return l
}

func (ch *channel) named(id assoc.ID) registrar.Link {
	return registrar.Link{Channel: ch.name, Assoc: id}
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
				r.log.Error("the endpoint fails", "channel", ch.name, "err", err)
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
	case assoc.CommUp:
		r.becomeUp(ch, info.Assoc)
	case assoc.Restart:
		local, peer, _ := ch.port.AssocAddrs(info.Assoc) // gone already: the end follows
		r.loop.Post(registrar.AssocRestarted{Link: ch.named(info.Assoc), Local: local, Peer: peer})
	case assoc.CommLost, assoc.ShutdownComplete, assoc.CannotStart:
		r.becomeDown(ch, info)
	}
}

// becomeUp reports the association once for every token that waits for it,
// and once if none does.
func (r *Registrar) becomeUp(ch *channel, id assoc.ID) {
	l := ch.link(id)
	l.up = true
	tokens := l.tokens
	l.tokens = nil
	if len(tokens) == 0 {
		tokens = []registrar.Token{0}
	}
	for _, token := range tokens {
		r.postUp(ch, id, token)
	}
}

func (r *Registrar) postUp(ch *channel, id assoc.ID, token registrar.Token) {
	local, peer, _ := ch.port.AssocAddrs(id) // gone already: the end follows
	r.loop.Post(registrar.AssocUp{Link: ch.named(id), Token: token, Local: local, Peer: peer})
}

func (r *Registrar) becomeDown(ch *channel, info *assoc.RecvInfo) {
	l := ch.link(info.Assoc)
	delete(ch.links, info.Assoc)
	ch.port.Forget(info.Assoc)
	delete(r.tables, ch.named(info.Assoc))
	if l.up {
		r.loop.Post(registrar.AssocLost{Link: ch.named(info.Assoc), Err: info.Err})
	}
	for _, token := range l.tokens {
		r.loop.Post(registrar.ConnectFailed{Token: token, Err: info.Err})
	}
}

// handleMessage demultiplexes by PPID (ASAP-5-01, ASAP-5-05).
func (r *Registrar) handleMessage(ch *channel, info *assoc.RecvInfo, b []byte) {
	link := ch.named(info.Assoc)
	switch {
	case info.PPID == protocol.PPIDASAP && ch == r.asap:
		m, report, err := asap.Parse(b)
		if err != nil {
			r.garbage.Log("bad ASAP message", "from", info.From, "err", err)
		}
		r.loop.Post(registrar.ASAPReceived{Link: link, Message: m, Report: report, Err: err})
	case info.PPID == protocol.PPIDENRP:
		r.handleENRP(ch, info, b)
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
		r.loop.Post(registrar.ENRPReceived{Link: ch.named(info.Assoc), Message: m, Report: report, Err: err})
	}
}

func (r *Registrar) channel(name registrar.Channel) *channel {
	if name == registrar.ENRPOverSCTP && r.enrp != nil {
		return r.enrp
	}
	return r.asap
}

// perform does what the machine wants.
func (r *Registrar) perform(f registrar.Effect) {
	switch f := f.(type) {
	case registrar.SendASAP:
		b, err := asap.Append(nil, f.Message)
		r.send(f.Link, b, err)
	case registrar.SendENRP:
		b, err := enrp.Append(nil, f.Message)
		r.send(f.Link, b, err)
	case registrar.SendASAPTo:
		b, err := asap.Append(nil, f.Message)
		r.sendTo(r.asap, f.Token, f.Peer, b, err)
	case registrar.SendENRPTo:
		b, err := enrp.Append(nil, f.Message)
		r.sendTo(r.channel(registrar.ENRPOverSCTP), f.Token, f.Peer, b, err)
	case registrar.Shutdown:
		r.end(f.Link, (*Port).Shutdown)
	case registrar.Abort:
		r.end(f.Link, func(p *Port, id assoc.ID) error { return p.Abort(id, f.Reason) })
	case registrar.SendAnnounce:
		r.sendAnnounce(f.Message)
	case registrar.SendPresence:
		r.sendPresence(f.Message)
	case registrar.Left:
		close(r.left)
	case registrar.Log:
		r.write(f)
	}
}

// send sends over a link; err says that the message cannot be encoded.
func (r *Registrar) send(l registrar.Link, b []byte, err error) {
	if err == nil {
		err = r.sendControl(l, b)
	}
	if errors.Is(err, ErrOutbox) {
		r.end(l, func(p *Port, id assoc.ID) error { return p.Abort(id, "control messages are not read") })
	}
	if err != nil {
		r.garbage.Log("cannot send", "channel", l.Channel, "assoc", l.Assoc, "err", err)
	}
}

func (r *Registrar) sendControl(l registrar.Link, b []byte) error {
	if l.Channel == registrar.ASAPOverTCP {
		return r.tcp.send(l.Assoc, b)
	}
	ch := r.channel(l.Channel)
	return ch.port.SendControl(l.Assoc, ch.ppid, b)
}

// end ends a link.
func (r *Registrar) end(l registrar.Link, how func(*Port, assoc.ID) error) {
	if l.Channel == registrar.ASAPOverTCP {
		r.tcp.end(l.Assoc)
		return
	}
	_ = how(r.channel(l.Channel).port, l.Assoc) // gone already: as wished
}

// sendTo sends over the association with the peer, opening it if need be.
func (r *Registrar) sendTo(ch *channel, token registrar.Token, peer []netip.AddrPort, b []byte, err error) {
	var id assoc.ID
	if err == nil {
		id, err = ch.port.Connect(peer, nil)
	}
	if err != nil && !errors.Is(err, assoc.ErrAlreadyExists) {
		r.loop.Post(registrar.ConnectFailed{Token: token, Err: err})
		return
	}
	if err := ch.port.SendControl(id, ch.ppid, b); err != nil {
		r.loop.Post(registrar.ConnectFailed{Token: token, Err: err})
		return
	}
	if l := ch.link(id); l.up {
		r.postUp(ch, id, token)
	} else {
		l.tokens = append(l.tokens, token)
	}
}
