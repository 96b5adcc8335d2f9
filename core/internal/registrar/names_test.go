package registrar

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

var errNoHost = errors.New("no such host")

func named(t *testing.T) *script {
	s := newScript(t, func(c *Config) {
		quiet(c)
		c.Timers.Heartbeat = time.Second
		c.LookUp = true
		c.Local = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:9901")}
	})
	s.step(Start{})
	s.want(LookUpPeers{})
	return s
}

func (s *script) finds(addrs ...string) {
	var m PeersLookedUp
	for _, a := range addrs {
		m.Found = append(m.Found, netip.MustParseAddrPort(a))
	}
	s.step(m)
}

// A registrar that was started without names takes them later, and other ones
// after that.
func TestPeerNamesChange(t *testing.T) {
	s := newScript(t, func(c *Config) {
		quiet(c)
		c.Timers.Heartbeat = time.Second
	})
	s.step(Start{})
	s.want()
	for _, at := range []string{"192.0.2.7:9901", "192.0.2.8:9901"} {
		s.step(PeerNamesChanged{})
		s.want(LookUpPeers{})
		s.step(PeerNamesChanged{}) // an answer is due
		s.want()
		s.finds(at)
		to := s.take()[0].(SendENRPTo)
		if len(to.Peer) != 1 || to.Peer[0].String() != at {
			t.Errorf("it calls %v, want %s", to.Peer, at)
		}
		s.step(ConnectFailed{Token: to.Token, Err: errRefused})
	}
	if len(s.r.candidates.list) != 1 {
		t.Errorf("%d contacts, want that of the newer name", len(s.r.candidates.list))
	}
}

// A name without address does not end a registrar, and keeps it from serving no
// longer than a peer that is not there. It is looked up again, and the operator is
// told once a minute.
func TestPeerNameComesLate(t *testing.T) {
	s := named(t)
	s.want()
	failed := PeersLookedUp{Failed: []Unresolved{{"r.example:9901", errNoHost}}}
	s.step(failed)
	if !s.r.Serving() {
		t.Fatal("it waits for a name that nobody knows")
	}
	for range 40 {
		s.sleep(3 * time.Second)
		s.want(LookUpPeers{})
		s.sleep(3 * time.Second)
		s.want() // an answer is due
		s.step(failed)
	}
	warnings := 0
	for _, l := range s.logs {
		if l.Level == Warn && l.Peer == "r.example:9901" && l.Err == errNoHost {
			warnings++
		}
	}
	if warnings < 4 || warnings > 5 {
		t.Errorf("%d warnings in four minutes: %v", warnings, s.logs)
	}
	s.finds("192.0.2.20:9901", "192.0.2.21:9901") // each is a registrar
	s.want(s.knocks(1, "192.0.2.20:9901"), s.knocks(2, "192.0.2.21:9901"))
}

// While a registrar starts it waits for the addresses, asks the one behind the
// first as its mentor (ENRP-3.2-01), and does not take itself for a peer.
func TestMentorByName(t *testing.T) {
	s := named(t)
	s.sleep(4 * time.Second)
	s.take()
	if s.r.Serving() {
		t.Fatal("serves before it knows whom to ask")
	}
	s.finds("192.0.2.100:9901", "127.0.0.1:9901", "192.0.2.20:9901")
	s.want(s.knocks(1, "192.0.2.20:9901"))
}

// A peer that moves with its name is found, and where it was nobody is tried any
// more.
func TestPeerMovesWithItsName(t *testing.T) {
	s := named(t)
	s.finds("192.0.2.20:9901")
	s.take()
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.sleep(2 * time.Second)
	s.step(ConnectFailed{Token: 2, Err: errRefused})
	s.take()
	s.finds("192.0.2.30:9901")
	s.want(s.knocks(3, "192.0.2.30:9901"))
	s.step(ConnectFailed{Token: 3, Err: errRefused})
	s.sleep(3 * time.Second)
	for _, e := range s.take() {
		if to, ok := e.(SendENRPTo); ok && to.Peer[0].Addr() != netip.MustParseAddr("192.0.2.30") {
			t.Errorf("tries %v", to.Peer)
		}
	}
}

// With everybody there nobody looks anything up.
func TestNoLookUpWithoutNeed(t *testing.T) {
	s := named(t)
	s.finds("192.0.2.20:9901")
	s.take()
	v := s.reaches(1, Link{ENRPOverSCTP, 1}, protocol.ServerID(20), "192.0.2.20:9901")
	for range 20 {
		s.sleep(time.Second)
		v.says(v.presence(0xffff))
		for _, e := range s.take() {
			if e == (Effect)(LookUpPeers{}) {
				t.Fatal("looks up")
			}
		}
	}
}
