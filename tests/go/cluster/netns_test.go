package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/tests/go/proc"
)

// network is hosts, each a network namespace, on one bridge.
type network struct {
	*testing.T
	prefix string
	hosts  []*host
}

// host has a registrar, and a cable that can be pulled.
type host struct {
	n      *network
	name   string // of its namespace
	port   string // of the bridge
	addr   string
	router *registrar
}

func (n *network) must(command string) {
	n.Helper()
	if err := sh(command); err != nil {
		n.Fatal(err)
	}
}

func sh(command string) error {
	f := strings.Fields(command)
	if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %v: %s", command, err, out)
	}
	return nil
}

// newNetwork makes hosts, or skips the test where that cannot be done.
func newNetwork(t *testing.T, hosts int) *network {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root: run as root for partitions and packet loss")
	}
	n := &network{T: t, prefix: fmt.Sprintf("rs%d%c", os.Getpid()%100000, t.Name()[len("TestPa")])}
	bridge := n.prefix + "b"
	if err := sh("ip link add " + bridge + " type bridge"); err != nil {
		t.Skipf("this system cannot do it: %v", err)
	}
	t.Cleanup(func() { _ = sh("ip link del " + bridge) })
	n.must("ip link set " + bridge + " up")
	for i := range hosts {
		h := &host{n: n, name: fmt.Sprintf("%sn%d", n.prefix, i), port: fmt.Sprintf("%sp%d", n.prefix, i), addr: fmt.Sprintf("10.231.77.%d", i+1)}
		if err := sh("ip netns add " + h.name); err != nil {
			t.Skipf("this system cannot do it: %v", err)
		}
		t.Cleanup(func() { _ = sh("ip netns del " + h.name) })
		n.must("ip link add " + h.port + " type veth peer name eth0 netns " + h.name)
		t.Cleanup(func() { _ = sh("ip link del " + h.port) })
		n.must("ip link set " + h.port + " master " + bridge + " up")
		n.must("ip -n " + h.name + " link set lo up")
		n.must("ip -n " + h.name + " addr add " + h.addr + "/24 dev eth0")
		n.must("ip -n " + h.name + " link set eth0 up")
		n.hosts = append(n.hosts, h)
	}
	return n
}

// cut pulls a host's cable: nobody notices but by silence.
func (h *host) cut()  { h.n.must("ip link set " + h.port + " nomaster") }
func (h *host) heal() { h.n.must("ip link set " + h.port + " master " + h.n.prefix + "b") }

// in runs a command on the host.
func (h *host) in(command string) (string, error) {
	f := append([]string{"netns", "exec", h.name}, strings.Fields(command)...)
	out, err := exec.Command("ip", f...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return string(out), err
}

// lossy makes the host lose 5 % of what it sends: by netem, or where the kernel
// has none by a classic BPF program that draws a number for each packet and sends
// some of them to a cable that ends nowhere. It returns how many were lost there.
func (h *host) lossy() (lost func() string, err error) {
	if _, err = h.in("tc qdisc add dev eth0 root netem loss 5%"); err == nil {
		return func() string { return "some" }, nil
	}
	const (
		random  = 0xfffff000 + 56 // SKF_AD_OFF + SKF_AD_RANDOM of linux/filter.h
		share   = (1 << 32) / 100 * 5
		program = "4,32 0 0 %d,53 0 1 %d,6 0 0 0,6 0 0 4294967295"
	)
	for _, command := range []string{
		"ip link add nowhere type veth peer name cut",
		"ip link set nowhere up",
		"tc qdisc add dev eth0 clsact",
	} {
		if _, err := h.in(command); err != nil {
			return nil, err
		}
	}
	args := []string{"netns", "exec", h.name, "tc", "filter", "add", "dev", "eth0", "egress", "bpf",
		"bytecode", fmt.Sprintf(program, uint32(random), uint32(share)), "action", "mirred", "egress", "redirect", "dev", "nowhere"}
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("tc filter: %w: %s", err, out)
	}
	return func() string {
		out, err := h.in("tc -s filter show dev eth0 egress")
		if m := sentPackets.FindStringSubmatch(out); err == nil && m != nil {
			return m[1]
		}
		return "0"
	}, nil
}

var sentPackets = regexp.MustCompile(`Sent \d+ bytes (\d+) pkt`)

// run starts this program in a role on the host.
func (h *host) run(role string) *proc.Proc {
	h.n.Helper()
	self, err := os.Executable()
	if err != nil {
		h.n.Fatal(err)
	}
	p, err := proc.Start(h.name+" "+role, []string{"CLUSTER_ROLE=" + role}, "ip", "netns", "exec", h.name, self)
	if err != nil {
		h.n.Fatal(err)
	}
	h.n.Cleanup(p.Kill)
	if strings.HasPrefix(role, "elements") || strings.HasPrefix(role, "serve") || strings.HasPrefix(role, "users") {
		if _, _, err := p.Expect(0, regexp.MustCompile("^ready$"), patience); err != nil {
			h.n.Fatal(err)
		}
	}
	return p
}

