package loop_test

import (
	"errors"
	"fmt"
	"log/slog"
	stdnet "net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// peer is an endpoint that talks to a registrar by hand.
type peer struct {
	*testing.T
	port  *loop.Port
	ep    *memnet.Endpoint
	assoc assoc.ID
}

func start(t *testing.T) (*memnet.Net, *loop.Registrar) {
	t.Helper()
	net := memnet.New()
	r, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")},
		ENRP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9901")},
		Open: net.Open, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return net, r
}

func connect(t *testing.T, net *memnet.Net, to []netip.AddrPort) *peer {
	t.Helper()
	ep, _, err := net.Open(transport.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ep.Close() })
	p := &peer{T: t, port: loop.NewPort(ep), ep: ep.(*memnet.Endpoint)}
	if p.assoc, err = p.port.Connect(to, nil); err != nil {
		t.Fatal(err)
	}
	if _, info := receive(t, p.port); info.Kind != assoc.CommUp {
		t.Fatalf("got %+v, want CommUp", info)
	}
	return p
}

func (p *peer) send(ppid uint32, b []byte, err error) {
	p.Helper()
	if err == nil {
		err = p.port.SendControl(p.assoc, ppid, b)
	}
	if err != nil {
		p.Fatal(err)
	}
	synctest.Wait()
}

func (p *peer) sendASAP(m asap.Message) {
	p.Helper()
	b, err := asap.Append(nil, m)
	p.send(protocol.PPIDASAP, b, err)
}

func (p *peer) want(want asap.Message) {
	p.Helper()
	b, info := receive(p.T, p.port)
	got, _, err := asap.Parse(b)
	if diff := cmp.Diff(want, got); diff != "" || err != nil || info.PPID != protocol.PPIDASAP || info.Stream != 0 || info.Unordered {
		p.Fatalf("PPID %d, %v (-want +got):\n%s", info.PPID, err, diff)
	}
}

func (p *peer) silent() {
	p.Helper()
	var info assoc.RecvInfo
	if b, err := p.port.Receive(&info); !errors.Is(err, assoc.ErrWouldBlock) {
		p.Fatalf("got %+v %x, %v", info, b, err)
	}
}

func (p *peer) element() protocol.Element {
	return protocol.Element{
		ID: 5, Life: 300, Policy: protocol.Policy{Type: protocol.RoundRobin},
		User: protocol.Transport{
			Protocol: protocol.SCTP, Use: protocol.DataAndControl,
			Port: p.port.LocalAddrs()[0].Port(), Addrs: []netip.Addr{memnet.Loopback},
		},
	}
}

func TestRegistrarServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe := connect(t, net, r.ASAPAddrs())
		pe.sendASAP(asap.Registration{Handle: "echo", Element: pe.element()})
		pe.want(asap.RegistrationResponse{Handle: "echo", ID: 5})
		v := r.Snapshot()
		if len(v.Pools) != 1 || v.Pools[0].Elements[0].ASAP.Port != pe.port.LocalAddrs()[0].Port() || !v.Pools[0].Elements[0].Connected {
			t.Errorf("the registrar knows %+v", v.Pools)
		}

		// What is neither ASAP nor ENRP, what is not readable, and ENRP of peers
		// at the ASAP endpoint: nothing, and the association stands.
		pe.send(0, []byte("text"), nil)
		pe.send(protocol.PPIDASAP, []byte{1, 2, 3}, nil)
		pe.send(protocol.PPIDENRP, []byte{1, 2, 3}, nil)
		b, err := enrp.Append(nil, enrp.ListRequest{Route: enrp.Route{Sender: 9}})
		pe.send(protocol.PPIDENRP, b, err)
		pe.silent()

		// Unknown message, action bits 01: reported (COM-4-05).
		pe.send(protocol.PPIDASAP, []byte{0x41, 0, 0, 4}, nil)
		pe.want(asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedMessage, Info: []byte{0x41, 0, 0, 4}}}})
	})
}

// TestRegistrarProbesOverANewAssociation: a PE whose association is gone is
// connected to at the address it registered from (ASAP-3.5-06).
func TestRegistrarProbesOverANewAssociation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe := connect(t, net, r.ASAPAddrs())
		pe.sendASAP(asap.Registration{Handle: "echo", Element: pe.element()})
		pe.want(asap.RegistrationResponse{Handle: "echo", ID: 5})
		if err := pe.port.Abort(pe.assoc, "test"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		var probed bool
		for !probed {
			b, info := receive(t, pe.port)
			m, _, _ := asap.Parse(b)
			_, probed = m.(asap.EndpointKeepAlive)
			if info.Kind == assoc.Message && !probed {
				t.Fatalf("got %v", m)
			}
		}
		// Nobody acknowledges: the element is removed (ASAP-3.5-07).
		time.Sleep(time.Minute)
		if v := r.Snapshot(); len(v.Pools) != 0 {
			t.Errorf("a dead element stays: %+v", v.Pools)
		}
	})
}

func TestRegistrarRemovesWhoIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe := connect(t, net, r.ASAPAddrs())
		pe.sendASAP(asap.Registration{Handle: "echo", Element: pe.element()})
		pe.ep.Kill()
		time.Sleep(2 * time.Minute)
		if v := r.Snapshot(); len(v.Pools) != 0 || v.Counters.Dead != 1 {
			t.Errorf("the registrar knows %+v, %+v", v.Pools, v.Counters)
		}
	})
}

func TestOperatorsQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe := connect(t, net, r.ASAPAddrs())
		pe.sendASAP(asap.Registration{Handle: "echo", Element: pe.element()})
		pe.want(asap.RegistrationResponse{Handle: "echo", ID: 5})
		for _, at := range [][]netip.AddrPort{r.ASAPAddrs(), r.ENRPAddrs()} {
			op := connect(t, net, at)
			b, err := enrp.Append(nil, enrp.HandleTableRequest{})
			op.send(protocol.PPIDENRP, b, err)
			b, info := receive(t, op.port)
			got, _, err := enrp.Parse(b)
			m, ok := got.(enrp.HandleTableResponse)
			if err != nil || !ok || info.PPID != protocol.PPIDENRP || m.Sender != r.Snapshot().Server || m.More || m.Rejected ||
				len(m.Entries) != 1 || m.Entries[0].Handle != "echo" || m.Entries[0].Elements[0].ID != 5 {
				t.Errorf("at %v: %v %+v", at, err, got)
			}
		}
	})
}

// TestRegistrarDropsWhoDoesNotRead instead of keeping answers without limit.
func TestRegistrarDropsWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe, pu := connect(t, net, r.ASAPAddrs()), connect(t, net, r.ASAPAddrs())
		e := pe.element()
		for range 128 {
			e.ID++
			pe.sendASAP(asap.Registration{Handle: "echo", Element: e})
			pe.want(asap.RegistrationResponse{Handle: "echo", ID: e.ID})
		}
		pu.ep.Freeze()
		question, err := asap.Append(nil, asap.HandleResolution{Handle: "echo"})
		asked := 0
		for r.Snapshot().Links == 2 {
			if asked++; asked > 10000 {
				t.Fatal("10,000 answers wait for a pool user that does not read")
			}
			pu.send(protocol.PPIDASAP, question, err)
		}
		pe.sendASAP(asap.HandleResolution{Handle: "nowhere"})
		pe.want(asap.HandleResolutionResponse{Handle: "nowhere", Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}})
	})
}

// TestRegistrarTellsItsMachineOfRestarts: the element that restarts on its old
// address is one association, and registers as it likes.
func TestRegistrarTellsItsMachineOfRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe := connect(t, net, r.ASAPAddrs())
		pe.sendASAP(asap.Registration{Handle: "echo", Element: pe.element()})
		pe.want(asap.RegistrationResponse{Handle: "echo", ID: 5})
		local := pe.port.LocalAddrs()
		pe.ep.Vanish()
		ep, _, err := net.Open(transport.Config{Local: local})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ep.Close() })
		again := &peer{T: t, port: loop.NewPort(ep), ep: ep.(*memnet.Endpoint)}
		if again.assoc, err = ep.Connect(r.ASAPAddrs(), nil); err != nil {
			t.Fatal(err)
		}
		receive(t, again.port) // CommUp
		e := again.element()
		e.ID = 6
		again.sendASAP(asap.Registration{Handle: "echo", Element: e})
		for b, info := receive(t, again.port); ; b, info = receive(t, again.port) {
			m, _, _ := asap.Parse(b)
			if got, ok := m.(asap.RegistrationResponse); ok && info.Kind == assoc.Message {
				if got.ID != 6 || got.Rejected {
					t.Errorf("got %v", got)
				}
				break
			}
		}
		if v := r.Snapshot(); v.Links != 1 {
			t.Errorf("%d links, want 1", v.Links)
		}
	})
}

func TestStartRegistrarFailsClean(t *testing.T) {
	net, r := start(t)
	free := netip.MustParseAddrPort("127.0.0.1:5000")
	for _, c := range []loop.RegistrarConfig{
		{ASAP: r.ASAPAddrs()},
		{ASAP: []netip.AddrPort{free}, ENRP: r.ENRPAddrs()},
	} {
		c.Open, c.Logger = net.Open, slog.New(slog.DiscardHandler)
		if _, err := loop.StartRegistrar(c); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v", err)
		}
	}
	ep, _, err := net.Open(transport.Config{Local: []netip.AddrPort{free}})
	if err != nil {
		t.Fatalf("the first endpoint stays open when the second one fails: %v", err)
	}
	ep.Close()
}

// askTable asks as an operator does, and returns the answer.
func (p *peer) askTable(own bool) enrp.HandleTableResponse {
	p.Helper()
	b, err := enrp.Append(nil, enrp.HandleTableRequest{OwnChildrenOnly: own})
	p.send(protocol.PPIDENRP, b, err)
	b, _ = receive(p.T, p.port)
	got, _, err := enrp.Parse(b)
	m, ok := got.(enrp.HandleTableResponse)
	if err != nil || !ok {
		p.Fatalf("got %+v, %v", got, err)
	}
	return m
}

