package sctp

import "github.com/librserpool/librserpool/core/internal/sctp/chunk"

// outOfTheBlue answers a packet that belongs to no association, by the first
// rule of section 8.4 that applies (SCTP-2-40). INIT and COOKIE ECHO do not
// come here. All chunks are looked at before an answer: an ABORT anywhere
// silences it (SCTP-2-41).
func (e *Endpoint) outOfTheBlue(in *arrival, chunks []byte) {
	e.counters.OutOfTheBlue++
	ack := false
	for len(chunks) > 0 {
		c, rest, err := chunk.Next(chunks)
		if err != nil {
			break
		}
		chunks = rest
		switch c.Type {
		case chunk.TypeAbort, chunk.TypeShutdownComplete, chunk.TypeCookieAck:
			return
		case chunk.TypeInit, chunk.TypeInitAck:
			if !in.alone {
				return // bundled: not to be believed (SCTP-1-16)
			}
		case chunk.TypeError:
			if staleCookie(c) {
				return
			}
		case chunk.TypeShutdownAck:
			ack = true
		}
	}
	switch {
	case ack:
		e.answerShutdownAck(in)
	case !e.mayReply(in):
	default:
		e.answer(in, in.header.Tag, chunk.AppendAbort(nil, chunk.FlagT, 0, nil))
	}
}

func staleCookie(c chunk.Raw) bool {
	for causes := c.Value; len(causes) > 0; {
		code, _, rest, err := chunk.NextCause(causes)
		if err != nil {
			return false
		}
		if code == chunk.CauseStaleCookie {
			return true
		}
		causes = rest
	}
	return false
}

// answerShutdownAck lets a peer finish a shutdown that we have finished, or
// know nothing of (sections 8.4 rule 5, 8.5.1 E).
func (e *Endpoint) answerShutdownAck(in *arrival) {
	if !e.mayReply(in) {
		return
	}
	e.answer(in, in.header.Tag, chunk.AppendRaw(nil, chunk.TypeShutdownComplete, chunk.FlagT, nil))
}
