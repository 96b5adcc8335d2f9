package registrar

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

const myID protocol.ServerID = 0xaabbccdd

var (
	epoch   = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	compare = cmp.Options{
		cmpopts.EquateEmpty(), cmpopts.EquateErrors(),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	}
	errRefused = assoc.ErrRefused
)

// script is a conversation with one registrar in fake time.
type script struct {
	testing.TB
	r    *Registrar
	now  time.Time
	logs []Log
	out  []Effect // not yet expected
}

func newScript(t testing.TB, change func(*Config)) *script {
	t.Helper()
	cfg := Config{Rand: rand.New(rand.NewPCG(1, 1)), ServerID: myID}
	if change != nil {
		change(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &script{TB: t, r: r, now: epoch}
}

// started is a registrar that serves, without periodic probes.
func started(t testing.TB) *script {
	return startedWith(t, func(c *Config) { c.KeepAlive.Interval = -1 })
}

func startedWith(t testing.TB, change func(*Config)) *script {
	s := newScript(t, change)
	s.step(Start{})
	s.want()
	return s
}

func (s *script) step(ev Event) {
	s.r.Step(s.now, ev)
	s.collect()
}

func (s *script) collect() {
	for _, e := range s.r.Drain() {
		if l, ok := e.(Log); ok {
			s.logs = append(s.logs, l)
		} else {
			s.out = append(s.out, e)
		}
	}
}

// sleep lets time pass; what is due happens at its time.
func (s *script) sleep(d time.Duration) {
	end := s.now.Add(d)
	for at, ok := s.r.Next(); ok && !at.After(end); at, ok = s.r.Next() {
		s.now = at
		s.r.Advance(at)
		s.collect()
	}
	s.now = end
}

// want compares everything that came out since the last want.
func (s *script) want(effects ...Effect) {
	s.Helper()
	if diff := cmp.Diff(effects, s.out, compare); diff != "" {
		s.Fatalf("effects (-want +got):\n%s", diff)
	}
	s.out = nil
}

// take returns what came out since the last want.
func (s *script) take() []Effect {
	out := s.out
	s.out = nil
	return out
}

// remote is somebody at the other end of a link.
type remote struct {
	s    *script
	link Link
	at   netip.AddrPort
}

func (s *script) connect(id assoc.ID, at string) *remote {
	p := &remote{s, Link{ASAPOverSCTP, id}, netip.MustParseAddrPort(at)}
	s.step(AssocUp{Link: p.link, Peer: []netip.AddrPort{p.at}})
	return p
}

func (p *remote) sends(m asap.Message) { p.s.step(ASAPReceived{Link: p.link, Message: m}) }

func (p *remote) gets(m asap.Message) Effect { return SendASAP{Link: p.link, Message: m} }

func (p *remote) lost() { p.s.step(AssocLost{Link: p.link, Err: errors.New("gone")}) }

// offer is the registration of a Round Robin PE at the peer's address.
func (p *remote) offer(h protocol.PoolHandle, id protocol.PEID) asap.Registration {
	return asap.Registration{Handle: h, Element: protocol.Element{
		ID: id, Life: 300,
		User:   protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: []netip.Addr{p.at.Addr()}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
	}}
}

// registers registers successfully.
func (p *remote) registers(h protocol.PoolHandle, id protocol.PEID) asap.Registration {
	p.s.Helper()
	m := p.offer(h, id)
	p.sends(m)
	p.s.want(p.gets(asap.RegistrationResponse{Handle: h, ID: id}))
	return m
}

// listed are the PEs of a pool as a view shows them.
func (s *script) listed(h protocol.PoolHandle) []protocol.PEID {
	var ids []protocol.PEID
	for _, p := range s.r.Snapshot(s.now).Pools {
		for _, e := range p.Elements {
			if p.Handle == h {
				ids = append(ids, e.ID)
			}
		}
	}
	return ids
}

func (s *script) wantListed(h protocol.PoolHandle, ids ...protocol.PEID) {
	s.Helper()
	if diff := cmp.Diff(ids, s.listed(h), compare); diff != "" {
		s.Fatalf("pool %q (-want +got):\n%s", h, diff)
	}
}

func cause(c protocol.CauseCode) []protocol.Cause { return []protocol.Cause{{Code: c}} }
