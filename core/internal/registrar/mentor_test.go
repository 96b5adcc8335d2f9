package registrar

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// joining is a registrar with configured peers 192.0.2.20, .30, ...
func joining(t *testing.T, at ...string) *script {
	s := newScript(t, func(c *Config) {
		quiet(c)
		for _, a := range at {
			c.Peers = append(c.Peers, []netip.AddrPort{netip.MustParseAddrPort(a)})
		}
	})
	s.step(Start{})
	return s
}

func (s *script) knocks(token Token, at string) Effect {
	return SendENRPTo{Token: token, Peer: []netip.AddrPort{netip.MustParseAddrPort(at)}, Message: mine(0, true)}
}

// reaches lets the knocking succeed; the LIST_REQUEST follows.
func (s *script) reaches(token Token, link Link, id protocol.ServerID, at string) *rival {
	s.Helper()
	v := &rival{&remote{s, link, netip.MustParseAddrPort(at)}, id}
	s.step(AssocUp{Link: link, Token: token, Peer: v.addrPorts()})
	s.want(v.hears(enrp.ListRequest{Route: from(0)}))
	v.says(v.presence(0xffff))
	s.want(v.hears(mine(id, true)))
	return v
}

// ENRP-3.2-02: without configured peers it serves at once.
func TestNoPeers(t *testing.T) {
	if s := joining(t); !s.r.serving {
		t.Error("does not serve")
	}
	if s := joining(t, "192.0.2.100:9901"); !s.r.serving { // ourselves
		t.Error("waits for itself")
	}
}

// ENRP-3.2-01, 03, 06, 09, 12, 13, 14, 16: the mentor's list, then its table in
// parts, then it serves.
func TestJoin(t *testing.T) {
	s := joining(t, "192.0.2.20:9901", "192.0.2.30:9901")
	s.want(s.knocks(1, "192.0.2.20:9901"))
	v := s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	pu := s.connect(1, "192.0.2.9:1")
	pu.sends(asap.HandleResolution{Handle: "p"})
	s.want() // ENRP-3.2-16: no wrong answer

	v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{
		{ID: 20, Transport: serverAt("192.0.2.20:9901")}, {ID: 40, Transport: serverAt("192.0.2.40:9901")},
		{ID: 0, Transport: serverAt("192.0.2.50:9901")}, {ID: myID, Transport: myENRP}, // ENRP-3.2-05
	}})
	request := v.hears(enrp.HandleTableRequest{Route: from(20)})
	s.want(SendENRPTo{Token: 2, Peer: serverAt("192.0.2.40:9901").AddrPorts(), Message: mine(40, true)}, request)
	v.says(enrp.HandleTableResponse{Route: v.route(), More: true, Entries: []enrp.PoolEntry{
		{Handle: "p", Elements: []protocol.Element{owned(1, 20), owned(2, 40)}},
	}})
	s.want(request)
	v.says(enrp.HandleTableResponse{Route: v.route(), Entries: []enrp.PoolEntry{
		{Handle: "p", Elements: []protocol.Element{owned(3, 20)}}, {Handle: "q", Elements: []protocol.Element{owned(1, 20)}},
	}})
	s.wantHomes("p", homes{1: 20, 2: 40, 3: 20})
	out := s.take()
	if m, ok := out[0].(SendASAP).Message.(asap.HandleResolutionResponse); len(out) != 1 || !ok || len(m.Elements) != 3 {
		t.Errorf("the answer that waited: %v", out)
	}
}

// ENRP-3.2-04, 19: a mentor that does not answer in 5 s, whatever it was asked,
// is dropped for a backup; the download starts again from the beginning.
func TestMuteMentor(t *testing.T) {
	s := joining(t, "192.0.2.20:9901", "192.0.2.30:9901", "192.0.2.40:9901")
	s.want(s.knocks(1, "192.0.2.20:9901"))
	s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	s.sleep(5 * time.Second)
	s.want(s.knocks(2, "192.0.2.30:9901"))
	v := s.reaches(2, Link{ENRPOverSCTP, 2}, 30, "192.0.2.30:9901")
	v.says(enrp.ListResponse{Route: v.route()})
	s.want(v.hears(enrp.HandleTableRequest{Route: from(30)}))
	v.says(enrp.HandleTableResponse{Route: v.route(), More: true})
	s.want(v.hears(enrp.HandleTableRequest{Route: from(30)}))
	s.sleep(5 * time.Second)
	s.want(s.knocks(3, "192.0.2.40:9901"))
	s.step(ConnectFailed{Token: 3, Err: errRefused})
	if !s.r.serving {
		t.Error("nobody is left to ask, and it does not serve")
	}
}

