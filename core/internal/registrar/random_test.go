package registrar

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// chaos drives a registrar with random events: every message, associations
// that come, go and restart, dials that succeed, fail or hang.
type chaos struct {
	*script
	rnd   *rand.Rand
	live  []*remote
	dials []SendASAPTo
	next  assoc.ID
}

func (c *chaos) addr() netip.AddrPort {
	return netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:%d", 1+c.rnd.IntN(6), 5000+c.rnd.IntN(3)))
}

func (c *chaos) handle() protocol.PoolHandle {
	return protocol.PoolHandle(fmt.Sprintf("pool %d", c.rnd.IntN(4)))
}

func (c *chaos) id() protocol.PEID { return protocol.PEID(c.rnd.IntN(6)) }

func (c *chaos) message(p *remote) asap.Message {
	h, id := c.handle(), c.id()
	switch c.rnd.IntN(10) {
	case 0, 1, 2, 3:
		m := p.offer(h, id)
		m.Element.Life = protocol.Life(c.rnd.IntN(40) - 2)
		m.Element.User.Port = uint16(c.rnd.IntN(2))
		m.Element.Policy.Type += protocol.PolicyType(c.rnd.IntN(20) / 19)
		return m
	case 4:
		return asap.Deregistration{Handle: h, ID: id}
	case 5:
		return asap.HandleResolution{Handle: h, Subscribe: c.rnd.IntN(2) == 0, Items: uint32(c.rnd.IntN(4))}
	case 6:
		return asap.EndpointUnreachable{Handle: h, ID: id}
	case 7:
		return asap.Error{Causes: cause(protocol.CauseUnspecified)}
	}
	return ack(h, id)
}

func (c *chaos) event() {
	switch n := c.rnd.IntN(20); {
	case n < 3 || len(c.live) == 0:
		c.next++
		p := &remote{c.script, Link{Channel(1 + c.rnd.IntN(2)), c.next}, c.addr()}
		c.live = append(c.live, p)
		c.step(AssocUp{Link: p.link, Peer: []netip.AddrPort{p.at}})
	case n < 5:
		i := c.rnd.IntN(len(c.live))
		c.live[i].lost()
		c.live = append(c.live[:i], c.live[i+1:]...)
	case n < 6:
		p := c.live[c.rnd.IntN(len(c.live))]
		c.step(AssocRestarted{Link: p.link, Peer: []netip.AddrPort{p.at}})
	case n < 8 && len(c.dials) > 0:
		c.settleDial(c.dials[0])
		c.dials = c.dials[1:]
	default:
		p := c.live[c.rnd.IntN(len(c.live))]
		p.sends(c.message(p))
	}
	for _, e := range c.take() {
		switch e := e.(type) {
		case SendASAPTo:
			c.dials = append(c.dials, e)
		case SendASAP:
			if _, err := asap.Append(nil, e.Message); err != nil {
				c.Fatalf("cannot be encoded: %v: %v", e.Message, err)
			}
			c.mayAnswer(e)
		case Shutdown:
			c.step(AssocLost{Link: e.Link})
			for i, p := range c.live {
				if p.link == e.Link {
					c.live = append(c.live[:i], c.live[i+1:]...)
					break
				}
			}
		}
	}
	if c.rnd.IntN(3) == 0 {
		c.sleep(time.Duration(c.rnd.Int64N(int64(3 * time.Second))))
	}
}

func (c *chaos) settleDial(d SendASAPTo) {
	if c.rnd.IntN(2) == 0 {
		c.step(ConnectFailed{Token: d.Token, Err: errRefused})
		return
	}
	for _, p := range c.live { // ErrAlreadyExists
		if p.at == d.Peer[0] && p.link.Channel == ASAPOverSCTP {
			c.step(AssocUp{Link: p.link, Token: d.Token, Peer: d.Peer})
			return
		}
	}
	c.next++
	p := &remote{c.script, Link{ASAPOverSCTP, c.next}, d.Peer[0]}
	c.live = append(c.live, p)
	c.step(AssocUp{Link: p.link, Token: d.Token, Peer: d.Peer})
}

func (c *chaos) mayAnswer(e SendASAP) {
	m, ok := e.Message.(asap.EndpointKeepAlive)
	switch {
	case !ok:
	case c.rnd.IntN(4) > 0:
		c.step(ASAPReceived{Link: e.Link, Message: ack(m.Handle, m.ID)})
	}
}

