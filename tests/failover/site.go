package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/tests/go/proc"
)

var (
	readyLine      = regexp.MustCompile(`registrar 0x[0-9a-f]+ listening on .*?:(\d+), ENRP on`)
	registeredLine = regexp.MustCompile(`msg=registered .*\bpe=0x([0-9a-f]+)`)
)

// site is a registrar and three elements.
type site struct {
	bin       string
	apart     bool
	registrar string // as this process reaches it
	port      string
	all       []*proc.Proc
	networks  []*network
	elements  map[rserpool.PEID]*element
}

type element struct {
	*proc.Proc
	pe  rserpool.PEID
	net *network // nil: that of this process
}

func (s *site) open() error {
	at := "127.0.0.1:0"
	if s.apart {
		at = "0.0.0.0:0"
	}
	p, err := proc.Start("registrar", nil, s.bin+"/rserpool", "registrar", "--asap", at, "--enrp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("%w; build first: make", err)
	}
	s.all = append(s.all, p)
	_, m, err := p.Expect(0, readyLine, patience)
	if err != nil {
		return err
	}
	s.port, s.registrar = m[1], "127.0.0.1:"+m[1]
	for range 3 {
		if err := s.start(); err != nil {
			return err
		}
	}
	return nil
}

// start starts an element and waits until it is registered.
func (s *site) start() error {
	e := &element{}
	command := []string{s.bin + "/echo_pe"}
	registrar := s.registrar
	if s.apart {
		var err error
		if e.net, err = newNetwork(len(s.networks)); err != nil {
			return err
		}
		s.networks = append(s.networks, e.net)
		command = append([]string{"ip", "netns", "exec", e.net.name}, command...)
		registrar = e.net.host + ":" + s.port
	}
	env := []string{"RSERPOOL_REGISTRARS=" + registrar, "RSERPOOL_LOG=info", "ECHO_PORT=0"}
	var err error
	if e.Proc, err = proc.Start("echo_pe", env, command[0], command[1:]...); err != nil {
		return err
	}
	s.all = append(s.all, e.Proc)
	_, m, err := e.Expect(0, registeredLine, patience)
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(m[1], 16, 32)
	if err != nil {
		return err
	}
	e.pe = rserpool.PEID(id)
	s.elements[e.pe] = e
	return nil
}

func (s *site) remove(e *element) {
	delete(s.elements, e.pe)
	e.Kill()
}

func (s *site) close() {
	for _, p := range s.all {
		p.Kill()
	}
	for _, n := range s.networks {
		n.remove()
	}
}

// network is a network namespace with one link to that of this process.
type network struct {
	name, host, link string
}

func mayMakeNetworks() error {
	n, err := newNetwork(255)
	if err != nil {
		return fmt.Errorf("it needs root and network namespaces: %w", err)
	}
	n.remove()
	return nil
}

func newNetwork(i int) (*network, error) {
	n := &network{name: fmt.Sprintf("rspfo%d", i), link: fmt.Sprintf("rspfo%d", i), host: fmt.Sprintf("10.213.%d.1", i)}
	n.remove() // what an earlier run left
	guest := fmt.Sprintf("10.213.%d.2", i)
	for _, c := range []string{
		"netns add " + n.name,
		"link add " + n.link + " type veth peer name inside netns " + n.name,
		"addr add " + n.host + "/24 dev " + n.link,
		"link set " + n.link + " up",
		"-n " + n.name + " addr add " + guest + "/24 dev inside",
		"-n " + n.name + " link set lo up",
		"-n " + n.name + " link set inside up",
	} {
		if err := ip(c); err != nil {
			n.remove()
			return nil, err
		}
	}
	return n, nil
}

// silence drops every packet that leaves the network, without a word to anybody.
func (n *network) silence() error {
	return ip("-n " + n.name + " route add blackhole " + n.host + "/32")
}

func (n *network) remove() {
	_ = ip("link del " + n.link) // perhaps it is not there
	_ = ip("netns del " + n.name)
}

func ip(args string) error {
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, strings.TrimSpace(string(out)))
	}
	return nil
}
