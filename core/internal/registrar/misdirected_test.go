package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// sentAway expects the abort of a link that says what is wrong.
func (s *script) sentAway(l Link, text string) {
	s.Helper()
	got := s.take()
	if len(got) == 1 {
		if a, is := got[0].(Abort); is && a.Link == l && strings.Contains(a.Reason, text) &&
			errors.Is(assoc.Explained(assoc.ErrAborted, a.Reason), assoc.ErrWrongPort) {
			return
		}
	}
	s.Errorf("got %v, want an abort of %v: %s", got, l, text)
}

func warnings(s *script, text string) (n int) {
	for _, l := range s.logs {
		if l.Level == Warn && strings.Contains(fmt.Sprint(l.Msg, l.Peer, l.Err), text) {
			n++
		}
	}
	return n
}

// A peer that speaks ENRP at the ASAP port, or ASAP at the ENRP port, is sent away
// at once and told which port is the right one, unless its association is in use.
// The operator is told once in a while.
func TestWrongPort(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.ASAP = append(c.ASAP, serverAt("192.0.2.100:3863")) })
	pu := s.connect(1, "192.0.2.9:9901")
	s.step(Misdirected{Link: pu.link})
	s.sentAway(pu.link, "ENRP is served at port 9901")
	l := Link{ENRPOverSCTP, 2}
	s.step(AssocUp{Link: l, Peer: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.9:5000")}})
	s.step(Misdirected{Link: l})
	s.sentAway(l, "ASAP is served at port 3863")
	for id := range assoc.ID(100) {
		other := s.connect(100+id, fmt.Sprintf("192.0.2.9:%d", 6000+id))
		s.step(Misdirected{Link: other.link})
	}
	s.take()
	if n := warnings(s, "192.0.2.9"); n != 2 {
		t.Errorf("%d warnings", n)
	}

	pe := s.connect(50, "192.0.2.1:5000")
	pe.registers("pool", 1)
	s.step(Misdirected{Link: pe.link})
	v := s.meets(51, 20, "192.0.2.20:9901")
	s.step(Misdirected{Link: v.link})
	s.step(Misdirected{Link: Link{ASAPOverSCTP, 999}})
	s.want()

	s = started(t) // without ENRP
	pu = s.connect(1, "192.0.2.9:9901")
	s.step(Misdirected{Link: pu.link})
	s.sentAway(pu.link, "serves no other registrars")
}

func peering(t *testing.T, peers ...string) *script {
	s := newScript(t, func(c *Config) {
		quiet(c)
		c.Timers.Heartbeat = time.Second
		for _, p := range peers {
			c.Peers = append(c.Peers, []netip.AddrPort{netip.MustParseAddrPort(p)})
		}
	})
	s.step(Start{})
	return s
}

// A configured peer at which nobody is, and one that is none, are told of with
// address and reason, once a minute; and not any more when it is there.
func TestDeadPeerIsToldOf(t *testing.T) {
	s := peering(t, "192.0.2.20:9901")
	token := Token(0)
	for range 200 {
		for _, e := range s.take() {
			if to, is := e.(SendENRPTo); is {
				token = to.Token
				s.step(ConnectFailed{Token: token, Err: errRefused})
			}
		}
		s.sleep(time.Second)
	}
	if n := warnings(s, "192.0.2.20:9901"); n != 4 || warnings(s, errRefused.Error()) != n {
		t.Errorf("%d warnings in 200 s: %v", n, s.logs)
	}
	for _, e := range s.take() {
		if to, is := e.(SendENRPTo); is {
			token = to.Token
		}
	}
	v := s.reaches(token, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	s.logs = nil
	for range 200 {
		s.sleep(time.Second)
		v.says(v.presence(0xffff))
		s.take()
	}
	if n := warnings(s, ""); n != 0 {
		t.Errorf("%d warnings: %v", n, s.logs)
	}
}

// A peer that starts a moment later is none to be told of.
func TestPeerThatStartsLater(t *testing.T) {
	s := peering(t, "192.0.2.20:9901")
	s.take()
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.sleep(2 * time.Second)
	s.take()
	v := s.reaches(2, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	v.says(v.presence(0xffff))
	if n := warnings(s, ""); n != 0 {
		t.Errorf("%d warnings: %v", n, s.logs)
	}
}

// The operator is told at once of a peer that sends us away, and after a while of
// one that is there and says nothing.
func TestPeerThatIsNone(t *testing.T) {
	s := peering(t, "192.0.2.20:3863")
	s.take()
	at := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.20:3863")}
	s.step(AssocUp{Link: Link{ENRPOverSCTP, 1}, Token: 1, Peer: at})
	s.step(AssocLost{Link: Link{ENRPOverSCTP, 1}, Err: assoc.Explained(errors.New("aborted: this is the ASAP port"), assoc.WrongPort(""))})
	if warnings(s, "this is the ASAP port") != 1 || !s.r.Serving() {
		t.Errorf("logs %v", s.logs)
	}

	s = peering(t, "192.0.2.20:3863")
	s.take()
	s.step(AssocUp{Link: Link{ENRPOverSCTP, 1}, Token: 1, Peer: at})
	s.sleep(3 * time.Minute)
	if n := warnings(s, "192.0.2.20:3863"); n != 3 || warnings(s, "says nothing") != n {
		t.Errorf("%d warnings in three minutes: %v", n, s.logs)
	}
}

// A registrar that is told that it is its own peer says so, whether it knows the
// address or finds out by its own message (ENRP-2.1-06).
func TestOwnPeer(t *testing.T) {
	s := peering(t, myENRP.AddrPorts()[0].String())
	if warnings(s, "this registrar itself") != 1 || len(s.r.candidates.list) != 0 {
		t.Errorf("logs %v", s.logs)
	}
	s = peering(t, "203.0.113.7:9901") // which a NAT translates to our own
	s.take()
	out, in := Link{ENRPOverSCTP, 1}, Link{ENRPOverSCTP, 2}
	s.step(AssocUp{Link: in, Peer: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:9901")}})
	s.step(AssocUp{Link: out, Token: 1, Peer: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:9901")}})
	s.take()
	s.step(ENRPReceived{Link: in, Message: enrp.Presence{Route: enrp.Route{Sender: myID}, ReplyRequired: true}})
	s.sentAway(in, "its own peer")
	if len(s.r.peers.list) != 0 {
		t.Error("it is a peer")
	}
}
