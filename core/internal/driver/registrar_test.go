package driver

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// desk is a registrar's shell between a fake endpoint and TCP server, and a
// machine that only writes down what it is told.
type desk struct {
	Registrar
	log  []string
	full map[assoc.ID]bool // whose peer does not read
	gone map[assoc.ID]bool
	ids  map[netip.AddrPort]assoc.ID
	fail error // of Connect
}

func newDesk() *desk {
	d := &desk{full: map[assoc.ID]bool{}, gone: map[assoc.ID]bool{}, ids: map[netip.AddrPort]assoc.ID{}}
	channel := func(name registrar.Channel, ppid uint32) *Channel {
		return &Channel{Name: name, PPID: ppid, Endpoint: &fakeEndpoint{d, name}, Post: d.post}
	}
	d.ASAP = channel(registrar.ASAPOverSCTP, protocol.PPIDASAP)
	d.ENRP = channel(registrar.ENRPOverSCTP, protocol.PPIDENRP)
	d.TCP = fakeStreams{d}
	d.Failed = func(l registrar.Link, err error) { d.note("%v %d: cannot send: %v", l.Channel, l.Assoc, err) }
	return d
}

func (d *desk) note(format string, args ...any) { d.log = append(d.log, fmt.Sprintf(format, args...)) }

func (d *desk) post(e registrar.Event) {
	switch e := e.(type) {
	case registrar.AssocUp:
		d.note("AssocUp %d token %d", e.Link.Assoc, e.Token)
	case registrar.AssocRestarted:
		d.note("AssocRestarted %d", e.Link.Assoc)
	case registrar.AssocLost:
		d.note("AssocLost %d: %v", e.Link.Assoc, e.Err)
	case registrar.ConnectFailed:
		d.note("ConnectFailed token %d: %v", e.Token, e.Err)
	}
}

// logged compares what was written down since the last call.
func (d *desk) logged(t *testing.T, want ...string) {
	t.Helper()
	if have := strings.Join(d.log, "\n"); have != strings.Join(want, "\n") {
		t.Errorf("have:\n%s\nwant:\n%s", have, strings.Join(want, "\n"))
	}
	d.log = nil
}

type fakeEndpoint struct {
	d    *desk
	name registrar.Channel
}

func (e *fakeEndpoint) Connect(peer []netip.AddrPort, _ *assoc.Params) (assoc.ID, error) {
	if e.d.fail != nil {
		return 0, e.d.fail
	}
	if id := e.d.ids[peer[0]]; id != 0 {
		return id, assoc.ErrAlreadyExists
	}
	id := assoc.ID(len(e.d.ids) + 1)
	e.d.ids[peer[0]] = id
	e.d.note("%v: connect %d", e.name, id)
	return id, nil
}

func (e *fakeEndpoint) SendControl(id assoc.ID, ppid uint32, b []byte) error {
	switch {
	case e.d.full[id]:
		return ErrNotRead
	case e.d.gone[id]:
		return assoc.ErrNotConnected
	}
	e.d.note("%v: send %d ppid %d type %d", e.name, id, ppid, b[0])
	return nil
}

func (e *fakeEndpoint) Shutdown(id assoc.ID) error {
	e.d.note("%v: shutdown %d", e.name, id)
	return assoc.ErrNotConnected
}

func (e *fakeEndpoint) Abort(id assoc.ID, reason string) error {
	e.d.note("%v: abort %d: %s", e.name, id, reason)
	return nil
}

func (e *fakeEndpoint) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	return nil, nil, assoc.ErrNotConnected
}

type fakeStreams struct{ d *desk }

func (s fakeStreams) Send(id assoc.ID, b []byte) error {
	if s.d.full[id] {
		return ErrNotRead
	}
	s.d.note("TCP: send %d type %d", id, b[0])
	return nil
}

func (s fakeStreams) End(id assoc.ID) { s.d.note("TCP: end %d", id) }

var peerA, peerB = netip.MustParseAddrPort("192.0.2.1:9901"), netip.MustParseAddrPort("192.0.2.2:9901")

func presenceTo(token registrar.Token, peer netip.AddrPort) registrar.SendENRPTo {
	return registrar.SendENRPTo{Token: token, Peer: []netip.AddrPort{peer}, Message: enrp.Presence{Route: enrp.Route{Sender: 1}}}
}

func notify(ch *Channel, kind assoc.Kind, id assoc.ID, err error) {
	ch.Notify(&assoc.RecvInfo{Kind: kind, Assoc: id, Err: err})
}

