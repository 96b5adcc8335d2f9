package loop

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// maxConns bounds the connections of pool users. One more takes the place of
// the one that was silent the longest.
const maxConns = 1000

// firstMessage is how long a new connection may keep its place without saying
// anything, idleConn how long one that was of use; keep-alives of TCP find
// users whose host is gone.
const (
	firstMessage = 10 * time.Second
	idleConn     = 15 * time.Minute
)

// acceptPause is kept after a failed accept (out of descriptors).
const acceptPause = 100 * time.Millisecond

// tcpServer serves ASAP over TCP, to pool users only (RFC 5352 section 2.1,
// ASAP-2.1-01): the machine refuses registrations that come this way.
type tcpServer struct {
	r         *Registrar
	host      *Host
	listeners []net.Listener
	conns     map[assoc.ID]*tcpConn // guarded by the registrar's lock
	last      assoc.ID
	running   sync.WaitGroup
}

type tcpConn struct {
	*Stream
	heard time.Time
}

// listenTCP opens the TCP ports that belong to the ASAP endpoint.
func listenTCP(listen func(netip.AddrPort) (net.Listener, error), at []netip.AddrPort) (*tcpServer, error) {
	s := &tcpServer{conns: map[assoc.ID]*tcpConn{}}
	for _, a := range at {
		l, err := listen(a)
		if err != nil {
			s.closeListeners()
			return nil, fmt.Errorf("cannot serve ASAP over TCP: %w", err)
		}
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

func (s *tcpServer) closeListeners() {
	for _, l := range s.listeners {
		l.Close()
	}
}

// start begins to accept.
func (s *tcpServer) start(r *Registrar) {
	s.r = r
	for _, l := range s.listeners {
		s.running.Go(func() { s.runAccept(l) })
	}
}

// stop ends all connections, with the registrar locked; wait then waits for
// their goroutines without the lock.
func (s *tcpServer) stop() {
	s.closeListeners()
	for _, c := range s.conns {
		c.Close()
	}
}

func (s *tcpServer) wait() { s.running.Wait() }

func (s *tcpServer) runAccept(l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.r.log.Warn("cannot accept a connection", "err", err)
			time.Sleep(acceptPause)
		default:
			if id, c := s.enter(conn); c != nil {
				s.running.Go(func() { s.runConn(id, c) })
			}
		}
	}
}

// enter makes the connection a link of the machine.
func (s *tcpServer) enter(conn net.Conn) (assoc.ID, *tcpConn) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.r.closed {
		conn.Close()
		return 0, nil
	}
	if len(s.conns) >= maxConns {
		s.closeOldest()
	}
	s.last++
	id, c := s.last, &tcpConn{NewStream(conn), time.Now()}
	s.conns[id] = c
	local, remote := c.Ends()
	up := registrar.AssocUp{Link: tcpLink(id), Local: addrPort(local), Peer: addrPort(remote)}
	up.Here, up.Host = s.host.Here(up.Peer)
	s.r.loop.Post(up)
	return id, c
}

func (s *tcpServer) closeOldest() {
	var oldest *tcpConn
	for _, c := range s.conns {
		if oldest == nil || c.heard.Before(oldest.heard) {
			oldest = c
		}
	}
	s.r.garbage.Log("too many TCP connections, one that was silent is closed")
	oldest.Close()
	oldest.heard = time.Now() // its goroutine removes it; the next victim is another
}

func tcpLink(id assoc.ID) registrar.Link {
	return registrar.Link{Channel: registrar.ASAPOverTCP, Assoc: id}
}

func addrPort(a net.Addr) []netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return []netip.AddrPort{t.AddrPort()}
	}
	return nil
}

// runConn passes on what arrives over one connection.
func (s *tcpServer) runConn(id assoc.ID, c *tcpConn) {
	limit := firstMessage
	for {
		b, err := c.Receive(time.Now().Add(limit))
		if !s.received(id, c, b, err) {
			return
		}
		limit = idleConn
	}
}

func (s *tcpServer) received(id assoc.ID, c *tcpConn, b []byte, err error) (goOn bool) {
	r := s.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return false
	}
	if err != nil {
		s.lost(id, c, err)
		return false
	}
	c.heard = time.Now()
	m, report, err := asap.Parse(b)
	if err != nil {
		_, from := c.Ends()
		r.garbage.Log("bad ASAP message", "from", from, "err", err)
	}
	r.loop.Post(registrar.ASAPReceived{Link: tcpLink(id), Message: m, Report: report, Err: err})
	return true
}

// lost ends a connection. A frame that cannot be is the machine's to judge
// (COM-4-07).
func (s *tcpServer) lost(id assoc.ID, c *tcpConn, err error) {
	var framing *wire.Error
	if errors.As(err, &framing) {
		s.r.loop.Post(registrar.ASAPReceived{Link: tcpLink(id), Err: err})
	}
	c.Close()
	delete(s.conns, id)
	if graceful(err) {
		err = nil
	}
	s.r.loop.Post(registrar.AssocLost{Link: tcpLink(id), Err: err})
}

// Send queues a message for a connection.
func (s *tcpServer) Send(id assoc.ID, b []byte) error {
	c := s.conns[id]
	if c == nil {
		return assoc.ErrNotConnected
	}
	return c.Send(b)
}

// End closes a connection; its goroutine tells the machine.
func (s *tcpServer) End(id assoc.ID) {
	if c := s.conns[id]; c != nil {
		c.Close()
	}
}

// TCPAddrs returns where ASAP is served over TCP; nil if it is not.
func (r *Registrar) TCPAddrs() []netip.AddrPort {
	if r.tcp == nil {
		return nil
	}
	var out []netip.AddrPort
	for _, l := range r.tcp.listeners {
		out = append(out, addrPort(l.Addr())...)
	}
	return out
}

// openASAP opens the ASAP endpoint and the TCP port of the same number. Where
// the system chooses the number it may be one that is taken with TCP.
func openASAP(cfg RegistrarConfig) (ch *channel, tcp *tcpServer, err error) {
	for range 10 {
		ch, err = openChannel(cfg, registrar.ASAPOverSCTP, protocol.PPIDASAP, cfg.ASAP)
		if err != nil || cfg.ListenTCP == nil {
			return ch, nil, err
		}
		tcp, err = listenTCP(cfg.ListenTCP, ch.port.LocalAddrs())
		if err == nil {
			tcp.host = cfg.Host
			return ch, tcp, nil
		}
		err = errors.Join(err, ch.port.Close())
		if len(cfg.ASAP) > 0 && cfg.ASAP[0].Port() != 0 {
			return nil, nil, err
		}
		cfg.Logger.Debug("another port is tried", "err", err)
	}
	return nil, nil, err
}
