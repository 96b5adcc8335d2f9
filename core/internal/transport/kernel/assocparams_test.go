package kernel

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/ishidawataru/sctp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

func listen(t *testing.T, p assoc.Params, addrs ...string) *Endpoint {
	t.Helper()
	if !Available() {
		t.Skip("not run: this kernel has no SCTP; `make test-kernel` runs it under QEMU")
	}
	cfg := transport.Config{Params: p}
	for _, a := range addrs {
		cfg.Local = append(cfg.Local, netip.AddrPortFrom(netip.MustParseAddr(a), 0))
	}
	e, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.Notify(func() {}, func(assoc.ID) {})
	t.Cleanup(func() { e.Close() })
	return e
}

// await reads until something of a kind comes.
func await(t *testing.T, e *Endpoint, kind assoc.Kind) assoc.RecvInfo {
	t.Helper()
	b := make([]byte, 1<<16)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		var info assoc.RecvInfo
		switch _, err := e.Recv(b, &info); {
		case errors.Is(err, assoc.ErrWouldBlock):
			time.Sleep(time.Millisecond)
		case err != nil:
			t.Fatal(err)
		case info.Kind == kind:
			return info
		}
	}
	t.Fatalf("nothing of kind %d came", kind)
	return assoc.RecvInfo{}
}

// join opens an association.
func join(t *testing.T, c, s *Endpoint, p assoc.Params) (cid, sid assoc.ID) {
	t.Helper()
	cid, err := c.Connect(s.LocalAddrs(), &p)
	if err != nil {
		t.Fatal(err)
	}
	await(t, c, assoc.CommUp)
	return cid, await(t, s, assoc.CommUp).Assoc
}

// asked returns what the kernel says about an association.
func asked(t *testing.T, e *Endpoint, name int, value []byte) []byte {
	t.Helper()
	if err := e.main.control(func(fd uintptr) error { _, err := getOption(fd, name, value); return err }); err != nil {
		t.Fatalf("option %d: %v", name, err)
	}
	return value
}

// inForce reads back the parameters of an association, each path's from the
// first one.
func inForce(t *testing.T, e *Endpoint, id assoc.ID) (p assoc.Params) {
	t.Helper()
	ms := func(b []byte) time.Duration { return time.Duration(native.Uint32(b)) * time.Millisecond }
	rto := asked(t, e, sctp.SCTP_RTOINFO, words(uint32(id), 0, 0, 0))
	p.RTOInitial, p.RTOMax, p.RTOMin = ms(rto[4:]), ms(rto[8:]), ms(rto[12:])
	limits := asked(t, e, sctp.SCTP_ASSOCINFO, assocInfo(id, assoc.Params{}))
	p.AssocMaxRetrans, p.CookieLife = int(native.Uint16(limits[4:])), ms(limits[16:])
	path := make([]byte, pathParamsSize)
	native.PutUint32(path, uint32(id))
	_, peer, err := e.AssocAddrs(id)
	if err != nil {
		t.Fatal(err)
	}
	putAddr(path[4:], peer[0])
	asked(t, e, sctp.SCTP_PEER_ADDR_PARAMS, path)
	p.HeartbeatInterval, p.PathMaxRetrans = ms(path[132:]), int(native.Uint16(path[136:]))
	p.DSCP = int(path[154] >> 2)
	if native.Uint32(path[146:])&heartbeatDisable != 0 {
		p.HeartbeatInterval = -1
	}
	if native.Uint32(path[146:])&mtuFixed != 0 {
		p.MTU = int(native.Uint32(path[138:]))
	}
	sack := asked(t, e, sctp.SCTP_DELAYED_SACK, words(uint32(id), 0, 0))
	p.SackDelay, p.SackPackets = ms(sack[4:]), int(native.Uint32(sack[8:]))
	p.MaxBurst = int(native.Uint32(asked(t, e, optMaxBurst, words(uint32(id), 0))[4:]))
	status, err := e.Status(id)
	if err != nil {
		t.Fatal(err)
	}
	p.EncapPort, p.OutStreams, p.InStreams = status.Paths[0].UDPPort, status.OutStreams, status.InStreams
	return p
}

