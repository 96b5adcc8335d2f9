package rsplib

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// host is a network namespace. All hosts have a link to the namespace of the
// tests, which forwards what they say to each other.
type host struct {
	number int
	name   string // of the namespace and of the link's end outside
	ip     string
	silent bool
}

var hosts []*host

func makeHosts(n int) error {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		return fmt.Errorf("it takes root to make hosts: %w", err)
	}
	for i := 1; i <= n; i++ {
		h := &host{number: i, name: fmt.Sprintf("rsplib%d", i), ip: fmt.Sprintf("10.214.%d.2", i)}
		if err := h.make(); err != nil {
			return err
		}
		hosts = append(hosts, h)
	}
	return nil
}

// gateway is the end of the host's link outside.
func (h *host) gateway() string { return fmt.Sprintf("10.214.%d.1", h.number) }

func (h *host) make() error {
	h.remove() // what an earlier run left
	for _, c := range []string{
		"netns add " + h.name,
		"link add " + h.name + " type veth peer name eth0 netns " + h.name,
		"addr add " + h.gateway() + "/24 dev " + h.name,
		"link set " + h.name + " up",
		"-n " + h.name + " addr add " + h.ip + "/24 dev eth0",
		"-n " + h.name + " link set lo up",
		"-n " + h.name + " link set eth0 up",
		"-n " + h.name + " route add default via " + h.gateway(),
	} {
		if err := ip(c); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) remove() {
	_ = ip("link del " + h.name) // perhaps it is not there
	_ = ip("netns del " + h.name)
}

// silence drops what goes to the host and comes from it, without a word to
// anybody, until the stage is closed.
func (h *host) silence() error {
	h.silent = true
	return ip("link set " + h.name + " down")
}

// renew makes a silent host again: its kernel keeps the ports of associations
// that it could not end.
func (h *host) renew() error {
	if !h.silent {
		return nil
	}
	h.silent = false
	return h.make()
}

func ip(args string) error {
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, strings.TrimSpace(string(out)))
	}
	return nil
}
