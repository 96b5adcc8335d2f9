package driver

import (
	"errors"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/registrar"
)

// MaxWaiting bounds the control messages that wait for room in the send buffer
// of one association.
const MaxWaiting = 64

// ErrNotRead means that a peer does not read its control messages.
var ErrNotRead = errors.New("too many control messages wait to be sent")

// Endpoint is what a Channel needs of an SCTP endpoint. SendControl sends a
// message ordered on stream 0, now or when there is room (ASAP-5-07), or
// returns ErrNotRead when MaxWaiting wait already; the others are as in
// transport.Endpoint.
type Endpoint interface {
	Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error)
	SendControl(id assoc.ID, ppid uint32, b []byte) error
	Shutdown(id assoc.ID) error
	Abort(id assoc.ID, reason string) error
	AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error)
}

// Channel is one SCTP endpoint of a registrar.
type Channel struct {
	Name     registrar.Channel
	PPID     uint32
	Endpoint Endpoint
	Post     func(registrar.Event)
	// Here says whether a peer is on this host, and which addresses that has; nil
	// where nobody is.
	Here func(peer []netip.AddrPort) (here bool, host []netip.Addr)

	links map[assoc.ID]*link
}

// link is one association of a channel.
type link struct {
	up     bool
	tokens []registrar.Token // whose outcome is open
}

func (ch *Channel) link(id assoc.ID) *link {
	if ch.links == nil {
		ch.links = map[assoc.ID]*link{}
	}
	l := ch.links[id]
	if l == nil {
		l = &link{}
		ch.links[id] = l
	}
	return l
}

// Link names an association of the channel.
func (ch *Channel) Link(id assoc.ID) registrar.Link {
	return registrar.Link{Channel: ch.Name, Assoc: id}
}

// Notify passes on what became of an association.
func (ch *Channel) Notify(info *assoc.RecvInfo) {
	switch info.Kind {
	case assoc.CommUp:
		ch.becomeUp(info.Assoc)
	case assoc.Restart:
		local, peer, _ := ch.Endpoint.AssocAddrs(info.Assoc) // gone already: the end follows
		ch.Post(registrar.AssocRestarted{Link: ch.Link(info.Assoc), Local: local, Peer: peer})
	case assoc.CommLost, assoc.ShutdownComplete, assoc.CannotStart:
		ch.becomeDown(info.Assoc, info.Err)
	}
}

// becomeUp reports the association once for every token that waits for it,
// and once if none does.
func (ch *Channel) becomeUp(id assoc.ID) {
	l := ch.link(id)
	l.up = true
	tokens := l.tokens
	l.tokens = nil
	if len(tokens) == 0 {
		tokens = []registrar.Token{0}
	}
	for _, token := range tokens {
		ch.postUp(id, token)
	}
}

func (ch *Channel) postUp(id assoc.ID, token registrar.Token) {
	local, peer, _ := ch.Endpoint.AssocAddrs(id) // gone already: the end follows
	up := registrar.AssocUp{Link: ch.Link(id), Token: token, Local: local, Peer: peer}
	if ch.Here != nil {
		up.Here, up.Host = ch.Here(peer)
	}
	ch.Post(up)
}

func (ch *Channel) becomeDown(id assoc.ID, err error) {
	l := ch.link(id)
	delete(ch.links, id)
	if l.up {
		ch.Post(registrar.AssocLost{Link: ch.Link(id), Err: err})
	}
	for _, token := range l.tokens {
		ch.Post(registrar.ConnectFailed{Token: token, Err: err})
	}
}

// sendTo sends over the association with the peer, opening it if need be.
func (ch *Channel) sendTo(token registrar.Token, peer []netip.AddrPort, b []byte) {
	id, err := ch.Endpoint.Connect(peer, nil)
	if err == nil || errors.Is(err, assoc.ErrAlreadyExists) {
		err = ch.Endpoint.SendControl(id, ch.PPID, b)
		if errors.Is(err, assoc.ErrNotConnected) {
			err = nil // it has ended already: the notification that follows knows why
		}
	}
	if err != nil {
		ch.Post(registrar.ConnectFailed{Token: token, Err: err})
		return
	}
	if l := ch.link(id); l.up {
		ch.postUp(id, token)
	} else {
		l.tokens = append(l.tokens, token)
	}
}
