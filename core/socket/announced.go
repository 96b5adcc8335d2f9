package socket

import (
	"cmp"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// discover is how long a socket that knows no registrar waits for one to
// announce itself: a few may be there, which take turns (ASAP-3.6-02).
const discover = 5 * time.Second

func (c *Config) resolveAnnounce(env map[string]string) error {
	c.Announce = cmp.Or(c.Announce, env["RSERPOOL_ANNOUNCE"])
	_, err := c.group()
	return err
}

// group is where registrars announce themselves; nil means nowhere.
func (c *Config) group() (*loop.Group, error) {
	if c.Announce == "" {
		return nil, nil
	}
	return parseGroup(c.Announce, protocol.PortASAP, "RSERPOOL_ANNOUNCE")
}

func parseGroup(text string, port uint16, what string) (*loop.Group, error) {
	g, err := loop.ParseGroup(text, port)
	if err != nil {
		return nil, fmt.Errorf("%w: %v (%s)", ErrInvalid, err, what)
	}
	return &g, nil
}

// listenForRegistrars begins to listen for announcements, if it is to
// (ASAP-3.6-04), with the socket locked.
func (s *Socket) listenForRegistrars() error {
	g, err := s.cfg.group()
	if g == nil || err != nil {
		return err
	}
	if s.announcements, err = g.Listen(); err != nil {
		return err
	}
	go s.runHear(s.announcements)
	return nil
}

func (s *Socket) runHear(receiver *loop.GroupReceiver) {
	for {
		m, from, err := receiver.HearAnnounce()
		if err != nil {
			return
		}
		s.mu.Lock()
		if !s.closed {
			s.machine.Post(endpoint.Announced{Message: m, From: from})
		}
		s.mu.Unlock()
	}
}
