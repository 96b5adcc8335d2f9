package socket

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// readableHook runs on a goroutine of the endpoint: what arrives is passed on
// without another one in between.
func (s *Socket) readableHook() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch()
}

func (s *Socket) writableHook(id assoc.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table.Writable(time.Now(), id)
}

// dispatch takes from the transport what it has, as long as there is room for it.
func (s *Socket) dispatch() {
	now := time.Now()
	for s.port != nil && !s.closed && !s.table.Stuck() {
		b, err := s.port.Receive(&s.arrived)
		if err != nil {
			if !errors.Is(err, assoc.ErrWouldBlock) && !loop.Closed(err) {
				s.log.Error("the endpoint fails", "err", err)
			}
			return
		}
		s.table.Handle(now, &s.arrived, b)
	}
}

// decode reads an ASAP message, as this library understands it.
func (s *Socket) decode(info *assoc.RecvInfo, b []byte) (asap.Message, []protocol.Cause) {
	m, report, err := asap.Parse(b)
	if err != nil {
		s.garbage.Log("bad ASAP message", "from", info.From, "err", err)
	}
	if m == nil || s.machine == nil {
		return nil, report
	}
	return s.cfg.incoming(asap.In(m, info.From.Addr().Zone())), report
}

// encode makes bytes of an ASAP message, as the peer understands it.
func (s *Socket) encode(to assoc.ID, m asap.Message) ([]byte, error) {
	if card, is := m.(asap.BusinessCard); is {
		m = s.forPeer(to, card)
	}
	return asap.Append(nil, s.cfg.outgoing(m))
}
