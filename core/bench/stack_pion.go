package main

import (
	"net"

	"github.com/pion/logging"
	"github.com/pion/sctp"
	"github.com/pion/transport/v5/udp"
)

// pionStack is github.com/pion/sctp over UDP, the server behind the UDP
// listener of the same project.
type pionStack struct{}

type pionConn struct{ *sctp.Stream }

func (c pionConn) send(b []byte) error {
	_, err := c.WriteSCTP(b, sctp.PayloadTypeWebRTCBinary)
	return err
}

func (c pionConn) run(h handler, size int) {
	buf := make([]byte, size)
	for {
		n, _, err := c.ReadSCTP(buf)
		if err != nil {
			return
		}
		h(c, buf[:n])
	}
}

// silent drops what the library logs.
var silent = func() *logging.DefaultLoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f
}()

func (pionStack) listen(h handler) (port, sctpPort int, err error) {
	l, err := (&udp.ListenConfig{Backlog: 20000, ReadBufferSize: 8 << 20, WriteBufferSize: 8 << 20}).Listen("udp4", net.UDPAddrFromAddrPort(loopback(0)))
	if err != nil {
		return 0, 0, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				continue
			}
			go servePion(c, h)
		}
	}()
	return portOf(l.Addr()), 0, nil
}

func servePion(c net.Conn, h handler) {
	a, err := sctp.ServerWithOptions(sctp.WithNetConn(c), sctp.WithBlockWrite(true), sctp.WithLoggerFactory(silent))
	if err != nil {
		return
	}
	for {
		s, err := a.AcceptStream()
		if err != nil {
			return
		}
		go pionConn{s}.run(h, 64<<10)
	}
}

func (pionStack) dial(port, _, n int, h func(i int) handler) ([]conn, error) {
	conns := make([]conn, n)
	for i := range conns {
		c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(loopback(port)))
		if err != nil {
			return nil, err
		}
		enlarge(c)
		// Without BlockWrite a sender would fill the memory.
		a, err := sctp.ClientWithOptions(sctp.WithNetConn(c), sctp.WithBlockWrite(true), sctp.WithLoggerFactory(silent))
		if err != nil {
			return nil, err
		}
		s, err := a.OpenStream(0, sctp.PayloadTypeWebRTCBinary)
		if err != nil {
			return nil, err
		}
		p := pionConn{s}
		go p.run(h(i), 2048)
		conns[i] = p
	}
	return conns, nil
}
