package socket

import (
	"cmp"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// defaultWait is Config.WaitForPool: longer than it takes a host to start some
// programs at once.
const defaultWait = 2 * time.Second

func (c *Config) resolveWait(env map[string]string) error {
	wait := defaultWait
	if v := env["RSERPOOL_WAIT"]; v != "" {
		d, err := parseTime(v)
		if err != nil {
			return fmt.Errorf("%w: RSERPOOL_WAIT is %q; it is a time like 10s, 0 for not at all, or -1 for ever", ErrInvalid, v)
		}
		wait = d
	}
	c.WaitForPool = cmp.Or(c.WaitForPool, &wait)
	return nil
}

// WaitForPool returns how long the socket waits for a pool or a registrar that is
// not there yet; negative: for ever.
func (s *Socket) WaitForPool() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.cfg.WaitForPool
}

// SetWaitForPool changes Config.WaitForPool for what begins from now on: 0 is not
// at all, negative for ever.
func (s *Socket) SetWaitForPool(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.WaitForPool = &d
}

// resolutionWaits notes why a resolution waits, with the socket locked: it is what is
// said if its context ends first.
func (s *Socket) resolutionWaits(f endpoint.Waits) {
	err := s.publicError(f.Err, f.Handle)
	s.log.Info("waiting for what is not there yet", "pool", string(f.Handle), "err", err)
	if s.lookups[f.Token] != nil {
		s.missing[f.Token] = err
	}
}