// Downloads that operators began and did not finish are bounded; each ends with its last
// part or its association, and makes room for another one. Each shows one moment.
func TestOperatorsDownloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, r := start(t)
		pe := connect(t, net, r.ASAPAddrs())
		register := func(i int) {
			h := protocol.PoolHandle(fmt.Sprintf("%01000d", i))
			pe.sendASAP(asap.Registration{Handle: h, Element: pe.element()})
			pe.want(asap.RegistrationResponse{Handle: h, ID: 5})
		}
		for i := range 60 {
			register(i)
		}
		var ops []*peer
		for i := range 64 {
			ops = append(ops, connect(t, net, r.ENRPAddrs()))
			if m := ops[i].askTable(i%2 == 0); m.Rejected || !m.More || len(m.Entries) == 0 {
				t.Fatalf("download %d: %d entries, more: %v, rejected: %v", i, len(m.Entries), m.More, m.Rejected)
			}
		}
		late := connect(t, net, r.ENRPAddrs())
		refused := func(why string) {
			t.Helper()
			if m := late.askTable(false); !m.Rejected || m.More || len(m.Entries) > 0 {
				t.Errorf("%s: %d entries, rejected: %v", why, len(m.Entries), m.Rejected)
			}
		}
		refused("one too many")
		register(60)
		if m := ops[0].askTable(true); m.Rejected || m.More || len(m.Entries) == 0 || m.Entries[len(m.Entries)-1].Handle != protocol.PoolHandle(fmt.Sprintf("%01000d", 59)) {
			t.Errorf("the rest of a download has %d entries", len(m.Entries))
		}
		ops = append(ops, connect(t, net, r.ENRPAddrs()))
		if m := ops[64].askTable(false); m.Rejected || !m.More {
			t.Error("the last part of another one made no room")
		}
		refused("one too many again")
		ops[1].ep.Kill()
		synctest.Wait()
		entries := 0
		for more := true; more; {
			m := late.askTable(false)
			if m.Rejected {
				t.Fatal("the end of an association made no room")
			}
			entries, more = entries+len(m.Entries), m.More
		}
		if entries != 61 {
			t.Errorf("%d pools in all parts, want 61", entries)
		}
	})
}

// opening is an endpoint whose parameters are noted.
type opening struct {
	transport.Endpoint
	set *assoc.Params
}

func (o opening) SetParams(id assoc.ID, p assoc.Params) error {
	*o.set = p
	return o.Endpoint.SetParams(id, p)
}

// SEC-2.14: what a registrar keeps for a peer that sends is bounded by the longest
// message that it can send, and peers by what the machine takes.
func TestRegistrarBoundsItsEndpoints(t *testing.T) {
	for kind, window := range map[string]int{transport.KindUserland: 4 << 16, transport.KindKernel: 0} {
		var cfgs []transport.Config
		var sets []*assoc.Params
		net := memnet.New()
		r, err := loop.StartRegistrar(loop.RegistrarConfig{
			ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, ENRP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
			Transport: kind, Machine: registrar.Config{Limits: registrar.Limits{Elements: 20, Links: 3}}, Logger: slog.New(slog.DiscardHandler),
			Open: func(cfg transport.Config) (transport.Endpoint, string, error) {
				ep, _, err := net.Open(cfg)
				cfgs, sets = append(cfgs, cfg), append(sets, new(assoc.Params))
				return opening{ep, sets[len(sets)-1]}, kind, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		for i, cfg := range cfgs {
			if cfg.Kind != kind || cfg.MaxAssocs != 23 || cfg.Params.MaxMessage != 1<<16 || sets[i].ReceiveBuffer != window {
				t.Errorf("%s: opened with %+v, and then %+v", kind, cfg, sets[i])
			}
		}
		if len(cfgs) != 2 {
			t.Errorf("%d endpoints", len(cfgs))
		}
	}
}

// A registrar that cannot enter a group does not start, says which, and gives back what
// it had.
func TestStartRegistrarWithoutItsGroups(t *testing.T) {
	lo, err := stdnet.InterfaceByIndex(1)
	if err != nil {
		t.Skip(err)
	}
	good := &loop.Group{Addr: netip.MustParseAddrPort("239.77.1.1:20001"), Interface: lo}
	bad := &loop.Group{Addr: netip.MustParseAddrPort("239.77.1.2:20002"), Interface: &stdnet.Interface{Index: 1 << 20}}
	net := memnet.New()
	at := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")}
	enrp := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9901")}
	state := filepath.Join(t.TempDir(), "state")
	start := func(announce, multicast *loop.Group) error {
		r, err := loop.StartRegistrar(loop.RegistrarConfig{
			ASAP: at, ENRP: enrp, Open: net.Open, Announce: announce, Multicast: multicast, State: state, Logger: slog.New(slog.DiscardHandler),
		})
		if err == nil {
			err = r.Close()
		}
		return err
	}
	for _, groups := range [][2]*loop.Group{{bad, nil}, {good, bad}, {nil, bad}} {
		if err := start(groups[0], groups[1]); err == nil || !strings.Contains(err.Error(), "239.77.1.2:20002") {
			t.Errorf("got %v", err)
		}
		if err := start(nil, nil); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}
