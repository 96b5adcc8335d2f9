package socket

import (
	"context"
	"errors"
)

// Message is one of several to send.
type Message struct {
	Data []byte
	SendInfo
}

// TrySendBatch sends messages in their order, as TrySend does each, but what fits
// travels together in one packet. n is how many were taken; if not all were, err says
// why the next one was not.
func (s *Socket) TrySendBatch(ms []Message) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.together(ms, func(m *Message) error { return s.send(m.Data, &m.SendInfo) })
}

// TrySendBatch is Socket.TrySendBatch for this session: Message.Session is ignored.
func (c *Conn) TrySendBatch(ms []Message) (n int, err error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.sendBatch(ms)
}

// SendBatch is TrySendBatch that waits while there is no room: it returns when all
// messages were taken, or with the reason why no more are.
func (c *Conn) SendBatch(ctx context.Context, ms []Message) (n int, err error) {
	var outcome error
	err = c.s.await(ctx, &c.ss.writable, func() bool {
		var more int
		more, outcome = c.sendBatch(ms[n:])
		n += more
		return !errors.Is(outcome, ErrWouldBlock)
	})
	if err != nil {
		return n, err
	}
	return n, outcome
}

// sendBatch is TrySendBatch with the socket locked.
func (c *Conn) sendBatch(ms []Message) (n int, err error) {
	return c.s.together(ms, func(m *Message) error { return c.send(m.Data, &m.SendInfo) })
}

func (s *Socket) together(ms []Message, send func(*Message) error) (n int, err error) {
	all := func() {
		for n < len(ms) && err == nil {
			if err = send(&ms[n]); err == nil {
				n++
			}
		}
	}
	if s.port == nil {
		all() // to fail
	} else {
		s.port.Together(all)
	}
	return n, err
}
