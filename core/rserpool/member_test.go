package rserpool_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/core/rserpooltest"
)

// until waits for what comes about by itself.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("after ten seconds still not: " + what)
		}
	}
}

// TestMember goes through the life of a member of a pool, as it, the registrar and a
// resolver see it.
func TestMember(t *testing.T) {
	registrar := rserpooltest.StartRegistrar(t)
	opts := rserpooltest.Options(t, registrar)
	opts.WaitForPool = new(time.Duration)
	policy := func(load uint32) rserpool.Policy { return rserpool.Policy{Type: rserpool.LeastUsed, Load: load} }
	o := *opts
	o.Local, o.PE, o.Policy = nil, 7, policy(1)
	at := rserpool.Transport{Protocol: rserpool.TCP, Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:80")}}
	m, err := rserpool.Join(t.Context(), "files", at, &o)
	ok(t, err)
	defer m.Close()
	name := rserpool.Name{Pool: "files", PE: 7}
	if s := m.Status(); m.Name() != name || s.Name != name || !s.Registered || s.Registrar != opts.Registrars[0] {
		t.Errorf("the member is %v, its status %+v", m.Name(), s)
	}
	element := func() rserpool.Element { return registrar.Pools()[0].Elements[0] }
	ok(t, m.SetLoad(policy(9)))
	until(t, "the registrar knows the load", func() bool { return element().Policy.Load == 9 })
	ok(t, m.Update(t.Context(), rserpool.Registration{PE: 7, Policy: policy(3), Life: time.Minute}))
	until(t, "the registrar knows the life", func() bool { return element().Policy.Load == 3 && element().Life == 60 })

	r, err := rserpool.NewResolver(opts)
	ok(t, err)
	defer r.Close()
	if es, err := r.Resolve(t.Context(), "files", rserpool.Query{}); err != nil || len(es) != 1 || es[0].ID != 7 {
		t.Errorf("the resolver finds %v: %v", es, err)
	}
	if s := r.Status(); s.Registrar != opts.Registrars[0] || s.Name != (rserpool.Name{}) {
		t.Errorf("the resolver's status is %+v", s)
	}
	ok(t, m.Leave(t.Context()))
	r.Purge("files")
	if es, err := r.Resolve(t.Context(), "files", rserpool.Query{}); !errors.Is(err, rserpool.ErrUnknownPool) {
		t.Errorf("after it left the resolver finds %v: %v", es, err)
	}
}

// TestPeers: registrars know each other, by what each says of itself.
func TestPeers(t *testing.T) {
	start := func(peers ...string) *rserpool.Registrar {
		loopback := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
		r, err := rserpool.StartRegistrar(t.Context(), rserpool.RegistrarOptions{
			ASAP: loopback, ENRP: loopback, Peers: peers, Transport: "userland",
		})
		ok(t, err)
		t.Cleanup(func() { r.Close() })
		if tcp := r.TCPAddrs(); len(tcp) != 1 || tcp[0] != r.ASAPAddrs()[0] {
			t.Errorf("pool users are answered at %v over TCP, and at %v", tcp, r.ASAPAddrs())
		}
		return r
	}
	a := start()
	b := start(a.ENRPAddrs()[0].String())
	knows := func(r, other *rserpool.Registrar) bool {
		ps := r.Peers()
		return len(ps) == 1 && ps[0].ID == other.ID() && ps[0].Connected && ps[0].Active
	}
	until(t, "each knows the other", func() bool { return knows(a, b) && knows(b, a) })
}
