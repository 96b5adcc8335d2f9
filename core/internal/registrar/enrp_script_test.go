package registrar

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

var (
	myENRP = serverAt("192.0.2.100:9901")
	long   = 10 * time.Minute
)

func serverAt(at string) protocol.Transport {
	a := netip.MustParseAddrPort(at)
	return protocol.Transport{Protocol: protocol.SCTP, Port: a.Port(), Addrs: []netip.Addr{a.Addr()}}
}

// quiet switches off what happens periodically, so that a script shows only
// what it provokes.
func quiet(c *Config) {
	c.ENRP = myENRP
	c.KeepAlive.Interval = -1
	c.Timers.Heartbeat = 1000 * time.Hour
	c.Timers.LastHeard = 1000 * time.Hour
}

// rival is another registrar with an association to ours.
type rival struct {
	*remote
	id protocol.ServerID
}

// meets lets a registrar connect and present itself as one that owns nothing.
func (s *script) meets(a assoc.ID, id protocol.ServerID, at string) *rival {
	s.Helper()
	v := &rival{&remote{s, Link{ENRPOverSCTP, a}, netip.MustParseAddrPort(at)}, id}
	s.step(AssocUp{Link: v.link, Peer: []netip.AddrPort{v.at}})
	v.says(v.presence(0xffff))
	want := mine(id, true) // ENRP-3.4.1-02
	want.Checksum = s.r.space.Checksum(myID)
	s.want(v.hears(want))
	return v
}

func (v *rival) says(m enrp.Message) { v.s.step(ENRPReceived{Link: v.link, Message: m}) }

func (v *rival) hears(m enrp.Message) Effect { return SendENRP{Link: v.link, Message: m} }

func (v *rival) route() enrp.Route { return enrp.Route{Sender: v.id} }

func (v *rival) presence(sum uint16) enrp.Presence {
	return enrp.Presence{Route: v.route(), Checksum: sum, HasChecksum: true, HasServer: true,
		Server: protocol.Server{ID: v.id, Transport: serverAt(v.at.String())}}
}

// mine is our presence while we own nothing.
func mine(to protocol.ServerID, reply bool) enrp.Presence {
	return enrp.Presence{Route: from(to), ReplyRequired: reply, Checksum: 0xffff, HasChecksum: true,
		HasServer: true, Server: protocol.Server{ID: myID, Transport: myENRP}}
}

// from is the route of our messages.
func from(to protocol.ServerID) enrp.Route { return enrp.Route{Sender: myID, Receiver: to} }

// owned is an element as a registrar tells others of it.
func owned(id protocol.PEID, home protocol.ServerID) protocol.Element {
	return protocol.Element{
		ID: id, Home: home, Life: 300,
		User:   protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.1")}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
		ASAP:   serverAt("198.51.100.1:5000"),
	}
}

func (v *rival) updates(action enrp.Action, h protocol.PoolHandle, e protocol.Element) {
	v.says(enrp.HandleUpdate{Route: v.route(), Action: action, Handle: h, Element: e})
}

// homes are the PEs of a pool with their homes.
func (s *script) homes(h protocol.PoolHandle) map[protocol.PEID]protocol.ServerID {
	out := map[protocol.PEID]protocol.ServerID{}
	for el := range s.r.space.Elements() {
		if el.Pool().Handle == h {
			out[el.ID] = el.Home
		}
	}
	return out
}

func sumOf(h protocol.PoolHandle, ids ...protocol.PEID) uint16 {
	var c wire.PEChecksum
	for _, id := range ids {
		c.Add(h, id)
	}
	return c.Sum()
}

func (s *script) wantHomes(h protocol.PoolHandle, want map[protocol.PEID]protocol.ServerID) {
	s.Helper()
	got := s.homes(h)
	same := len(got) == len(want)
	for id, home := range want {
		same = same && got[id] == home
	}
	if !same {
		s.Fatalf("pool %q: homes are %v, want %v", h, got, want)
	}
	checkRegistrar(s, s.r)
}

type homes = map[protocol.PEID]protocol.ServerID

func enrpScript(t *testing.T) *script { return startedWith(t, quiet) }

func (p *remote) addrPorts() []netip.AddrPort { return []netip.AddrPort{p.at} }