var (
	someParams = assoc.Params{
		RTOInitial: 700 * time.Millisecond, RTOMin: 160 * time.Millisecond, RTOMax: 900 * time.Millisecond,
		HeartbeatInterval: 3 * time.Second, PathMaxRetrans: 6, AssocMaxRetrans: 5, CookieLife: 7 * time.Second,
		SackDelay: 40 * time.Millisecond, SackPackets: 3, MaxBurst: 9, MTU: 1400, DSCP: 34, OutStreams: 11, InStreams: 12,
	}
	otherParams = assoc.Params{
		RTOInitial: 400 * time.Millisecond, RTOMin: 60 * time.Millisecond, RTOMax: 600 * time.Millisecond,
		HeartbeatInterval: -1, PathMaxRetrans: 7, AssocMaxRetrans: 6, CookieLife: 4 * time.Second,
		SackDelay: 20 * time.Millisecond, SackPackets: 4, MaxBurst: 5, MTU: 1300, DSCP: 10,
	}
)

// An endpoint's parameters hold for associations that either side opens, those
// of Connect for one, and what SetParams says later for one that is there.
func TestParamsInForce(t *testing.T) {
	s := listen(t, someParams, "127.0.0.1")
	plain := listen(t, assoc.Params{OutStreams: 12, InStreams: 11}, "127.0.0.1")
	_, sid := join(t, plain, s, assoc.Params{})
	if got := inForce(t, s, sid); got != someParams {
		t.Errorf("association of a peer:\n got %+v\nwant %+v", got, someParams)
	}

	plain = listen(t, assoc.Params{}, "127.0.0.1")
	before, _ := join(t, plain, listen(t, assoc.Params{}, "127.0.0.1"), assoc.Params{})
	was := inForce(t, plain, before)
	cid, _ := join(t, plain, listen(t, assoc.Params{OutStreams: 12, InStreams: 11}, "127.0.0.1"), someParams)
	if got := inForce(t, plain, cid); got != someParams {
		t.Errorf("association of Connect:\n got %+v\nwant %+v", got, someParams)
	}
	after, _ := join(t, plain, listen(t, assoc.Params{}, "127.0.0.1"), assoc.Params{})
	for _, id := range []assoc.ID{before, after} {
		if got := inForce(t, plain, id); got != was {
			t.Errorf("Connect changed another association:\n got %+v\nwant %+v", got, was)
		}
	}
	mtu := func(id assoc.ID) int {
		status, err := plain.Status(id)
		if err != nil {
			t.Fatal(err)
		}
		return status.Paths[0].MTU
	}
	if mtu(before) != mtu(after) || mtu(cid) != someParams.MTU {
		t.Errorf("MTU %d with parameters of its own, %d before it and %d after", mtu(cid), mtu(before), mtu(after))
	}

	if err := plain.SetParams(cid, otherParams); err != nil {
		t.Fatal(err)
	}
	want := otherParams
	want.OutStreams, want.InStreams = someParams.OutStreams, someParams.InStreams
	got := inForce(t, plain, cid)
	if got != want {
		t.Errorf("SetParams:\n got %+v\nwant %+v", got, want)
	}
	if err := plain.SetParams(cid, assoc.Params{MTU: -1, HeartbeatInterval: time.Second, SackDelay: -1}); err != nil {
		t.Fatal(err)
	}
	if got := inForce(t, plain, cid); got.MTU != 0 || got.HeartbeatInterval != time.Second || got.SackPackets > 1 {
		t.Errorf("after taking the MTU back: %+v", got)
	}
}

