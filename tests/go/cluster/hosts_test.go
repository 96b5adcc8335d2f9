package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/tests/go/proc"
)

// registrarOn starts a registrar on a host, which need not have an address of
// the network's kind.
func (n *network) registrarOn(h *host, args ...string) *proc.Proc {
	n.Helper()
	args = append([]string{"netns", "exec", h.name, tool, "registrar", "--transport", "userland"}, args...)
	p, err := proc.Start(h.name+" registrar", nil, "ip", args...)
	if err != nil {
		n.Fatal(err)
	}
	n.Cleanup(p.Kill)
	if _, _, err := p.Expect(0, readyLine, patience); err != nil {
		n.Fatal(err)
	}
	return p
}

func textOf(lines []proc.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return strings.Join(out, "\n")
}

// anyFamily are the options of a role that is told "-" for what it is to leave
// out.
func anyFamily(registrar string) *rserpool.Options {
	o := &rserpool.Options{Transport: "userland"}
	if registrar != "-" {
		o.Registrars, o.NoEmbedded = []string{registrar}, true
	}
	return o
}

// roleServe is an element.
func roleServe(pool, registrar, local, advertise string) int {
	o := anyFamily(registrar)
	if local != "-" {
		o.Local = []netip.AddrPort{netip.MustParseAddrPort(local)}
	}
	if advertise != "-" {
		o.Advertise = []netip.Addr{netip.MustParseAddr(advertise)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := rserpool.Listen(ctx, pool, o)
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	defer l.Close()
	go serve(l)
	fmt.Printf("element %s/%v\nready\n", pool, l.Name().PE)
	waitForEnd()
	return 0
}

// roleExchange is a user that has one message answered.
func roleExchange(pool, registrar string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience/2)
	defer cancel()
	o := anyFamily(registrar)
	elements, err := rserpool.Resolve(ctx, pool, o)
	var c *rserpool.Conn
	if err == nil {
		c, err = rserpool.Dial(ctx, pool, o)
	}
	if err == nil {
		defer c.Close()
		err = c.Send(ctx, []byte("hello"))
	}
	if err == nil {
		_, err = c.Recv(ctx)
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	for _, e := range elements {
		fmt.Println("answered at", e.Addrs)
	}
	return 0
}

// TestHosts: a registrar at its default address, with elements on its host that
// reach it over loopback. Pool users on another host have sessions with those that
// are bound to nothing in particular, and are not told of one that is bound to
// loopback, of which the registrar warns. Users on the same host are told of all.
func TestHosts(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	near, far := n.hosts[0], n.hosts[1]
	r := n.registrarOn(near)
	open := lines(near.run("serve open 127.0.0.1:3863 - -"), "element")
	bound := lines(near.run("serve bound 127.0.0.1:3863 127.0.0.1:0 -"), "element")
	if len(open) != 1 || len(bound) != 1 {
		t.Fatalf("elements %v, %v", open, bound)
	}
	for _, c := range []struct {
		h    *host
		role string
		want string
	}{
		{far, "exchange open " + near.addr + ":3863", "answered"},
		{far, "exchange bound " + near.addr + ":3863", "unknown pool"},
		{near, "exchange open 127.0.0.1:3863", "answered"},
		{near, "exchange bound 127.0.0.1:3863", "answered"},
	} {
		p := c.h.run(c.role)
		_ = p.Wait(patience)
		if text := textOf(p.Lines(0)); !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %s", c.h.name, c.role, text)
		}
	}
	if _, _, err := r.Expect(0, regexp.MustCompile("level=WARN.*reached on loopback alone.*pool=bound"), patience); err != nil {
		t.Error(err)
	}
	if text := textOf(r.Lines(0)); strings.Count(text, "WARN") != 1 {
		t.Errorf("warnings: %s", text)
	}
}

// TestAdvertisedAddress: an element whose address is translated on its way to the
// others is known at the one it advertises. The host's second address stands for
// that of the NAT.
func TestAdvertisedAddress(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	near, far := n.hosts[0], n.hosts[1]
	n.must("ip -n " + near.name + " addr add 10.231.78.1/32 dev eth0")
	n.must("ip -n " + far.name + " route add 10.231.78.1/32 via " + near.addr)
	n.registrarOn(near, "--asap", near.addr+":3863", "--accept", "10.231.78.0/24")
	if got := lines(near.run("serve pool "+near.addr+":3863 - 10.231.78.1"), "element"); len(got) != 1 {
		t.Fatalf("elements %v", got)
	}
	p := far.run("exchange pool " + near.addr + ":3863")
	_ = p.Wait(patience)
	if text := textOf(p.Lines(0)); !strings.Contains(text, "answered at [10.231.78.1:") {
		t.Error(text)
	}
}

// TestWithoutIPv4: on a host without IPv4, not even on loopback, elements find the
// registrar at its default address and start one themselves where there is none.
func TestWithoutIPv4(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	for _, h := range n.hosts {
		n.must("ip -n " + h.name + " addr del " + h.addr + "/24 dev eth0")
		n.must("ip -n " + h.name + " addr del 127.0.0.1/8 dev lo")
	}
	n.must("ip -n " + n.hosts[0].name + " addr add fd00:77::1/64 dev eth0 nodad")
	n.must("ip -n " + n.hosts[1].name + " addr add fd00:77::2/64 dev eth0 nodad")
	n.registrarOn(n.hosts[0])
	if got := lines(n.hosts[0].run("serve pool - - -"), "element"); len(got) != 1 {
		t.Fatalf("elements %v", got)
	}
	p := n.hosts[1].run("exchange pool [fd00:77::1]:3863")
	_ = p.Wait(patience)
	if text := textOf(p.Lines(0)); !strings.Contains(text, "answered") {
		t.Error(text)
	}
	e := n.hosts[1].run("serve alone - - -") // starts a registrar inside
	p = n.hosts[1].run("exchange alone -")
	_ = p.Wait(patience)
	if text := textOf(p.Lines(0)); !strings.Contains(text, "answered") {
		t.Errorf("%s; %s", text, textOf(e.Lines(0)))
	}
	// There is no way to an address of IPv4: that is said, and at once.
	p = n.hosts[1].run("exchange pool 192.0.2.1:3863")
	_ = p.Wait(patience)
	if text := textOf(p.Lines(0)); !strings.Contains(text, "network is unreachable") {
		t.Error(text)
	}
}

// TestLinkLocal: hosts that know each other by link-local addresses only, which mean
// nothing without their interface.
func TestLinkLocal(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	for i, h := range n.hosts {
		n.must("ip -n " + h.name + " addr del " + h.addr + "/24 dev eth0")
		n.must(fmt.Sprintf("ip -n %s addr add fe80::77:%d/64 dev eth0 nodad", h.name, i+1))
	}
	n.registrarOn(n.hosts[0])
	if got := lines(n.hosts[1].run("serve pool [fe80::77:1%eth0]:3863 - -"), "element"); len(got) != 1 {
		t.Fatalf("elements %v", got)
	}
	p := n.hosts[2].run("exchange pool [fe80::77:1%eth0]:3863")
	_ = p.Wait(patience)
	if text := textOf(p.Lines(0)); !strings.Contains(text, "answered at [[fe80::77:2%") {
		t.Error(text)
	}
}
