package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
)

// Pool users may ask registrars over TCP (ASAP-3.3-11). To the machine such a
// connection is an association like any other.

const tcpPrefix = "tcp:"

// tcpDialTime is how long a registrar may take to accept a connection.
const tcpDialTime = 3 * time.Second

// firstTCP is where the identifiers of connections begin: no transport has so
// many associations.
const firstTCP assoc.ID = 1 << 31

var errNeedsSCTP = errors.New("pool elements need SCTP to their registrar, this one is configured for TCP (ASAP-2.1-01)")

// tcpRegistrars are the connections of a socket, guarded by its lock.
type tcpRegistrars struct {
	at    map[netip.AddrPort]bool // registrars to be asked over TCP
	conns map[assoc.ID]*tcpConn
	last  assoc.ID
}

type tcpConn struct {
	stream *loop.Stream // nil until it is connected
	cancel context.CancelFunc
}

// connectTCP begins to connect, with the socket locked.
func (s *Socket) connectTCP(f endpoint.Connect) {
	if s.table.Service().Serving {
		s.machine.Post(endpoint.ConnectFailed{Token: f.Token, Err: errNeedsSCTP})
		return
	}
	if s.tcp.conns == nil {
		s.tcp.conns, s.tcp.last = map[assoc.ID]*tcpConn{}, firstTCP
	}
	s.tcp.last++
	id := s.tcp.last
	ctx, cancel := context.WithTimeout(context.Background(), tcpDialTime)
	c := &tcpConn{cancel: cancel}
	s.tcp.conns[id] = c
	s.machine.Post(endpoint.Connecting{Token: f.Token, Assoc: id})
	go s.runTCP(ctx, id, c, f.Addrs[0])
}

// runTCP is one connection from its beginning to its end.
func (s *Socket) runTCP(ctx context.Context, id assoc.ID, c *tcpConn, at netip.AddrPort) {
	defer c.cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", at.String())
	if err != nil || !s.tcpUp(id, c, conn) {
		s.tcpDown(id, err)
		return
	}
	for {
		b, err := c.stream.Receive(time.Time{})
		if err != nil {
			s.tcpDown(id, err)
			return
		}
		s.mu.Lock()
		if s.tcp.conns[id] == c {
			s.table.Control(time.Now(), &assoc.RecvInfo{Assoc: id, From: at}, b)
		}
		s.mu.Unlock()
	}
}

// tcpUp says whether the connection is still wanted.
func (s *Socket) tcpUp(id assoc.ID, c *tcpConn, conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.stream = loop.NewStream(conn)
	if s.tcp.conns[id] != c {
		c.stream.Close()
		return false
	}
	local, remote := conn.LocalAddr().(*net.TCPAddr).AddrPort(), conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	s.machine.Post(endpoint.AssocUp{Assoc: id, Local: []netip.AddrPort{local}, Peer: []netip.AddrPort{remote}})
	return true
}

func (s *Socket) tcpDown(id assoc.ID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endTCP(id, err)
	s.changed.fire()
}

// endTCP ends a connection, with the socket locked. Whose does not exist any
// more has been told.
func (s *Socket) endTCP(id assoc.ID, err error) {
	c := s.tcp.conns[id]
	if c == nil {
		return
	}
	delete(s.tcp.conns, id)
	c.cancel()
	if c.stream != nil {
		c.stream.Close()
	}
	s.machine.Post(endpoint.AssocLost{Assoc: id, Err: err})
}

// dropTCP ends all connections: the socket closes, or becomes a pool element.
func (s *Socket) dropTCP(err error) {
	for id := range s.tcp.conns {
		s.endTCP(id, err)
	}
}

// performTCP opens a connection in place of an association, if that is how the
// registrar is to be asked.
func (s *Socket) performTCP(f endpoint.Effect) (done bool) {
	c, is := f.(endpoint.Connect)
	if is = is && s.tcp.at[c.Addrs[0]]; is {
		s.connectTCP(c)
	}
	return is
}

// controlPort is the port of a socket, with the connections among its associations.
type controlPort struct {
	*loop.Port
	s *Socket
}

// SendControl sends an encoded control message.
func (p controlPort) SendControl(id assoc.ID, ppid uint32, b []byte) error {
	if id < firstTCP {
		return p.Port.SendControl(id, ppid, b)
	}
	if c := p.s.tcp.conns[id]; c != nil && c.stream != nil {
		return c.stream.Send(b)
	}
	return assoc.ErrNotConnected
}

// Shutdown ends an association gracefully.
func (p controlPort) Shutdown(id assoc.ID) error {
	if id >= firstTCP {
		p.s.endTCP(id, nil)
		return nil
	}
	return p.Port.Shutdown(id)
}

// Abort ends an association at once.
func (p controlPort) Abort(id assoc.ID, reason string) error {
	if id >= firstTCP {
		p.s.endTCP(id, nil)
		return nil
	}
	return p.Port.Abort(id, reason)
}

// splitTCP tells "tcp:host:port" from "host:port".
func splitTCP(registrar string) (hostPort string, tcp bool) {
	return strings.CutPrefix(registrar, tcpPrefix)
}
