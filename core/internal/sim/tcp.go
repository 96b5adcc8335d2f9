package sim

import (
	"net/netip"
	"slices"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
)

// A TCP connection is an association here, from a port of its own that is not
// used again: so nothing restarts it. Ports of TCP and SCTP share their numbers,
// hence one for ASAP over TCP that differs from protocol.PortASAP.

const (
	portTCP    = 3864
	firstShort = 20_000 // ports of clients
	lastShort  = 60_000
	firstConn  = assoc.ID(1 << 31) // as in rserpool
)

// streams are the connections of a registrar (driver.Streams).
type streams struct {
	r    *registrarProgram
	port *port
}

func (r *registrarProgram) openTCP() *streams {
	s := &streams{r: r}
	s.port = r.host.proc.listen(portTCP, s.handle)
	return s
}

func (s *streams) handle(info assoc.RecvInfo, b []byte) {
	l := registrar.Link{Channel: registrar.ASAPOverTCP, Assoc: info.Assoc}
	switch info.Kind {
	case assoc.Message:
		s.r.received(l, b)
	case assoc.CommUp:
		local, peer, _ := s.port.AssocAddrs(info.Assoc) // gone already: the end follows
		s.r.Post(registrar.AssocUp{Link: l, Local: local, Peer: peer})
	case assoc.Restart:
		s.r.host.w.fail("%s: a TCP connection restarts", s.r.host.name)
	default:
		s.r.Post(registrar.AssocLost{Link: l, Err: info.Err})
	}
}

// Send sends a message.
func (s *streams) Send(id assoc.ID, b []byte) error {
	return s.port.SendControl(id, protocol.PPIDASAP, b)
}

// End closes a connection.
func (s *streams) End(id assoc.ID) { _ = s.port.Abort(id, "") }

// connectTCP opens a connection to a registrar. To the machine it is an
// association like any other.
func (e *endpointProgram) connectTCP(f endpoint.Connect) {
	p := e.host.proc
	p.host.short++
	id := firstConn + assoc.ID(p.host.short)
	q := p.listen(firstShort+uint16(p.host.short%(lastShort-firstShort)), nil)
	q.notify = func(info assoc.RecvInfo, b []byte) {
		if info.Kind != assoc.Message && info.Kind != assoc.CommUp {
			delete(e.conns, id)
			p.unlisten(q)
		}
		info.Assoc = id
		e.handle(info, b)
	}
	if e.conns == nil {
		e.conns = map[assoc.ID]*port{}
	}
	e.conns[id] = q
	_, _ = q.Connect(f.Addrs, nil) // a new port has no association yet
	e.Post(endpoint.Connecting{Token: f.Token, Assoc: id})
}

// controlPort is the port of a PE or PU, with the connections among its associations.
type controlPort struct {
	*port
	e *endpointProgram
}

// of returns the port of an association, and its name there.
func (p controlPort) of(id assoc.ID) (*port, assoc.ID) {
	if q := p.e.conns[id]; q != nil {
		return q, 1
	}
	return p.port, id
}

// SendControl sends one message.
func (p controlPort) SendControl(id assoc.ID, ppid uint32, b []byte) error {
	q, at := p.of(id)
	return q.SendControl(at, ppid, b)
}

// Shutdown ends an association gracefully.
func (p controlPort) Shutdown(id assoc.ID) error {
	q, at := p.of(id)
	return q.Shutdown(at)
}

// Abort ends an association at once.
func (p controlPort) Abort(id assoc.ID, reason string) error {
	q, at := p.of(id)
	return q.Abort(at, reason)
}

// AssocAddrs returns the addresses of an association.
func (p controlPort) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	q, at := p.of(id)
	return q.AssocAddrs(at)
}

func (p *process) unlisten(q *port) {
	delete(q.w.ports, q.addr)
	p.ports = slices.DeleteFunc(p.ports, func(o *port) bool { return o == q })
}