// checkRegistrar recounts what a registrar keeps up to date.
func checkRegistrar(t testing.TB, r *Registrar) {
	t.Helper()
	sums := map[protocol.ServerID]*wire.PEChecksum{r.id: {}}
	monitored, watching := 0, 0
	for el := range r.space.Elements() {
		if sums[el.Home] == nil {
			sums[el.Home] = &wire.PEChecksum{}
		}
		sums[el.Home].Add(el.Pool().Handle, el.ID)
		mon := el.State.monitor
		if el.Home == r.id {
			switch {
			case mon == nil:
				t.Fatalf("PE %v is owned and not monitored", el.ID)
			case el.Life != protocol.LifeInfinite && mon.life == 0:
				t.Fatalf("PE %v has no life timer", el.ID)
			case r.cfg.KeepAlive.Interval > 0 && mon.probe == 0:
				t.Fatalf("PE %v has no keep-alive timer", el.ID)
			}
		}
		if mon == nil {
			continue
		}
		monitored++
		switch {
		case mon.el != el:
			t.Fatalf("the monitor of PE %v is of another", el.ID)
		case mon.life != 0 && !mon.timer.Armed(), mon.probe != 0 && !mon.timer.Armed():
			t.Fatalf("PE %v has a deadline and no timer", el.ID)
		case mon.probing && mon.probe == 0:
			t.Fatalf("PE %v is asked without end", el.ID)
		case mon.probing && mon.via == nil && mon.attempt == nil:
			t.Fatalf("PE %v is asked over nothing", el.ID)
		case !mon.probing && (mon.via != nil || mon.attempt != nil):
			t.Fatalf("PE %v is not asked, but over something", el.ID)
		case mon.link != nil && r.links.all[mon.link.Link] != mon.link, mon.via != nil && r.links.all[mon.via.Link] != mon.via:
			t.Fatalf("PE %v is at a link that is gone", el.ID)
		}
		if mon.link != nil {
			watching++
		}
	}
	for _, p := range r.peers.list {
		if p.link != nil && (r.links.all[p.link.Link] != p.link || p.link.peer != p) {
			t.Fatalf("peer %v has a link that is gone or somebody else's", p.id)
		}
	}
	for id, sum := range sums {
		if got := r.space.Checksum(id); got != sum.Sum() {
			t.Fatalf("checksum of %v is %#04x, recounted %#04x", id, got, sum.Sum())
		}
	}
	subs, inLinks, housing := 0, 0, 0
	for _, l := range r.links.all {
		if l.monitors.len() > 0 {
			housing++
		}
		inLinks += l.monitors.len()
		subs += l.subs.len()
	}
	for h, a := range r.subscribers.byPool {
		subs -= a.subs.len()
		if r.space.Pool(h) == nil || a.subs.len() == 0 {
			t.Fatalf("pool %q has %d subscribers, and is it there?", h, a.subs.len())
		}
	}
	if subs != 0 || inLinks != watching {
		t.Fatalf("subscriptions differ by %d; links know %d PEs, PEs know %d links", subs, inLinks, watching)
	}
	if housing != r.links.housing {
		t.Fatalf("%d links are those of PEs, counted as %d", housing, r.links.housing)
	}
	for _, l := range r.links.byAddr {
		if r.links.all[l.Link] != l {
			t.Fatal("an address leads to a link that is gone")
		}
	}
	checkAttempts(t, r)
	if limit := monitored + len(r.links.all) + len(r.subscribers.byPool) + 1000; r.timers.Len() > limit {
		t.Fatalf("%d timers", r.timers.Len())
	}
}

func checkAttempts(t testing.TB, r *Registrar) {
	t.Helper()
	toPEs := 0
	for _, a := range r.attempts.byToken {
		if a.first != nil {
			toPEs++
		}
	}
	if toPEs != len(r.attempts.toPE) {
		t.Fatalf("%d attempts to reach PEs, %d by address", toPEs, len(r.attempts.toPE))
	}
}

