package socket

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// SessionOptions are the settings of a session; rserpool.SessionOptions explains them.
// Those in a Config are what the sessions of a socket begin with; SetOptions and
// SetSessionOptions change them later. A zero field means the default, also when it is set
// later: to change one, take what Options or SessionOptions returns and change that.
type SessionOptions = session.Options

// MinBuffer is the smallest buffer of a session, in bytes; smaller ones are raised.
const MinBuffer = session.MinBuffer

// Options returns what sessions of the socket begin with.
func (s *Socket) Options() SessionOptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table.Options()
}

// SetOptions changes what sessions of the socket begin with. Those that have
// begun keep theirs. It returns ErrInvalid when a value makes no sense.
func (s *Socket) SetOptions(o SessionOptions) error {
	o, err := o.Resolve()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	if err := s.table.SetDefaults(o); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// SessionOptions returns the options of a session; session zero is the one
// that Connect made. ErrNotConnected means that there is no such session.
func (s *Socket) SessionOptions(id SessionID) (SessionOptions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return SessionOptions{}, err
	}
	return ss.Options(), nil
}

// SetSessionOptions changes the options of a session. It returns ErrInvalid
// when a value makes no sense, or when Replay changes: that is chosen before
// the session begins.
func (s *Socket) SetSessionOptions(id SessionID, o SessionOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return err
	}
	return s.setOptions(ss, o)
}

func (s *Socket) setOptions(ss *session.Session, o SessionOptions) error {
	o, err := o.Resolve()
	if err != nil {
		return err
	}
	if o.Replay != ss.Options().Replay {
		return fmt.Errorf("%w: Replay cannot change within a session; set it in the socket's options before", ErrInvalid)
	}
	if err := s.table.SetOptions(time.Now(), ss, o); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// Options returns the options of the session.
func (c *Conn) Options() SessionOptions {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.ss.Options()
}

// SetOptions is Socket.SetSessionOptions for this session.
func (c *Conn) SetOptions(o SessionOptions) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.ended(); err != nil {
		return err
	}
	return c.s.setOptions(c.ss.Session, o)
}
