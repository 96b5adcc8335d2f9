package loop

import (
	"log/slog"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
)

// TestMachineConfig: the machine is told where it is served, what it announces and where
// it looks for others, and believes PEs what is advertised for this host.
func TestMachineConfig(t *testing.T) {
	one, host, front := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("203.0.113.1")
	prefix := netip.MustParsePrefix("10.0.0.0/8")
	mem := memnet.New()
	cfg := RegistrarConfig{
		ASAP: []netip.AddrPort{netip.AddrPortFrom(one, 3863)}, ENRP: []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), 9901)},
		Open: mem.Open, Logger: slog.New(slog.DiscardHandler), Host: NewHost(func() []netip.Addr { return []netip.Addr{host} }),
	}
	r := &Registrar{}
	var err error
	if r.asap, r.tcp, err = openASAP(cfg); err != nil {
		t.Fatal(err)
	}
	defer r.asap.port.Close()
	if r.enrp, err = openChannel(cfg, registrar.ENRPOverSCTP, protocol.PPIDENRP, cfg.ENRP); err != nil {
		t.Fatal(err)
	}
	defer r.enrp.port.Close()
	sctp := func(port uint16, a netip.Addr) protocol.Transport {
		return protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl, Port: port, Addrs: []netip.Addr{a}}
	}
	check := func(what string, want registrar.Config) {
		t.Helper()
		got := r.machineConfig(cfg)
		if got.Rand == nil {
			t.Errorf("%s: no randomness", what)
		}
		got.Rand = nil
		same := cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })
		if diff := cmp.Diff(want, got, byValue, same, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	cfg.Machine = registrar.Config{Handover: true, Accept: []netip.Prefix{prefix}}
	want := cfg.Machine
	want.ASAP, want.ENRP, want.Local = []protocol.Transport{sctp(3863, one)}, sctp(9901, host), cfg.ENRP
	check("bare", want)

	cfg.Peers, cfg.PeerNames = [][]netip.AddrPort{{netip.MustParseAddrPort("192.0.2.9:9901")}}, []string{"a:1"}
	want.Peers, want.LookUp = cfg.Peers, true
	check("with peers", want)

	cfg.Announce, want.Announce = &Group{}, true
	check("announced", want)
	cfg.Announce, want.Announce = nil, false
	cfg.Multicast, want.Multicast = &Group{}, true
	check("with a group for peers", want)

	cfg.Advertise = []netip.Addr{front}
	want.ASAP, want.ENRP = []protocol.Transport{sctp(3863, front)}, sctp(9901, front)
	want.Accept = []netip.Prefix{prefix, netip.PrefixFrom(front, 32)}
	check("advertised", want)

	r.tcp = &tcpServer{}
	want.ASAP = append(want.ASAP, protocol.Transport{Protocol: protocol.TCP, Port: 3863, Addrs: []netip.Addr{front}})
	check("with TCP", want)

	r.enrp = nil
	want.ENRP, want.Local = protocol.Transport{}, nil
	check("without ENRP", want)
	if len(cfg.Machine.Accept) != 1 {
		t.Error("the caller's list was changed")
	}
}
