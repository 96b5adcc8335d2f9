package driver

import (
	"errors"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Streams are the TCP connections of a registrar.
type Streams interface {
	Send(id assoc.ID, b []byte) error
	End(id assoc.ID) // the event follows
}

// Registrar performs what a registrar's machine wants to be said.
type Registrar struct {
	ASAP, ENRP *Channel // ENRP is nil without it
	TCP        Streams  // nil without TCP
	// Failed is told why a message could not be encoded or sent.
	Failed func(l registrar.Link, err error)
}

// Perform performs an effect that concerns associations; false means that it
// is another one.
func (r *Registrar) Perform(f registrar.Effect) (done bool) {
	switch f := f.(type) {
	case registrar.SendASAP:
		b, err := asap.Append(nil, f.Message)
		r.send(f.Link, b, err)
	case registrar.SendENRP:
		b, err := enrp.Append(nil, f.Message)
		r.send(f.Link, b, err)
	case registrar.SendASAPTo:
		b, err := asap.Append(nil, f.Message)
		r.sendTo(r.ASAP, f.Token, f.Peer, b, err)
	case registrar.SendENRPTo:
		b, err := enrp.Append(nil, f.Message)
		r.sendTo(r.channel(registrar.ENRPOverSCTP), f.Token, f.Peer, b, err)
	case registrar.Shutdown:
		r.end(f.Link, func(ep Endpoint) error { return ep.Shutdown(f.Link.Assoc) })
	case registrar.Abort:
		r.end(f.Link, func(ep Endpoint) error { return ep.Abort(f.Link.Assoc, f.Reason) })
	default:
		return false
	}
	return true
}

func (r *Registrar) channel(name registrar.Channel) *Channel {
	if name == registrar.ENRPOverSCTP && r.ENRP != nil {
		return r.ENRP
	}
	return r.ASAP
}

// send sends over a link; err says that the message cannot be encoded.
func (r *Registrar) send(l registrar.Link, b []byte, err error) {
	if err == nil {
		err = r.sendControl(l, b)
	}
	if errors.Is(err, ErrNotRead) {
		r.end(l, func(ep Endpoint) error { return ep.Abort(l.Assoc, "control messages are not read") })
	}
	if err != nil {
		r.Failed(l, err)
	}
}

func (r *Registrar) sendControl(l registrar.Link, b []byte) error {
	if l.Channel == registrar.ASAPOverTCP {
		return r.TCP.Send(l.Assoc, b)
	}
	ch := r.channel(l.Channel)
	return ch.Endpoint.SendControl(l.Assoc, ch.PPID, b)
}

func (r *Registrar) sendTo(ch *Channel, token registrar.Token, peer []netip.AddrPort, b []byte, err error) {
	if err != nil {
		ch.Post(registrar.ConnectFailed{Token: token, Err: err})
		return
	}
	ch.sendTo(token, peer, b)
}

// end ends a link.
func (r *Registrar) end(l registrar.Link, how func(Endpoint) error) {
	if l.Channel == registrar.ASAPOverTCP {
		r.TCP.End(l.Assoc)
		return
	}
	_ = how(r.channel(l.Channel).Endpoint) // gone already: as wished
}
