package socket

import (
	"bytes"
	"fmt"
)

// minPoolKey is the shortest pool key, in bytes.
const minPoolKey = 16

// SetPoolKey changes Config.PoolKey of a socket that has not been registered
// yet; none switches encryption off. It returns ErrInvalid when the key is too
// short, and ErrRegistered when it comes too late.
func (s *Socket) SetPoolKey(key []byte) error {
	if n := len(key); n > 0 && n < minPoolKey {
		return fmt.Errorf("%w: a pool key of %d bytes is too short; it has %d or more, 32 are good", ErrInvalid, n, minPoolKey)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return ErrClosed
	case s.table.Service().Serving:
		return fmt.Errorf("%w: set the pool key before", ErrRegistered)
	}
	service := s.table.Service()
	service.PoolKey = bytes.Clone(key)
	s.table.SetService(service)
	return nil
}
