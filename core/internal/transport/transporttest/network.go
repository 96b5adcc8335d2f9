package transporttest

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// Network is two hosts, each a network namespace, with up to two cables (veth
// devices) between them. The hosts are 0 and 1, and so on the cables.
type Network struct {
	t      *testing.T
	names  [2]string
	cables int
	six    bool // there is IPv6 too
}

var networks atomic.Int32

// NewNetwork makes a network that is gone with the test, and skips the test
// where that cannot be done: it takes root, ip, and a kernel with namespaces
// and veth.
func NewNetwork(t *testing.T, cables int) *Network {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: network namespaces take root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("not run: there is no ip command (Debian package iproute2)")
	}
	id := networks.Add(1)
	n := &Network{t: t, cables: cables, six: true}
	for host := range n.names {
		n.names[host] = fmt.Sprintf("rserpool-%d-%d-%d", os.Getpid(), id, host)
		if err := run("ip", "netns", "add", n.names[host]); err != nil {
			t.Skip("not run: network namespaces:", err)
		}
		t.Cleanup(func() {
			if err := run("ip", "netns", "del", n.names[host]); err != nil {
				t.Error(err)
			}
		})
		n.must("ip", "-n", n.names[host], "link", "set", "lo", "up")
		n.Inside(host, func() { // a cable that is pulled out leaves the addresses, as with IPv4
			n.six = os.WriteFile("/proc/sys/net/ipv6/conf/all/keep_addr_on_down", []byte("1"), 0) == nil && n.six
		})
	}
	for cable := range cables {
		if err := run("ip", "-n", n.names[0], "link", "add", device(cable), "type", "veth", "peer", "name", device(cable), "netns", n.names[1]); err != nil {
			t.Skip("not run: veth devices:", err)
		}
		for host, name := range n.names {
			n.must("ip", "-n", name, "addr", "add", n.Addr(host, cable).String()+"/24", "dev", device(cable))
			if n.six {
				n.must("ip", "-n", name, "addr", "add", n.Addr6(host, cable).String()+"/64", "dev", device(cable), "nodad")
			}
			// The kernel does not cut the SCTP that it encapsulates to the
			// device's segment size, so it must not make more than a packet.
			n.must("ip", "-n", name, "link", "set", device(cable), "up", "gso_max_size", "1500")
		}
	}
	return n
}

func device(cable int) string { return fmt.Sprintf("cable%d", cable) }

// Addr is the IPv4 address of a host on a cable.
func (n *Network) Addr(host, cable int) netip.Addr {
	// Not private ones: a kernel does not tell those to peers at IPv6 addresses
	// that are not. These are for documentation (RFC 5737).
	nets := [][4]byte{{192, 0, 2}, {198, 51, 100}}
	addr := nets[cable]
	addr[3] = byte(host + 1)
	return netip.AddrFrom4(addr)
}

// Addr6 is the IPv6 address of a host on a cable.
func (n *Network) Addr6(host, cable int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("fd77:%x::%x", cable, host+1))
}

// NeedIPv6 skips the test if the hosts have none.
func (n *Network) NeedIPv6() {
	n.t.Helper()
	if !n.six {
		n.t.Skip("not run: this kernel has no IPv6")
	}
}

// Cut pulls a cable out, or with on false plugs it in again.
func (n *Network) Cut(cable int, on bool) {
	n.t.Helper()
	n.must("ip", "-n", n.names[1], "link", "set", device(cable), map[bool]string{true: "down", false: "up"}[on])
}

// Impair makes all cables bad in both directions, and skips the test where the
// kernel cannot do that. Packets overtake each other if there is jitter.
func (n *Network) Impair(link Link) {
	n.t.Helper()
	us := func(d time.Duration) string { return fmt.Sprintf("%dus", d.Microseconds()) }
	percent := func(p float64) string { return fmt.Sprintf("%g%%", p*100) }
	for cable := range n.cables {
		for _, name := range n.names {
			args := []string{"-n", name, "qdisc", "replace", "dev", device(cable), "root", "netem", "limit", "10000"}
			if link.Delay > 0 {
				// Around the middle, as Link means it.
				args = append(args, "delay", us(link.Delay+link.Jitter/2), us(link.Jitter/2))
			}
			if link.Loss > 0 {
				args = append(args, "loss", percent(link.Loss))
			}
			if link.Double > 0 {
				args = append(args, "duplicate", percent(link.Double))
			}
			if err := run("tc", args...); err != nil {
				n.t.Skip("not run: a bad network needs tc and sch_netem:", err)
			}
		}
	}
}

// Inside runs f on a host: the sockets that it opens and the processes that it
// starts belong there.
func (n *Network) Inside(host int, f func()) {
	n.t.Helper()
	runtime.LockOSThread()
	here, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	defer unix.Close(here)
	there, err := unix.Open("/run/netns/"+n.names[host], unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	defer unix.Close(there)
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		n.t.Fatal(err)
	}
	defer func() {
		if err := unix.Setns(here, unix.CLONE_NEWNET); err != nil {
			panic(err) // the thread must not be used for anything else
		}
		runtime.UnlockOSThread()
	}()
	f()
}

// On returns a function that opens endpoints on a host, for a Factory.
func (n *Network) On(host int, open func(*testing.T, transport.Config) transport.Endpoint) func(*testing.T, transport.Config) transport.Endpoint {
	return func(t *testing.T, cfg transport.Config) (e transport.Endpoint) {
		t.Helper()
		n.Inside(host, func() { e = open(t, cfg) })
		return e
	}
}

func (n *Network) must(command string, args ...string) {
	n.t.Helper()
	if err := run(command, args...); err != nil {
		n.t.Fatal(err)
	}
}

func run(command string, args ...string) error {
	out, err := exec.Command(command, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", command, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
