package loop

import (
	"errors"
	"net"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Port is what a shell makes of a transport endpoint: whole messages come out
// of it, and control messages that find the send buffer full wait in order.
// Its owner's lock guards it.
type Port struct {
	transport.Endpoint
	buf     []byte
	parts   map[partKey][]byte
	waiting map[assoc.ID][]control // for room in the send buffer
	lender  transport.Lender       // nil: Lend was not called, or is in vain
}

// partKey tells apart the messages that may arrive in pieces at one time.
type partKey struct {
	kind      assoc.Kind
	assoc     assoc.ID
	stream    uint16
	unordered bool
}

type control struct {
	ppid  uint32
	bytes []byte
}

// NewPort takes over an endpoint.
func NewPort(ep transport.Endpoint) *Port {
	return &Port{
		Endpoint: ep,
		buf:      make([]byte, 1<<16),
		parts:    map[partKey][]byte{},
		waiting:  map[assoc.ID][]control{},
	}
}

// Receive returns the next notification or whole message; b is valid until the
// next call. It returns assoc.ErrWouldBlock when there is none.
func (p *Port) Receive(info *assoc.RecvInfo) (b []byte, err error) {
	for {
		n, err := p.Recv(p.buf, info)
		if err != nil {
			return nil, err
		}
		switch info.Kind {
		case assoc.Message, assoc.SendFailed:
		case assoc.PartialAborted:
			delete(p.parts, partKey{assoc.Message, info.Assoc, info.Stream, info.Unordered})
			continue
		default:
			return p.buf[:n], nil
		}
		if whole, ok := p.assemble(info, p.buf[:n]); ok {
			return whole, nil
		}
	}
}

func (p *Port) assemble(info *assoc.RecvInfo, b []byte) (whole []byte, ok bool) {
	key := partKey{info.Kind, info.Assoc, info.Stream, info.Unordered}
	part, begun := p.parts[key]
	switch {
	case info.More:
		p.parts[key] = append(part, b...)
		return nil, false
	case begun:
		delete(p.parts, key)
		return append(part, b...), true
	}
	return b, true
}

// SendControl sends a message ordered on stream 0, now or when there is room
// (ASAP-5-07). It returns driver.ErrNotRead when too many wait already.
func (p *Port) SendControl(id assoc.ID, ppid uint32, b []byte) error {
	queue := p.waiting[id]
	if len(queue) == 0 {
		err := p.Send(b, &assoc.SendInfo{Assoc: id, PPID: ppid})
		if !errors.Is(err, assoc.ErrWouldBlock) {
			return err
		}
	}
	if len(queue) == driver.MaxWaiting {
		return driver.ErrNotRead
	}
	p.waiting[id] = append(queue, control{ppid, b})
	return nil
}

// Waiting says whether control messages wait for room.
func (p *Port) Waiting(id assoc.ID) bool { return len(p.waiting[id]) > 0 }

// PauseReceive keeps the data of an association unread until ResumeReceive, if the
// endpoint can. Its owner has to stop reading altogether where it cannot.
func (p *Port) PauseReceive(id assoc.ID) (can bool) { return p.hold(id, true) }

// ResumeReceive lets it come again.
func (p *Port) ResumeReceive(id assoc.ID) (can bool) { return p.hold(id, false) }

func (p *Port) hold(id assoc.ID, on bool) (can bool) {
	h, can := p.Endpoint.(transport.Holder)
	if can {
		_ = h.Hold(id, on) // gone already: nothing of it is kept back
	}
	return can
}

// Together calls f; what it sends leaves in as few packets as the endpoint can make.
func (p *Port) Together(f func()) {
	if b, can := p.Endpoint.(transport.Batcher); can {
		b.Together(f)
	} else {
		f()
	}
}

// Lend has what Receive returns count against receive windows until Return, if the
// endpoint can. Where it cannot, what its owner keeps comes on top of them.
func (p *Port) Lend() (can bool) {
	p.lender, can = p.Endpoint.(transport.Lender)
	if can {
		p.lender.Lend()
	}
	return can
}

// Return gives messages of an association back, of so many bytes.
func (p *Port) Return(id assoc.ID, bytes, messages int) {
	if p.lender != nil {
		p.lender.Return(id, bytes, messages)
	}
}

// Flush sends what waits for an association whose send buffer has room.
func (p *Port) Flush(id assoc.ID) {
	queue := p.waiting[id]
	for len(queue) > 0 {
		err := p.Send(queue[0].bytes, &assoc.SendInfo{Assoc: id, PPID: queue[0].ppid})
		if errors.Is(err, assoc.ErrWouldBlock) {
			break
		}
		queue = queue[1:] // any other error: the end of the association follows
	}
	if len(queue) == 0 {
		delete(p.waiting, id)
	} else {
		p.waiting[id] = queue
	}
}

// Forget drops what is kept for an association that ended.
func (p *Port) Forget(id assoc.ID) {
	delete(p.waiting, id)
	for key := range p.parts {
		if key.assoc == id {
			delete(p.parts, key)
		}
	}
}

// Closed says whether err means that the endpoint is closed.
func Closed(err error) bool { return errors.Is(err, net.ErrClosed) }
