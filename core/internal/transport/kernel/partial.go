package kernel

import (
	"fmt"
	"slices"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// partial is a message of which some pieces have been returned: one longer than
// the caller's buffer, or one that the kernel began to deliver before all of it
// had arrived (RFC 6458 section 8.1.21). There are several if the peer
// interleaves messages (RFC 8260).
type partial struct {
	stream    uint16
	unordered bool
	size      int
}

var errTooLong = fmt.Errorf("%w: message is longer than this endpoint accepts", assoc.ErrProtocol)

// accept notes that n bytes of a message have arrived. It returns false if they
// are to be dropped: a message that becomes longer than Params.MaxMessage ends
// its association (SCTP-3-24).
func (e *Endpoint) accept(info *assoc.RecvInfo, n int) bool {
	a := e.assocs[info.Assoc]
	switch {
	case a == nil:
		return false
	case a.tooLong:
		return false
	case a.measure(info, n) <= a.maxMessage || a.maxMessage <= 0:
		return true
	}
	a.tooLong = true
	if a.aborted == nil {
		e.giveUp(a, errTooLong)
	}
	return false
}

// measure returns the length of the message so far.
func (a *association) measure(info *assoc.RecvInfo, n int) int {
	if len(a.partials) == 0 && !info.More {
		return n
	}
	i := slices.IndexFunc(a.partials, func(p partial) bool { return p.stream == info.Stream && p.unordered == info.Unordered })
	if i < 0 {
		i = len(a.partials)
		a.partials = append(a.partials, partial{stream: info.Stream, unordered: info.Unordered})
	}
	p := &a.partials[i]
	p.size += n
	size := p.size
	if !info.More {
		a.partials = slices.Delete(a.partials, i, i+1)
	}
	return size
}

// abandon tells that messages which were begun will not be completed: those
// that match.
func (e *Endpoint) abandon(a *association, match func(partial) bool) {
	var rest []partial
	for _, p := range a.partials {
		if match(p) {
			e.inbox.put(assoc.RecvInfo{Kind: assoc.PartialAborted, Assoc: a.id, Stream: p.stream, Unordered: p.unordered})
		} else {
			rest = append(rest, p)
		}
	}
	a.partials = rest
}

// handlePartialDelivery is told of the end of a partial delivery. Stream and
// order are in it only if the peer interleaves; otherwise there is one message
// at a time.
func (e *Endpoint) handlePartialDelivery(b []byte) {
	a := e.assocs[assoc.ID(native.Uint32(b[12:]))]
	if a == nil || native.Uint32(b[8:]) != partialDeliveryAborted {
		return
	}
	stream, unordered := uint16(native.Uint32(b[16:])), native.Uint16(b[2:])&1 != 0
	e.abandon(a, func(p partial) bool {
		return len(a.partials) == 1 || p.stream == stream && p.unordered == unordered
	})
}

const partialDeliveryAborted = 0
