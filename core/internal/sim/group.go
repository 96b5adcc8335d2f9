package sim

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// group is a multicast group, to which registrars say datagrams: nothing keeps
// them from getting lost, or in what order they come.
type group uint8

const (
	groupASAP group = iota
	groupENRP
	groups
)

// maxDatagrams is how many wait for a process that hangs.
const maxDatagrams = 100

// hear makes a process hear what is said to a group.
func (p *process) hear(g group, f func(from netip.AddrPort, b []byte)) { p.ears[g] = f }

// say says something to a group, from a port.
func (p *process) say(g group, from uint16, b []byte) {
	w, h := p.host.w, p.host
	for _, to := range w.hosts {
		if w.Net.Loss > 0 && w.rnd.IntN(100) < w.Net.Loss {
			continue
		}
		w.after(w.delay(), func() {
			q := to.proc
			if q == nil || q.ears[g] == nil || !w.open(h, to) || len(q.waiting) >= maxDatagrams {
				return
			}
			q.do(func() { q.ears[g](netip.AddrPortFrom(h.ip, from), b) })
		})
	}
}

// joinGroups makes a registrar hear the others, as loop.Registrar does.
func (r *registrarProgram) joinGroups() {
	p := r.host.proc
	if r.announces {
		p.hear(groupASAP, func(from netip.AddrPort, b []byte) {
			m, report, err := asap.Parse(b)
			r.host.parsed(m, report, err)
			r.Post(registrar.AnnounceReceived{From: from, Message: m.(asap.ServerAnnounce)})
		})
	}
	if r.discovers {
		p.hear(groupENRP, func(_ netip.AddrPort, b []byte) {
			m, report, err := enrp.Parse(b)
			r.host.parsed(m, report, err)
			r.Post(registrar.PresenceHeard{Message: m.(enrp.Presence)})
		})
	}
}

func (r *registrarProgram) sendAnnounce(m asap.ServerAnnounce) {
	b, err := asap.Append(nil, m)
	r.announce(groupASAP, r.asap.Endpoint.(*port), m, b, err)
}

func (r *registrarProgram) sendPresence(m enrp.Presence) {
	b, err := enrp.Append(nil, m)
	r.announce(groupENRP, r.enrp.Endpoint.(*port), m, b, err)
}

func (r *registrarProgram) announce(g group, from *port, m any, b []byte, err error) {
	if err != nil {
		r.host.w.fail("%s: %v cannot be encoded: %v", r.host.name, m, err)
		return
	}
	r.host.w.trace(r.host, nil, "to all: %v", m)
	r.host.proc.say(g, from.addr.Port(), b)
}

// listen makes a PE or PU hear registrars that announce themselves.
func (e *endpointProgram) listen() {
	e.host.proc.hear(groupASAP, func(from netip.AddrPort, b []byte) {
		m, report, err := asap.Parse(b)
		e.host.parsed(m, report, err)
		e.heard[e.host.w.byIP[from.Addr()]] = e.host.w.now
		e.Post(endpoint.Announced{Message: m.(asap.ServerAnnounce), From: from})
	})
}