// lines returns what followed a word in the lines of a process.
func lines(p *proc.Proc, word string) map[string]bool {
	out := map[string]bool{}
	for _, l := range p.Lines(0) {
		if rest, ok := strings.CutPrefix(l.Text, word+" "); ok {
			out[rest] = true
		}
	}
	return out
}

// start starts a registrar on every host.
func (n *network) start() *group {
	g := &group{T: n.T}
	for i, h := range n.hosts {
		h.router = &registrar{g: g, number: i, asap: h.addr + ":3863", enrp: h.addr + ":9901", under: []string{"ip", "netns", "exec", h.name}}
		g.registrars = append(g.registrars, h.router)
	}
	for _, r := range g.registrars {
		r.start()
	}
	return g
}

// elements starts some on every host.
func (n *network) elements(each int, registrars string) map[string]bool {
	n.Helper()
	want := map[string]bool{}
	for _, h := range n.hosts {
		for key := range lines(h.run(fmt.Sprintf("elements %d pool %s", each, registrars)), "element") {
			want[key] = true
		}
	}
	return want
}

// agree is that of group, seen from the hosts.
func (n *network) agree(want map[string]bool, limit time.Duration) {
	n.Helper()
	began := time.Now()
	for {
		var first map[string]bool
		text := ""
		for _, h := range n.hosts {
			p := h.run("known " + h.router.asap)
			err := p.Wait(patience)
			table, have := lines(p, "known"), map[string]bool{}
			for line := range table {
				key, _, _ := strings.Cut(line, " ")
				have[key] = true
			}
			if first == nil {
				first = table
			}
			if err != nil {
				text += fmt.Sprintf("%s: %v\n", h.name, err)
			}
			text += cmp.Diff(want, have) + cmp.Diff(first, table)
		}
		if text == "" {
			n.Logf("all agree after %v", time.Since(began).Round(10*time.Millisecond))
			return
		}
		if time.Since(began) > limit {
			n.Errorf("after %v:\n%s", limit, text)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// TestPartitions: hosts with a registrar and elements are cut off and come
// back, one after the other. The users, on hosts that are not, never miss an
// answer: each has an element that is not cut off. At the end all is as it was.
func TestPartitions(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	n.start()
	asaps := strings.Join([]string{n.hosts[0].router.asap, n.hosts[1].router.asap, n.hosts[2].router.asap}, ",")
	want := n.elements(5, asaps)
	if len(want) != 15 {
		t.Fatalf("elements %v", want)
	}
	n.agree(want, calm)
	users := n.hosts[2].run("users 3 pool " + asaps)
	for until := time.Now().Add(*soak); ; {
		for _, h := range n.hosts[:2] {
			h.cut()
			time.Sleep(5 * time.Second) // it is taken for dead, and takes the others for dead
			h.heal()
			n.agree(want, 2*calm)
		}
		if time.Now().After(until) {
			break
		}
	}
	endUsers(t, users)
}

func endUsers(t *testing.T, users *proc.Proc) {
	t.Helper()
	if err := users.CloseStdin(); err != nil {
		t.Error(err)
	}
	if err := users.Wait(patience); err != nil {
		t.Error(err)
	}
	for _, l := range users.Lines(0) {
		if l.Text != "ready" {
			t.Log(l.Text)
		}
		if strings.Contains(l.Text, "failed") {
			t.Fail()
		}
	}
}

// TestPacketLoss: at 5 % loss nobody is taken for dead, and no resolution
// fails.
func TestPacketLoss(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	var lost []func() string
	for _, h := range n.hosts {
		l, err := h.lossy()
		if err != nil {
			t.Skipf("this kernel cannot lose packets on demand: %v", err)
		}
		lost = append(lost, l)
	}
	g := n.start()
	asaps := strings.Join(g.asaps(), ",")
	want := n.elements(5, asaps)
	n.agree(want, calm)
	users := n.hosts[2].run("users 3 pool " + asaps)
	time.Sleep(max(5*time.Second, *soak))
	n.agree(want, calm)
	endUsers(t, users)
	for i, l := range lost {
		if l() == "0" {
			t.Errorf("host %d lost nothing", i)
		}
		t.Logf("host %d lost %s packets", i, l())
	}
	for _, r := range g.registrars {
		for _, l := range r.p.Lines(0) {
			if strings.Contains(l.Text, "taking over") {
				t.Errorf("registrar %d: %s", r.number, l.Text)
			}
		}
	}
}