// Every token is told its outcome once: when the association comes up, at once
// where it stands, and when it cannot be.
func TestTokensHaveOneOutcome(t *testing.T) {
	d := newDesk()
	d.Perform(presenceTo(1, peerA))
	d.Perform(presenceTo(2, peerA)) // while it is being opened
	d.logged(t, "ENRP/SCTP: connect 1", "ENRP/SCTP: send 1 ppid 12 type 1", "ENRP/SCTP: send 1 ppid 12 type 1")
	notify(d.ENRP, assoc.CommUp, 1, nil)
	d.logged(t, "AssocUp 1 token 1", "AssocUp 1 token 2")
	d.Perform(presenceTo(3, peerA))
	d.logged(t, "ENRP/SCTP: send 1 ppid 12 type 1", "AssocUp 1 token 3")
	notify(d.ENRP, assoc.CommLost, 1, assoc.ErrTimeout)
	d.logged(t, "AssocLost 1: "+assoc.ErrTimeout.Error())

	d.Perform(presenceTo(4, peerB))
	d.Perform(presenceTo(5, peerB))
	d.log = nil
	notify(d.ENRP, assoc.CannotStart, 2, assoc.ErrRefused)
	d.logged(t, "ConnectFailed token 4: "+assoc.ErrRefused.Error(), "ConnectFailed token 5: "+assoc.ErrRefused.Error())

	d.fail = assoc.ErrInvalid
	d.Perform(presenceTo(6, peerA))
	d.logged(t, "ConnectFailed token 6: "+assoc.ErrInvalid.Error())
}

// An association that the peer opened has no token. A restart is told as such,
// and an end as one, whatever its kind.
func TestAssociationsOfPeers(t *testing.T) {
	d := newDesk()
	notify(d.ASAP, assoc.CommUp, 7, nil)
	notify(d.ASAP, assoc.Restart, 7, nil)
	notify(d.ASAP, assoc.ShutdownComplete, 7, nil)
	notify(d.ASAP, assoc.CannotStart, 8, assoc.ErrRefused) // never was up: nothing to tell
	d.logged(t, "AssocUp 7 token 0", "AssocRestarted 7", "AssocLost 7: <nil>")
}

func resolution(l registrar.Link) registrar.SendASAP {
	return registrar.SendASAP{Link: l, Message: asap.HandleResolutionResponse{Handle: "echo"}}
}

// What is sent to an association that is gone is reported; a peer that does not
// read loses its association.
func TestWhatCannotBeSent(t *testing.T) {
	d := newDesk()
	d.gone[1], d.full[2] = true, true
	d.Perform(resolution(d.ASAP.Link(1)))
	d.logged(t, "ASAP/SCTP 1: cannot send: "+assoc.ErrNotConnected.Error())
	d.Perform(resolution(d.ASAP.Link(2)))
	d.logged(t, "ASAP/SCTP: abort 2: control messages are not read", "ASAP/SCTP 2: cannot send: "+ErrNotRead.Error())
	d.full[3] = true
	d.Perform(resolution(registrar.Link{Channel: registrar.ASAPOverTCP, Assoc: 3}))
	d.logged(t, "TCP: end 3", "ASAP/TCP 3: cannot send: "+ErrNotRead.Error())
}

// What cannot be encoded is never sent, and its token is told.
func TestWhatCannotBeEncoded(t *testing.T) {
	d := newDesk()
	long := protocol.PoolHandle(strings.Repeat("x", 1<<16))
	d.Perform(registrar.SendASAP{Link: d.ASAP.Link(1), Message: asap.HandleResolutionResponse{Handle: long}})
	d.Perform(registrar.SendASAPTo{Token: 2, Peer: []netip.AddrPort{peerA}, Message: asap.EndpointKeepAlive{Handle: long}})
	if len(d.log) != 2 || !strings.HasPrefix(d.log[0], "ASAP/SCTP 1: cannot send: ") || !strings.HasPrefix(d.log[1], "ConnectFailed token 2: ") {
		t.Errorf("%q", d.log)
	}
}

// Links end on the channel that they belong to; what ended already needs no
// event.
func TestLinksEnd(t *testing.T) {
	d := newDesk()
	tcp := registrar.Link{Channel: registrar.ASAPOverTCP, Assoc: 3}
	for _, f := range []registrar.Effect{
		registrar.Shutdown{Link: d.ASAP.Link(1)}, registrar.Abort{Link: d.ENRP.Link(2), Reason: "why"},
		registrar.Shutdown{Link: tcp}, registrar.Abort{Link: tcp}, resolution(tcp),
	} {
		if !d.Perform(f) {
			t.Errorf("%T was left to the caller", f)
		}
	}
	d.logged(t, "ASAP/SCTP: shutdown 1", "ENRP/SCTP: abort 2: why", "TCP: end 3", "TCP: end 3", "TCP: send 3 type 6")
}

// Effects that do not concern associations are left to the caller; without an
// ENRP endpoint all goes by the one for ASAP.
func TestOtherEffects(t *testing.T) {
	d := newDesk()
	for _, f := range []registrar.Effect{registrar.Left{}, registrar.Log{}, registrar.SendAnnounce{}, registrar.SendPresence{}} {
		if d.Perform(f) {
			t.Errorf("%T was performed", f)
		}
	}
	d.ENRP, d.fail = nil, errors.New("no")
	d.Perform(presenceTo(9, peerA))
	d.logged(t, "ConnectFailed token 9: no")
}
