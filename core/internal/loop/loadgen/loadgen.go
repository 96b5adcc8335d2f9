// Package loadgen is many pool elements behind one SCTP endpoint, for
// measurements: it registers them, asks for them, and acknowledges the
// keep-alives of registrars. It serves nobody.
package loadgen

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/open"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Config says who the crowd is.
type Config struct {
	Kind      string         // of transport
	Local     netip.Addr     // that all elements have, with one port
	Registrar netip.AddrPort // that is their home
	PerPool   int            // elements in a pool
	Life      protocol.Life  // as it goes over the wire
	Limit     time.Duration  // how long requests may remain unanswered: 30 s
}

// pace is how many requests are under way at a time.
const pace = 50

// Crowd is what Gather made. It is used by one goroutine at a time.
type Crowd struct {
	cfg     Config
	port    *loop.Port
	home    assoc.ID
	user    protocol.Transport
	arrived chan struct{}
	members int
}

// Gather connects to the registrar.
func Gather(cfg Config) (*Crowd, error) {
	if cfg.Limit == 0 {
		cfg.Limit = 30 * time.Second
	}
	ep, _, err := open.Endpoint(transport.Config{Kind: cfg.Kind, Local: []netip.AddrPort{netip.AddrPortFrom(cfg.Local, 0)}})
	if err != nil {
		return nil, err
	}
	c := &Crowd{cfg: cfg, port: loop.NewPort(ep), arrived: make(chan struct{}, 1)}
	ep.Notify(c.wake, func(assoc.ID) { c.wake() })
	c.user = protocol.Transport{
		Protocol: protocol.SCTP, Use: protocol.DataAndControl,
		Port: ep.LocalAddrs()[0].Port(), Addrs: []netip.Addr{cfg.Local},
	}
	if c.home, err = c.port.Connect([]netip.AddrPort{cfg.Registrar}, nil); err != nil {
		ep.Close()
		return nil, err
	}
	return c, nil
}

// Close leaves without a word.
func (c *Crowd) Close() error { return c.port.Close() }

func (c *Crowd) wake() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// Register registers n more elements.
func (c *Crowd) Register(n int) error {
	return c.converse(n, func(i int) asap.Message {
		c.members++
		return asap.Registration{Handle: c.pool(c.members), Element: protocol.Element{
			ID: protocol.PEID(c.members), Life: c.cfg.Life, Policy: protocol.Policy{Type: protocol.RoundRobin}, User: c.user,
		}}
	}, func(m asap.Message) (bool, error) {
		answer, ok := m.(asap.RegistrationResponse)
		if ok && answer.Rejected {
			return true, fmt.Errorf("the registrar said: %v", answer)
		}
		return ok, nil
	})
}

// pool is the pool of the i-th element.
func (c *Crowd) pool(i int) protocol.PoolHandle {
	return protocol.PoolHandle(fmt.Sprintf("pool%d", i/max(c.cfg.PerPool, 1)))
}

// Resolve asks for pools of the crowd n times, in turn.
func (c *Crowd) Resolve(n int) error {
	return c.converse(n, func(i int) asap.Message {
		return asap.HandleResolution{Handle: c.pool(1 + i%max(c.members, 1))}
	}, func(m asap.Message) (bool, error) {
		answer, ok := m.(asap.HandleResolutionResponse)
		if ok && len(answer.Elements) == 0 {
			return true, fmt.Errorf("the registrar said: %v", answer)
		}
		return ok, nil
	})
}

// Stay acknowledges keep-alives until done is closed.
func (c *Crowd) Stay(done <-chan struct{}) error {
	for {
		if _, err := c.take(nil); err != nil {
			return err
		}
		select {
		case <-done:
			return nil
		case <-c.arrived:
		}
	}
}

// converse sends n requests, pace at a time, and takes their answers.
func (c *Crowd) converse(n int, request func(i int) asap.Message, answers func(asap.Message) (bool, error)) error {
	sent, answered := 0, 0
	patience := time.NewTimer(c.cfg.Limit)
	defer patience.Stop()
	for answered < n {
		for sent < n && sent-answered < pace && !c.port.Waiting(c.home) {
			if err := c.send(c.home, request(sent)); err != nil {
				return err
			}
			sent++
		}
		got, err := c.take(answers)
		answered += got
		switch {
		case err != nil:
			return err
		case got > 0:
			patience.Reset(c.cfg.Limit)
			continue
		}
		select {
		case <-c.arrived:
		case <-patience.C:
			return fmt.Errorf("%d of %d requests are answered, and no more within %v", answered, n, c.cfg.Limit)
		}
	}
	return nil
}

func (c *Crowd) send(to assoc.ID, m asap.Message) error {
	bytes, err := asap.Append(nil, m)
	if err == nil {
		err = c.port.SendControl(to, protocol.PPIDASAP, bytes)
	}
	if errors.Is(err, driver.ErrNotRead) {
		return nil // an acknowledgement that will be asked for again
	}
	return err
}

// take takes what has arrived and counts the answers in it.
func (c *Crowd) take(answers func(asap.Message) (bool, error)) (n int, err error) {
	for {
		var info assoc.RecvInfo
		bytes, err := c.port.Receive(&info)
		switch {
		case errors.Is(err, assoc.ErrWouldBlock):
			c.port.Flush(c.home)
			return n, nil
		case err != nil:
			return n, err
		case info.Kind == assoc.CannotStart, info.Kind == assoc.CommLost, info.Kind == assoc.ShutdownComplete:
			if info.Assoc == c.home {
				return n, fmt.Errorf("the registrar is gone: %w", errors.Join(info.Err))
			}
		case info.Kind == assoc.Message:
			answer, err := c.message(info.Assoc, bytes, answers)
			if err != nil {
				return n, err
			}
			if answer {
				n++
			}
		}
	}
}

// message looks at one and acknowledges a keep-alive, whose sender may be the
// registrar that has taken over.
func (c *Crowd) message(from assoc.ID, bytes []byte, answers func(asap.Message) (bool, error)) (answer bool, err error) {
	m, _, _ := asap.Parse(bytes)
	if k, ok := m.(asap.EndpointKeepAlive); ok {
		return false, c.send(from, asap.EndpointKeepAliveAck{Handle: k.Handle, ID: k.ID})
	}
	if m == nil || answers == nil {
		return false, nil
	}
	return answers(m)
}