// ENRP-3.2-07, 08, 17, 18: a mentor that refuses is asked again after a few
// seconds, unless we are the one all others wait for.
func TestMentorRefuses(t *testing.T) {
	s := joining(t, "192.0.2.20:9901")
	s.take()
	v := s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	v.says(enrp.ListRequest{Route: v.route()})
	v.says(enrp.HandleTableRequest{Route: v.route()})
	s.want(v.hears(enrp.ListResponse{Route: from(20), Rejected: true}), // ENRP-2.6-01
		v.hears(enrp.HandleTableResponse{Route: from(20), Rejected: true})) // ENRP-2.3-01
	v.says(enrp.ListResponse{Route: v.route(), Rejected: true})
	s.sleep(3*time.Second - 1)
	s.want()
	s.sleep(1)
	s.want(v.hears(enrp.ListRequest{Route: from(20)}))
	v.says(enrp.ListResponse{Route: v.route()})
	s.want(v.hears(enrp.HandleTableRequest{Route: from(20)}))
	v.says(enrp.HandleTableResponse{Route: v.route(), Rejected: true})
	s.sleep(3 * time.Second)
	s.want(v.hears(enrp.ListRequest{Route: from(20)}))

	s = joining(t, "192.0.2.20:9901")
	s.take()
	v = s.reaches(1, Link{ENRPOverSCTP, 1}, 0xffffffff, "192.0.2.20:9901")
	v.says(enrp.ListResponse{Route: v.route(), Rejected: true})
	if !s.r.serving {
		t.Error("two that start together, and the one with the lower identifier waits")
	}
}

// ENRP-3.2-05, 11: the one who asks is told of everybody but itself.
func TestListRequest(t *testing.T) {
	s := enrpScript(t)
	a, b := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	a.says(enrp.ListRequest{Route: a.route()})
	s.want(a.hears(enrp.ListResponse{Route: from(20), Servers: []protocol.Server{
		{ID: myID, Transport: myENRP}, {ID: 30, Transport: serverAt(b.at.String())},
	}}))
}

// Configured peers that were not there are tried again with every heartbeat,
// and asked whom they know.
func TestContactComesUp(t *testing.T) {
	s := newScript(t, func(c *Config) {
		quiet(c)
		c.Timers.Heartbeat = 30 * time.Second
		c.Peers = [][]netip.AddrPort{{netip.MustParseAddrPort("192.0.2.20:9901")}}
	})
	s.step(Start{})
	s.take()
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.sleep(30 * time.Second)
	s.want(s.knocks(2, "192.0.2.20:9901"))
	v := s.reaches(2, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{{ID: 30, Transport: serverAt("192.0.2.30:9901")}}})
	s.want(SendENRPTo{Token: 3, Peer: serverAt("192.0.2.30:9901").AddrPorts(), Message: mine(30, true)})
	s.sleep(30 * time.Second)
	for _, e := range s.take() {
		if to, ok := e.(SendENRPTo); ok && to.Peer[0] == v.at {
			t.Error("a contact that is a peer is tried again")
		}
	}
}

// ENRP-3.2-19, ENRP-3.5-20: a mentor that another registrar takes over while
// its table is on the way is gone; the next one is asked.
func TestMentorTakenOver(t *testing.T) {
	s := joining(t, "192.0.2.20:9901", "192.0.2.30:9901")
	s.want(s.knocks(1, "192.0.2.20:9901"))
	v := s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	v.says(enrp.ListResponse{Route: v.route()})
	s.want(v.hears(enrp.HandleTableRequest{Route: from(20)}))
	w := s.meets(2, 40, "192.0.2.40:9901")
	w.says(enrp.TakeoverServer{Route: w.route(), Target: 20})
	s.want(s.knocks(2, "192.0.2.30:9901"))
	s.step(ConnectFailed{Token: 2, Err: errRefused})
	if !s.r.serving {
		t.Error("waits for a mentor that is gone")
	}
}