func TestRandomEvents(t *testing.T) {
	for seed := range uint64(40) {
		c := &chaos{script: startedWith(t, nil), rnd: rand.New(rand.NewPCG(seed, 5))}
		for range 1000 {
			c.event()
			checkRegistrar(t, c.r)
		}
		// Left alone, everything ends: lives are finite, dials are answered.
		for range 100 {
			for _, d := range c.dials {
				c.step(ConnectFailed{Token: d.Token, Err: errRefused})
			}
			c.dials = nil
			for _, e := range c.take() {
				if d, ok := e.(SendASAPTo); ok {
					c.dials = append(c.dials, d)
				}
			}
			c.sleep(time.Second)
		}
		if _, elements := c.r.space.Len(); elements > 0 {
			for el := range c.r.space.Elements() {
				if el.Life != protocol.LifeInfinite {
					t.Fatalf("seed %d: PE %v with life %d outlived it", seed, el.ID, el.Life)
				}
			}
		}
	}
}

// FuzzMessages lets a peer send anything.
func FuzzMessages(f *testing.F) {
	f.Add([]byte{5, 1, 0, 11, 0, 9, 0, 7, 'a', 'b', 'c', 0})
	f.Add([]byte{0x41, 0, 0, 4})
	s := newScript(f, nil)
	p := &remote{s, Link{ASAPOverSCTP, 1}, netip.MustParseAddrPort("192.0.2.1:5000")}
	whole, _ := asap.Append(nil, p.offer("abc", 7))
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		s := started(t)
		p := s.connect(1, "192.0.2.1:5000")
		p.registers("abc", 1)
		eachMessage(b, func(b []byte) {
			m, report, err := asap.Parse(b)
			s.step(ASAPReceived{Link: p.link, Message: m, Report: report, Err: err})
		})
		for _, e := range s.take() {
			if send, ok := e.(SendASAP); ok {
				if _, err := asap.Append(nil, send.Message); err != nil {
					t.Fatalf("cannot be encoded: %v: %v", send.Message, err)
				}
			}
		}
		s.sleep(time.Minute)
		checkRegistrar(t, s.r)
	})
}

// eachMessage cuts b into messages.
func eachMessage(b []byte, f func([]byte)) {
	for len(b) > 0 {
		n := len(b)
		if n > 4 {
			n = min(n, max(4, (int(b[2])<<8+int(b[3])+3)&^3))
		}
		f(b[:n])
		b = b[n:]
	}
}

// FuzzPeerMessages lets another registrar send anything.
func FuzzPeerMessages(f *testing.F) {
	for _, m := range []enrp.Message{
		enrp.Presence{Route: enrp.Route{Sender: 20}, ReplyRequired: true, HasChecksum: true},
		enrp.HandleUpdate{Route: enrp.Route{Sender: 20}, Handle: "p", Element: owned(1, 20)},
		enrp.HandleUpdate{Route: enrp.Route{Sender: 20}, Action: enrp.DelPE, Handle: "p", Element: owned(2, 20)},
		enrp.HandleTableRequest{Route: enrp.Route{Sender: 20}},
		enrp.HandleTableResponse{Route: enrp.Route{Sender: 20}, Entries: []enrp.PoolEntry{{Handle: "p", Elements: []protocol.Element{owned(3, 20)}}}},
		enrp.ListResponse{Route: enrp.Route{Sender: 20}, Servers: []protocol.Server{{ID: 30, Transport: myENRP}}},
		enrp.InitTakeover{Route: enrp.Route{Sender: 20}, Target: 30},
		enrp.TakeoverServer{Route: enrp.Route{Sender: 20}, Target: 30},
	} {
		b, err := enrp.Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := startedWith(t, quiet)
		v := s.meets(1, 20, "192.0.2.20:9901")
		s.meets(2, 30, "192.0.2.30:9901")
		v.updates(enrp.AddPE, "p", owned(2, 20))
		pe := s.connect(1, "192.0.2.1:5000")
		pe.sends(pe.offer("p", 1))
		eachMessage(b, func(b []byte) {
			m, report, err := enrp.Parse(b)
			s.step(ENRPReceived{Link: v.link, Message: m, Report: report, Err: err})
		})
		for _, e := range s.take() {
			if send, ok := e.(SendENRP); ok {
				if _, err := enrp.Append(nil, send.Message); err != nil {
					t.Fatalf("cannot be encoded: %v: %v", send.Message, err)
				}
			}
		}
		s.sleep(time.Minute)
		checkRegistrar(t, s.r)
	})
}
