package loop

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// script is an endpoint that brings what a test gave it, and then fails.
type script struct {
	transport.Endpoint
	infos []assoc.RecvInfo
	err   error
}

func (s *script) Recv(_ []byte, info *assoc.RecvInfo) (int, error) {
	if len(s.infos) == 0 {
		return 0, s.err
	}
	*info, s.infos = s.infos[0], s.infos[1:]
	return 0, nil
}

func (s *script) AssocAddrs(assoc.ID) (local, peer []netip.AddrPort, err error) { return nil, nil, nil }

// channel makes a channel of the registrar whose endpoint is s.
func (r *recording) channel(name registrar.Channel, s *script) *channel {
	port := NewPort(s)
	return &channel{&driver.Channel{Name: name, Endpoint: port, Post: r.loop.Post}, port}
}

// ASAP-5-01, ASAP-5-05: what arrives is sorted by its PPID and by the endpoint at which
// it arrives; the machine is told what was not readable, or was for somebody else.
func TestMessagesAreSorted(t *testing.T) {
	r := newRecording(t)
	r.garbage = NewRateLimitedLog(r.log)
	r.asap, r.enrp = r.channel(registrar.ASAPOverSCTP, &script{}), r.channel(registrar.ENRPOverSCTP, &script{})
	question, err := asap.Append(nil, asap.HandleResolution{Handle: "echo"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := enrp.Append(nil, enrp.ListRequest{Route: enrp.Route{Sender: 9}})
	if err != nil {
		t.Fatal(err)
	}
	bad := []byte{1, 2, 3}
	overASAP, overENRP := r.asap.Link(4), r.enrp.Link(4)
	for _, c := range []struct {
		at   *channel
		ppid uint32
		b    []byte
		want []registrar.Event
	}{
		{r.asap, protocol.PPIDASAP, question, []registrar.Event{registrar.ASAPReceived{Link: overASAP, Message: asap.HandleResolution{Handle: "echo"}}}},
		{r.enrp, protocol.PPIDASAP, question, []registrar.Event{registrar.Misdirected{Link: overENRP}}},
		{r.enrp, protocol.PPIDENRP, list, []registrar.Event{registrar.ENRPReceived{Link: overENRP, Message: enrp.ListRequest{Route: enrp.Route{Sender: 9}}}}},
		{r.asap, protocol.PPIDENRP, list, []registrar.Event{registrar.Misdirected{Link: overASAP}}},
		{r.asap, protocol.PPIDENRP, bad, nil},
		{r.asap, 0, question, nil},
		{r.enrp, 0, list, nil},
	} {
		r.machine.events = nil
		r.handle(c.at, &assoc.RecvInfo{Kind: assoc.Message, Assoc: 4, PPID: c.ppid}, c.b)
		if diff := cmp.Diff(c.want, r.machine.events); diff != "" {
			t.Errorf("at %v, PPID %d (-want +got):\n%s", c.at.Name, c.ppid, diff)
		}
	}
	r.machine.events = nil
	r.handle(r.asap, &assoc.RecvInfo{Kind: assoc.Message, Assoc: 4, PPID: protocol.PPIDASAP}, bad)
	r.handle(r.enrp, &assoc.RecvInfo{Kind: assoc.Message, Assoc: 4, PPID: protocol.PPIDENRP}, bad)
	a, okA := r.machine.events[0].(registrar.ASAPReceived)
	e, okE := r.machine.events[1].(registrar.ENRPReceived)
	if !okA || !okE || a.Err == nil || e.Err == nil || a.Link != overASAP || e.Link != overENRP {
		t.Errorf("of what is not readable the machine is told %+v", r.machine.events)
	}
}

// What an endpoint has is taken until there is no more, and the end of an association
// ends what was kept for it. An endpoint that fails is worth a line, one that was closed
// is not.
func TestReceiving(t *testing.T) {
	for err, lines := range map[error]int{assoc.ErrWouldBlock: 0, net.ErrClosed: 0, errors.New("broken"): 1} {
		for _, end := range []assoc.Kind{assoc.CommLost, assoc.ShutdownComplete} {
			r := newRecording(t)
			r.asap = r.channel(registrar.ASAPOverSCTP, &script{err: err, infos: []assoc.RecvInfo{
				{Kind: assoc.CommUp, Assoc: 4}, {Kind: assoc.CommUp, Assoc: 5}, {Kind: end, Assoc: 4}, {Kind: assoc.Restart, Assoc: 5},
			}})
			gone, left := r.asap.Link(4), r.asap.Link(5)
			r.tables = map[registrar.Link]*snapshot.Table{gone: {}, left: {}}
			r.asap.port.waiting[4], r.asap.port.waiting[5] = []control{{}}, []control{{}}
			r.receive(r.asap)
			if got := strings.Count(r.lines.String(), "the endpoint fails"); got != lines {
				t.Errorf("%v: %d lines", err, got)
			}
			want := []registrar.Event{
				registrar.AssocUp{Link: gone}, registrar.AssocUp{Link: left}, registrar.AssocLost{Link: gone}, registrar.AssocRestarted{Link: left},
			}
			if diff := cmp.Diff(want, r.machine.events); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r.tables[gone] != nil || r.tables[left] == nil || r.asap.port.Waiting(4) || !r.asap.port.Waiting(5) {
				t.Errorf("left of the association that ended: %v, %v", r.tables, r.asap.port.waiting)
			}
		}
	}
	r := newRecording(t)
	r.asap = r.channel(registrar.ASAPOverSCTP, &script{infos: []assoc.RecvInfo{{Kind: assoc.CommUp}}})
	r.closed = true
	if r.receive(r.asap); len(r.machine.events) > 0 {
		t.Errorf("a closed registrar is told %v", r.machine.events)
	}
}
