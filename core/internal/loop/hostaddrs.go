package loop

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// maxHostAddrs bounds the addresses under which a host is made known: each costs
// room in messages, and time where it cannot be reached.
const maxHostAddrs = 16

// HostAddrs returns the addresses at which others reach this host: those of
// interfaces that are up, without loopback and link-local ones.
func HostAddrs() []netip.Addr {
	interfaces, _ := net.Interfaces() // no answer: no addresses
	var out []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			nets, _ := i.Addrs()
			out = appendReachable(out, nets)
		}
	}
	return out
}

// appendReachable adds the addresses of an interface at which others reach it.
func appendReachable(out []netip.Addr, nets []net.Addr) []netip.Addr {
	for _, n := range nets {
		prefix, err := netip.ParsePrefix(n.String())
		if a := prefix.Addr(); err == nil && a.IsGlobalUnicast() && len(out) < maxHostAddrs {
			out = append(out, a)
		}
	}
	return out
}

// hostTime is how long an answer of the system is taken for true: who connects
// asks for it.
const hostTime = 5 * time.Second

// Host knows who is on this host. Its methods may be called from anywhere.
type Host struct {
	addrs func() []netip.Addr

	mu    sync.Mutex
	known []netip.Addr
	until time.Time
}

// NewHost returns a Host with the addresses that a function finds, such as
// HostAddrs.
func NewHost(addrs func() []netip.Addr) *Host { return &Host{addrs: addrs} }

// Addrs returns the host's addresses, as of lately.
func (h *Host) Addrs() []netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := now(); !t.Before(h.until) {
		h.known, h.until = h.addrs(), t.Add(hostTime)
	}
	return h.known
}

// Here says whether a peer is on this host, and if it is which addresses that has.
func (h *Host) Here(peer []netip.AddrPort) (here bool, host []netip.Addr) {
	known := h.Addrs()
	here = slices.ContainsFunc(peer, func(a netip.AddrPort) bool {
		ip := a.Addr().Unmap()
		return ip.IsLoopback() || slices.Contains(known, ip)
	})
	if !here {
		return false, nil
	}
	return true, known
}
