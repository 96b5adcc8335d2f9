package interop

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// another is a pair of one more endpoint of ours and the same usrsctp.
func (p *pair) another(noListen bool) *pair {
	p.t.Helper()
	q := *p
	q.listenConfig(transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(p.mine.Addr(), 0)}, Params: p.params, NoListen: noListen})
	q.toUs = q.mine.Port()
	return &q
}

// SCTP-7-40: each side refuses with an ABORT what nobody listens for.
func TestUsrsctpRefused(t *testing.T) {
	t.Run("by usrsctp", func(t *testing.T) {
		p := newPair(t, "127.0.0.1")
		id, err := p.ours.Connect([]netip.AddrPort{netip.AddrPortFrom(p.addr.Addr(), p.addr.Port()+1)}, &p.params)
		if err != nil {
			t.Fatal(err)
		}
		if info, _ := p.want(assoc.CannotStart); info.Assoc != id || !errors.Is(info.Err, assoc.ErrRefused) {
			t.Fatalf("association %d: %v", info.Assoc, info.Err)
		}
	})
	t.Run("by us", func(t *testing.T) {
		p := newPair(t, "127.0.0.1")
		q := p.another(true)
		q.tell("udp %d", q.toUs)
		q.tell("connect %s %d", q.mine.Addr(), q.mine.Port())
		q.expect(0, `^cannot-start`)
	})
}

// SCTP-7-41: one usrsctp and many of ours, which it tells apart.
func TestUsrsctpManyAssociations(t *testing.T) {
	const count = 200
	p := newPair(t, "127.0.0.1")
	all := make([]*pair, count)
	for i := range all {
		q := p.another(false)
		all[i] = q
		if i%2 == 0 {
			if _, err := q.ours.Connect(q.addresses(), &q.params); err != nil {
				t.Fatal(err)
			}
			continue
		}
		q.tell("udp %d", q.toUs)
		q.tell("connect %s %d", q.mine.Addr(), q.mine.Port())
	}
	for i, q := range all {
		info, _ := q.want(assoc.CommUp)
		for k := range 3 {
			q.send(info.Assoc, pattern(1000+i), assoc.SendInfo{PPID: uint32(k)})
		}
	}
	for i, q := range all {
		for k := range 3 {
			info, b := q.want(assoc.Message)
			if info.PPID != uint32(k) || string(b) != string(pattern(1000+i)) {
				t.Fatalf("association %d: message %d came back as %d with %d bytes", i, k, info.PPID, len(b))
			}
		}
	}
}

// SCTP-7-46: two cables between us and usrsctp. Each side tells its addresses,
// data goes on when a path fails, and nothing is lost.
func TestUsrsctpMultihoming(t *testing.T) {
	for _, opener := range []string{"ours", "usrsctp"} {
		t.Run(opener+" opens", func(t *testing.T) {
			p, n := newHosts(t, false)
			open := p.connect
			if opener == "usrsctp" {
				open = p.connected
			}
			id := open()
			theirs := []netip.Addr{n.Addr(1, 0), n.Addr(1, 1)}
			p.awaitPaths(id, theirs, nil)
			p.echoes(id)
			for cable := range theirs {
				n.Cut(cable, true)
				p.echoes(id)
				p.awaitPaths(id, theirs[1-cable:2-cable], theirs[cable:cable+1])
				p.echoes(id)
				n.Cut(cable, false)
				p.awaitPaths(id, theirs, nil)
				p.echoes(id)
			}
		})
	}
}

// SCTP-7-46: usrsctp's INIT with two addresses of either family, and ours.
func TestUsrsctpFourAddresses(t *testing.T) {
	for _, opener := range []string{"ours", "usrsctp"} {
		t.Run(opener+" opens", func(t *testing.T) {
			p, n := newHosts(t, true)
			open := p.connect
			if opener == "usrsctp" {
				open = p.connected
			}
			id := open()
			p.awaitPaths(id, []netip.Addr{n.Addr6(1, 0), n.Addr(1, 0), n.Addr6(1, 1), n.Addr(1, 1)}, nil)
			p.echoes(id)
			if err := p.ours.Shutdown(id); err != nil {
				t.Fatal(err)
			}
			p.want(assoc.ShutdownComplete)
			p.expect(0, `^shutdown-complete`)
		})
	}
}

// SCTP-7-44: a network that netem makes bad.
func TestUsrsctpNetwork(t *testing.T) {
	for _, opener := range []string{"ours", "usrsctp"} {
		t.Run(opener+" opens", func(t *testing.T) {
			p, n := newHosts(t, false)
			n.Impair(transporttest.Link{Loss: 0.05, Double: 0.01, Delay: time.Millisecond, Jitter: 2 * time.Millisecond})
			open := p.connect
			if opener == "usrsctp" {
				open = p.connected
			}
			talk(p, open())
		})
	}
}

// newHosts is a pair on two hosts with two cables: ours on the first, usrsctp
// on the second.
func newHosts(t *testing.T, six bool) (*pair, *transporttest.Network) {
	t.Helper()
	needPeer(t)
	n := transporttest.NewNetwork(t, 2)
	var addrs [2][]netip.AddrPort
	const port = 5001
	p := &pair{t: t, peerUDP: 9899, settings: []string{"heartbeat=100"}}
	for host := range addrs {
		for cable := range 2 {
			if six {
				n.NeedIPv6()
				addrs[host] = append(addrs[host], netip.AddrPortFrom(n.Addr6(host, cable), port))
			}
			addrs[host] = append(addrs[host], netip.AddrPortFrom(n.Addr(host, cable), port))
		}
	}
	for _, a := range addrs[1] {
		p.settings = append(p.settings, a.Addr().String())
	}
	p.addr, p.toUs = addrs[1][0], port
	p.params = assoc.Params{
		EncapPort: p.peerUDP, RTOInitial: 50 * time.Millisecond, RTOMin: 50 * time.Millisecond, RTOMax: 100 * time.Millisecond,
		HeartbeatInterval: 100 * time.Millisecond, PathMaxRetrans: 2, AssocMaxRetrans: 100, MaxInitRetransmits: 100, ConnectTimeout: patience,
	}
	n.Inside(0, func() { p.listenConfig(transport.Config{Local: addrs[0], Params: p.params}) })
	n.Inside(1, p.startPeer)
	return p, n
}

// echoes has messages echoed, several at a time.
func (p *pair) echoes(id assoc.ID) {
	p.t.Helper()
	for i := range 30 {
		p.send(id, pattern(1+i*100), assoc.SendInfo{Stream: 1, PPID: uint32(i)})
	}
	for i := range 30 {
		if info, b := p.want(assoc.Message); info.PPID != uint32(i) || string(b) != string(pattern(1+i*100)) {
			p.t.Fatalf("message %d came back as %d with %d bytes", i, info.PPID, len(b))
		}
	}
}

// awaitPaths waits until some of the peer's addresses answer and the others do
// not.
func (p *pair) awaitPaths(id assoc.ID, working, broken []netip.Addr) {
	p.t.Helper()
	var status assoc.Status
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var err error
		if status, err = p.ours.Status(id); err != nil {
			p.t.Fatal(err)
		}
		matches := len(status.Paths) == len(working)+len(broken)
		for _, path := range status.Paths {
			expected := broken
			if path.Active {
				expected = working
			}
			matches = matches && slices.Contains(expected, path.Addr.Addr())
		}
		if matches {
			return
		}
	}
	p.t.Fatalf("paths are not %v working and %v broken; status %+v; the peer printed %v", working, broken, status, p.peer.Lines(0))
}
