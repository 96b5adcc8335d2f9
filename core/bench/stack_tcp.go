package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
)

// tcpStack is TCP with a length in front of each message, one write per
// message.
type tcpStack struct{}

const lengthSize = 4

type tcpConn struct {
	net.Conn
	out []byte // for length and message
}

func (c *tcpConn) send(b []byte) error {
	c.out = binary.BigEndian.AppendUint32(c.out[:0], uint32(len(b)))
	c.out = append(c.out, b...)
	_, err := c.Write(c.out)
	return err
}

func (c *tcpConn) run(h handler) {
	in := bufio.NewReaderSize(c, 4096)
	var length [lengthSize]byte
	var buf []byte
	back := &tcpConn{Conn: c.Conn} // the echo has a buffer of its own
	for {
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(length[:]))
		if n > cap(buf) {
			buf = make([]byte, n)
		}
		if _, err := io.ReadFull(in, buf[:n]); err != nil {
			return
		}
		h(back, buf[:n])
	}
}

func (tcpStack) listen(h handler) (port, sctpPort int, err error) {
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(loopback(0)))
	if err != nil {
		return 0, 0, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				continue
			}
			go (&tcpConn{Conn: c}).run(h)
		}
	}()
	return portOf(l.Addr()), 0, nil
}

func (tcpStack) dial(port, _, n int, h func(i int) handler) ([]conn, error) {
	conns := make([]conn, n)
	for i := range conns {
		c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(loopback(port)))
		if err != nil {
			return nil, err
		}
		t := &tcpConn{Conn: c}
		go t.run(h(i))
		conns[i] = t
	}
	return conns, nil
}
