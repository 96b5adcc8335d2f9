package loop

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// frameTime is how long the rest of a message may take that has begun, and how
// long the other side may take to read one (a connection that is slower than
// that holds a place for nothing).
const frameTime = 10 * time.Second

// Stream carries whole messages over a TCP connection (COM-4-07). Send and
// Close may be called from anywhere, Receive by one goroutine at a time.
type Stream struct {
	conn   net.Conn
	unsent chan []byte
	closed chan struct{}
	once   sync.Once
}

// NewStream takes over a connection.
func NewStream(conn net.Conn) *Stream {
	s := &Stream{conn: conn, unsent: make(chan []byte, driver.MaxWaiting), closed: make(chan struct{})}
	go s.runSend()
	return s
}

// Receive waits for the next message: until the time until, if that is not
// zero, for its first byte. An error that is not a timeout before the first
// byte ends the stream; a *wire.Error says that nobody knows where the next
// message begins.
func (s *Stream) Receive(until time.Time) ([]byte, error) {
	if err := s.conn.SetReadDeadline(until); err != nil {
		return nil, err
	}
	var header [4]byte
	if _, err := io.ReadFull(s.conn, header[:1]); err != nil {
		return nil, err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(frameTime)); err != nil {
		return nil, err
	}
	if err := s.rest(header[1:]); err != nil {
		return nil, err
	}
	size, err := wire.FrameSize(header)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	copy(b, header[:])
	return b, s.rest(b[len(header):])
}

// rest reads what must come, since the message has begun.
func (s *Stream) rest(b []byte) error {
	_, err := io.ReadFull(s.conn, b)
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Send queues a message; it does not block. driver.ErrNotRead means that the other
// side does not read.
func (s *Stream) Send(b []byte) error {
	select {
	case <-s.closed:
		return net.ErrClosed
	default:
	}
	select {
	case s.unsent <- b:
		return nil
	default:
		return driver.ErrNotRead
	}
}

// Close ends the connection. What is queued is lost.
func (s *Stream) Close() {
	s.once.Do(func() {
		close(s.closed)
		s.conn.Close()
	})
}

// Ends returns the two ends of the connection.
func (s *Stream) Ends() (local, remote net.Addr) { return s.conn.LocalAddr(), s.conn.RemoteAddr() }

// runSend writes what is queued.
func (s *Stream) runSend() {
	defer s.Close()
	for {
		select {
		case b := <-s.unsent:
			if s.conn.SetWriteDeadline(time.Now().Add(frameTime)) != nil {
				return
			}
			if _, err := s.conn.Write(b); err != nil {
				return
			}
		case <-s.closed:
			return
		}
	}
}

// graceful says whether err is how a stream ends when the other side is done.
func graceful(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}
