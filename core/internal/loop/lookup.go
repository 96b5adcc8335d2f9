package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/registrar"
)

// Resolver looks a name up, for the network ip, ip4 or ip6; net.Resolver's
// LookupNetIP is one.
type Resolver func(ctx context.Context, network, name string) ([]netip.Addr, error)

// lookUpTime is how long a look-up may take: hunts wait for it.
const lookUpTime = 5 * time.Second

// Answer is what came of looking up host:port: addresses, or why there are none.
type Answer struct {
	Name  string
	Addrs []netip.AddrPort
	Err   error
}

// LookUp looks host:port names up, all at the same time, and returns the answers
// in their order. It takes some seconds at most.
func (r Resolver) LookUp(ctx context.Context, network string, names []string) []Answer {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	out := make([]Answer, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			addrs, err := r.lookUp(ctx, network, name)
			out[i] = Answer{name, addrs, err}
		})
	}
	all.Wait()
	return out
}

func (r Resolver) lookUp(ctx context.Context, network, hostPort string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, err
	}
	ips, err := r.ips(ctx, network, host)
	var out []netip.AddrPort
	for _, ip := range ips {
		if ip, err = numbered(ip.Unmap()); err != nil {
			break
		}
		if a := netip.AddrPortFrom(ip, uint16(port)); !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", hostPort, err)
	}
	return out, nil
}

var errNoAddress = errors.New("the name has no address")

// ips also takes addresses, which a net.Resolver would rob of their zone.
func (r Resolver) ips(ctx context.Context, network, host string) (ips []netip.Addr, err error) {
	if ip, notAddr := netip.ParseAddr(host); notAddr == nil {
		ips = []netip.Addr{ip}
	} else if ips, err = r(ctx, network, host); network == "ip4" && len(ips) == 0 {
		if others, _ := r(ctx, "ip", host); len(others) > 0 {
			return nil, assoc.ErrFamily
		}
	}
	if network == "ip4" && slices.ContainsFunc(ips, func(ip netip.Addr) bool { return !ip.Unmap().Is4() }) {
		return nil, assoc.ErrFamily
	}
	if err == nil && len(ips) == 0 {
		err = errNoAddress
	}
	return ips, err
}

// numbered writes the interface of a link-local address as a number, as it
// comes back from the transports.
func numbered(ip netip.Addr) (netip.Addr, error) {
	zone := ip.Zone()
	if _, err := strconv.ParseUint(zone, 10, 32); err == nil || zone == "" {
		return ip, nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return ip, fmt.Errorf("interface %s: %w", zone, err)
	}
	return ip.WithZone(strconv.Itoa(i.Index)), nil
}

// peerNames are the peers of a registrar that are configured by name.
type peerNames struct {
	names  []string
	lookUp Resolver
	ctx    context.Context // ends with the registrar
	cancel context.CancelFunc
	last   map[string][]netip.AddrPort // addresses of the last look-up that had any
}

func newPeerNames(cfg RegistrarConfig) *peerNames {
	p := &peerNames{names: cfg.PeerNames, lookUp: cfg.LookUp, last: map[string][]netip.AddrPort{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// SetPeerNames replaces the names of peers and looks them up. A registrar without
// ENRP has no peers.
func (r *Registrar) SetPeerNames(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.enrp == nil || slices.Equal(names, r.names.names) {
		return
	}
	r.names.names = slices.Clone(names)
	r.loop.Post(registrar.PeerNamesChanged{})
}

// startLookUp performs LookUpPeers.
func (r *Registrar) startLookUp() { go r.runLookUp(r.names, r.names.names) }

func (r *Registrar) runLookUp(p *peerNames, names []string) {
	answers := p.lookUp.LookUp(p.ctx, "ip", names)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if !slices.Equal(names, p.names) { // changed meanwhile
		r.startLookUp()
		return
	}
	var m registrar.PeersLookedUp
	for _, a := range answers {
		if a.Err == nil {
			p.last[a.Name] = a.Addrs
		} else {
			m.Failed = append(m.Failed, registrar.Unresolved{Name: a.Name, Err: a.Err})
		}
		m.Found = append(m.Found, p.last[a.Name]...)
	}
	r.loop.Post(m)
}
