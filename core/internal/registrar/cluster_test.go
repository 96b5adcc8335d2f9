package registrar

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// cluster is a small world of registrars and PEs in fake time. Every message
// goes through the codec and takes a millisecond; associations between two
// addresses keep their order.
type cluster struct {
	testing.TB
	now    time.Time
	rnd    *rand.Rand
	nodes  []*node
	pes    []*simPE
	assocs map[assoc.ID]*simAssoc
	pairs  map[[2]netip.AddrPort]*simAssoc
	next   assoc.ID
	queue  flights
	number int
	sent   map[string]int
	cut    func(a, b netip.AddrPort) bool // partition
	trace  func(string)
	change func(*Config) // of registrars that start
}

type node struct {
	c    *cluster
	r    *Registrar
	enrp netip.AddrPort
	asap netip.AddrPort
	dead bool

	paused  bool // SIGSTOP
	backlog []Event
}

// simAssoc connects two addresses of registrars or PEs.
type simAssoc struct {
	id      assoc.ID
	channel Channel
	ends    [2]netip.AddrPort
}

type flight struct {
	at     time.Time
	number int
	do     func()
}

// flights is a heap by time, then by number.
type flights []flight

func (f flights) Len() int      { return len(f) }
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f flights) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].number < f[j].number
}
func (f *flights) Push(x any) { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

func newCluster(t testing.TB, seed uint64) *cluster {
	return &cluster{TB: t, now: epoch, rnd: rand.New(rand.NewPCG(seed, 77)), assocs: map[assoc.ID]*simAssoc{}, pairs: map[[2]netip.AddrPort]*simAssoc{}, sent: map[string]int{}}
}

// add starts a registrar that knows the ENRP addresses of others.
func (c *cluster) add(id protocol.ServerID, peers ...*node) *node {
	n := &node{
		c:    c,
		enrp: netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:9901", len(c.nodes)+1)),
		asap: netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:3863", len(c.nodes)+1)),
	}
	c.nodes = append(c.nodes, n)
	c.start(n, id, peers...)
	return n
}

func (c *cluster) start(n *node, id protocol.ServerID, peers ...*node) {
	cfg := Config{
		Rand: rand.New(rand.NewPCG(c.rnd.Uint64(), 1)), ServerID: id,
		ENRP: protocol.Transport{Protocol: protocol.SCTP, Port: 9901, Addrs: []netip.Addr{n.enrp.Addr()}},
	}
	for _, p := range peers {
		cfg.Peers = append(cfg.Peers, []netip.AddrPort{p.enrp})
	}
	if c.change != nil {
		c.change(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		c.Fatal(err)
	}
	n.r, n.dead, n.paused, n.backlog = r, false, false, nil
	n.step(Start{})
}

func (n *node) step(ev Event) {
	if n.dead {
		return
	}
	if n.paused {
		n.backlog = append(n.backlog, ev)
		return
	}
	n.r.Step(n.c.now, ev)
	n.perform()
}

func (n *node) perform() {
	for _, e := range n.r.Drain() {
		switch e := e.(type) {
		case SendASAP:
			n.c.deliver(n.asap, e.Link, asapBytes(n.c, e.Message))
		case SendENRP:
			n.c.deliver(n.enrp, e.Link, enrpBytes(n.c, e.Message))
		case SendASAPTo:
			n.c.dial(n, ASAPOverSCTP, n.asap, e.Peer[0], e.Token, asapBytes(n.c, e.Message))
		case SendENRPTo:
			n.c.dial(n, ENRPOverSCTP, n.enrp, e.Peer[0], e.Token, enrpBytes(n.c, e.Message))
		case SendPresence:
			n.c.multicast(n, enrpBytes(n.c, e.Message))
		case Shutdown:
			n.c.lose(e.Link.Assoc)
		case Log:
			n.c.note("%v log %q %q %v of %v", n.r.id, e.Msg, e.Handle, e.PE, e.Server)
		}
	}
}

func (c *cluster) note(format string, args ...any) {
	if c.trace != nil {
		c.trace(fmt.Sprintf("%8.3f ", c.now.Sub(epoch).Seconds()) + fmt.Sprintf(format, args...))
	}
}

func asapBytes(c *cluster, m asap.Message) []byte {
	b, err := asap.Append(nil, m)
	if err != nil {
		c.Fatalf("%v: %v", m, err)
	}
	c.sent[m.Type().String()]++
	return b
}

func enrpBytes(c *cluster, m enrp.Message) []byte {
	b, err := enrp.Append(nil, m)
	if err != nil {
		c.Fatalf("%v: %v", m, err)
	}
	c.sent[m.Type().String()]++
	return b
}

func (c *cluster) after(d time.Duration, do func()) {
	c.number++
	heap.Push(&c.queue, flight{c.now.Add(d), c.number, do})
}

// run lets time pass.
func (c *cluster) run(d time.Duration) {
	end := c.now.Add(d)
	for {
		at, who := end, (*node)(nil)
		for _, n := range c.nodes {
			if next, ok := n.r.Next(); ok && !n.dead && !n.paused && next.Before(at) {
				at, who = next, n
			}
		}
		if len(c.queue) > 0 && !c.queue[0].at.After(at) && !c.queue[0].at.After(end) {
			f := heap.Pop(&c.queue).(flight)
			c.now = maxTime(c.now, f.at)
			f.do()
			continue
		}
		if who == nil {
			c.now = end
			return
		}
		c.now = maxTime(c.now, at)
		who.r.Advance(c.now)
		who.perform()
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (c *cluster) nodeAt(a netip.AddrPort) *node {
	for _, n := range c.nodes {
		if !n.dead && (n.enrp == a || n.asap == a) {
			return n
		}
	}
	return nil
}

func (c *cluster) peAt(a netip.AddrPort) *simPE {
	for _, p := range c.pes {
		if !p.dead && p.at == a {
			return p
		}
	}
	return nil
}

func (c *cluster) reachable(a, b netip.AddrPort) bool { return c.cut == nil || !c.cut(a, b) }

// find returns the association between two addresses.
func (c *cluster) find(a, b netip.AddrPort) *simAssoc {
	if s := c.pairs[[2]netip.AddrPort{a, b}]; s != nil {
		return s
	}
	return c.pairs[[2]netip.AddrPort{b, a}]
}

func (c *cluster) open(channel Channel, from, to netip.AddrPort) *simAssoc {
	c.next++
	s := &simAssoc{c.next, channel, [2]netip.AddrPort{from, to}}
	c.assocs[s.id], c.pairs[s.ends] = s, s
	return s
}

// connect sets up an association and tells both ends.
func (c *cluster) connect(channel Channel, from, to netip.AddrPort, token Token) *simAssoc {
	if s := c.find(from, to); s != nil {
		if n := c.nodeAt(from); n != nil {
			n.step(AssocUp{Link: Link{channel, s.id}, Token: token, Peer: []netip.AddrPort{to}})
		}
		return s
	}
	s := c.open(channel, from, to)
	if n := c.nodeAt(to); n != nil {
		n.step(AssocUp{Link: Link{channel, s.id}, Peer: []netip.AddrPort{from}})
	}
	if n := c.nodeAt(from); n != nil {
		n.step(AssocUp{Link: Link{channel, s.id}, Token: token, Peer: []netip.AddrPort{to}})
	}
	return s
}

func (c *cluster) dial(n *node, channel Channel, from, to netip.AddrPort, token Token, b []byte) {
	if other := c.nodeAt(to); !c.reachable(from, to) || other != nil && other.paused {
		c.after(3*time.Second, func() { n.step(ConnectFailed{Token: token, Err: assoc.ErrTimeout}) })
		return
	}
	c.after(2*time.Millisecond, func() {
		if c.nodeAt(to) == nil && c.peAt(to) == nil {
			n.step(ConnectFailed{Token: token, Err: errRefused})
			return
		}
		if n.dead {
			return
		}
		s := c.find(from, to)
		if s == nil {
			s = c.open(channel, from, to)
			if other := c.nodeAt(to); other != nil {
				other.step(AssocUp{Link: Link{channel, s.id}, Peer: []netip.AddrPort{from}})
			}
		}
		c.deliver(from, Link{channel, s.id}, b)
		n.step(AssocUp{Link: Link{channel, s.id}, Token: token, Peer: []netip.AddrPort{to}})
	})
}

// deliver carries a message from one end to the other.
func (c *cluster) deliver(from netip.AddrPort, l Link, b []byte) {
	s := c.assocs[l.Assoc]
	if s == nil {
		return
	}
	to := s.ends[0]
	if to == from {
		to = s.ends[1]
	}
	c.after(time.Millisecond, func() {
		if c.assocs[l.Assoc] == nil || !c.reachable(from, to) {
			return
		}
		if p := c.peAt(to); p != nil {
			m, _, _ := asap.Parse(b)
			c.note("%v -> PE %v: %v", from, p.id, m)
			p.receive(s, m)
			return
		}
		n := c.nodeAt(to)
		if n == nil {
			return
		}
		if l.Channel == ENRPOverSCTP {
			m, report, err := enrp.Parse(b)
			c.note("%v: %v", n.r.id, m)
			n.step(ENRPReceived{Link: l, Message: m, Report: report, Err: err})
			return
		}
		m, report, err := asap.Parse(b)
		n.step(ASAPReceived{Link: l, Message: m, Report: report, Err: err})
	})
}

// multicast carries a presence to every registrar, its sender included.
func (c *cluster) multicast(from *node, b []byte) {
	for _, n := range c.nodes {
		c.after(time.Millisecond, func() {
			m, _, err := enrp.Parse(b)
			if p, ok := m.(enrp.Presence); ok && err == nil && c.reachable(from.enrp, n.enrp) {
				n.step(PresenceHeard{p})
			}
		})
	}
}

// lose ends an association at both ends.
func (c *cluster) lose(id assoc.ID) {
	s := c.assocs[id]
	if s == nil {
		return
	}
	delete(c.assocs, id)
	delete(c.pairs, s.ends)
	for _, end := range s.ends {
		if n := c.nodeAt(end); n != nil {
			c.after(time.Millisecond, func() { n.step(AssocLost{Link: Link{s.channel, id}, Err: assoc.ErrAborted}) })
		}
		if p := c.peAt(end); p != nil {
			c.after(time.Millisecond, func() { p.lost(s) })
		}
	}
}

func (c *cluster) loseAll(of func(netip.AddrPort) bool) {
	for id := assoc.ID(1); id <= c.next; id++ {
		if s := c.assocs[id]; s != nil && (of(s.ends[0]) || of(s.ends[1])) {
			c.lose(id)
		}
	}
}

// pause stops a registrar's process; after a while its associations break.
func (c *cluster) pause(n *node) {
	n.paused = true
	c.after(6*time.Second, func() {
		if n.paused {
			c.loseAll(func(a netip.AddrPort) bool { return a == n.enrp || a == n.asap })
		}
	})
}

func (c *cluster) resume(n *node) {
	n.paused = false
	backlog := n.backlog
	n.backlog = nil
	for _, ev := range backlog {
		n.step(ev)
	}
}

// kill ends a registrar's process.
func (c *cluster) kill(n *node) {
	n.dead = true
	c.loseAll(func(a netip.AddrPort) bool { return a == n.enrp || a == n.asap })
}

func (c *cluster) killPE(p *simPE) {
	p.dead = true
	c.loseAll(func(a netip.AddrPort) bool { return a == p.at })
}

// partition cuts the registrars in the set, and the PEs at home there, off
// from everybody else; nil heals.
func (c *cluster) partition(set ...*node) {
	if len(set) == 0 {
		c.cut = nil
		return
	}
	inside := func(a netip.AddrPort) bool {
		for _, n := range set {
			if a == n.enrp || a == n.asap {
				return true
			}
			if p := c.peAt(a); p != nil && p.home == n {
				return true
			}
		}
		return false
	}
	side := map[netip.AddrPort]bool{}
	for _, p := range c.pes {
		side[p.at] = inside(p.at)
	}
	for _, n := range c.nodes {
		side[n.enrp], side[n.asap] = inside(n.enrp), inside(n.asap)
	}
	c.cut = func(a, b netip.AddrPort) bool { return side[a] != side[b] }
	for id := assoc.ID(1); id <= c.next; id++ {
		if s := c.assocs[id]; s != nil && c.cut(s.ends[0], s.ends[1]) {
			c.lose(id)
		}
	}
}

// ghost stands for the i-th registrar's addresses before it exists.
func (c *cluster) ghost(i int) *node {
	return &node{enrp: netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:9901", i))}
}