// Values that contradict each other, or are out of the kernel's range, become
// the nearest that do not.
func TestParamsOutOfRange(t *testing.T) {
	c, s := listen(t, assoc.Params{}, "127.0.0.1", "127.0.0.2"), listen(t, assoc.Params{}, "127.0.0.1", "127.0.0.2")
	cid, _ := join(t, c, s, assoc.Params{})
	for _, test := range []struct {
		name string
		p    assoc.Params
		got  func(assoc.Params) any
		want any
	}{
		{"RTO.Min above RTO.Max", assoc.Params{RTOMin: 2 * time.Second}, func(p assoc.Params) any { return p.RTOMax }, 2 * time.Second},
		{"Association.Max.Retrans above the paths' sum", assoc.Params{PathMaxRetrans: 4, AssocMaxRetrans: 100},
			func(p assoc.Params) any { return p.AssocMaxRetrans }, 8},
		{"long SACK delay", assoc.Params{SackDelay: time.Minute}, func(p assoc.Params) any { return p.SackDelay }, 500 * time.Millisecond},
		{"limits of 17 bits", assoc.Params{PathMaxRetrans: 1 << 16}, func(p assoc.Params) any { return p.PathMaxRetrans }, 0xffff},
	} {
		if err := c.SetParams(cid, test.p); err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := test.got(inForce(t, c, cid)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for _, p := range []assoc.Params{{RTOMax: 20 * time.Minute}, {MaxInitRetransmits: 1 << 20}} {
		if err := c.SetParams(0, p); err != nil {
			t.Errorf("SetParams(0, %+v): %v", p, err)
		}
	}
	if err := c.SetParams(0, assoc.Params{Primary: netip.MustParseAddr("127.0.0.1")}); !errors.Is(err, assoc.ErrInvalid) {
		t.Errorf("primary of no association: %v, want ErrInvalid", err)
	}
}

// Both ends know all addresses of the other one, and data goes to the one that
// was asked for.
func TestSeveralAddresses(t *testing.T) {
	for _, test := range []struct {
		name   string
		addrs  []string
		second string
	}{
		{"IPv4", []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}, "127.0.0.2"},
		{"both families", []string{"127.0.0.1", "::1"}, "::1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, s := listen(t, assoc.Params{}, test.addrs...), listen(t, assoc.Params{}, test.addrs...)
			second := netip.MustParseAddr(test.second)
			cid, sid := join(t, c, s, assoc.Params{Primary: second})
			for _, side := range []struct {
				e  *Endpoint
				id assoc.ID
			}{{c, cid}, {s, sid}} {
				local, peer, err := side.e.AssocAddrs(side.id)
				status, err2 := side.e.Status(side.id)
				if err != nil || err2 != nil || len(local) != len(test.addrs) || len(peer) != len(test.addrs) || len(status.Paths) != len(test.addrs) {
					t.Errorf("association from %v to %v (%v), status %+v (%v)", local, peer, err, status, err2)
				}
			}
			primary := func() netip.Addr {
				status, err := c.Status(cid)
				if err != nil {
					t.Fatal(err)
				}
				return status.Paths[status.Primary].Addr.Addr()
			}
			if got := primary(); got != second {
				t.Errorf("primary is %v, want %v", got, second)
			}
			first := netip.MustParseAddr(test.addrs[0])
			if err := c.SetParams(cid, assoc.Params{Primary: first}); err != nil || primary() != first {
				t.Errorf("primary is %v, %v; want %v", primary(), err, first)
			}
			if err := c.SetParams(cid, assoc.Params{Primary: netip.MustParseAddr("192.0.2.9")}); !errors.Is(err, assoc.ErrInvalid) {
				t.Errorf("primary that the peer does not have: %v, want ErrInvalid", err)
			}
		})
	}
}

// An endpoint on IPv6 addresses alone leaves the IPv4 ones to another, on the
// same port; one on all addresses has both.
func TestV6Only(t *testing.T) {
	six := listen(t, assoc.Params{}, "::1")
	port := six.LocalAddrs()[0].Port()
	four, err := Listen(transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}})
	if err != nil {
		t.Fatalf("the port is taken for IPv4 too: %v", err)
	}
	four.Notify(func() {}, func(assoc.ID) {})
	defer four.Close()
	for _, e := range []*Endpoint{six, four} {
		c := listen(t, assoc.Params{}, "::")
		join(t, c, e, assoc.Params{})
	}
	if _, err := six.Connect(four.LocalAddrs(), nil); err == nil {
		t.Error("an endpoint on IPv6 alone connects to an IPv4 address")
	}
}
