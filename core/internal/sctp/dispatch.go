package sctp

import "github.com/librserpool/librserpool/core/internal/sctp/chunk"

// receive processes the chunks of a packet whose tag was verified, in their
// order (SCTP-1-14).
func (a *association) receive(in *arrival, chunks []byte) {
	if in.kind != chunk.TypeAbort && in.kind != chunk.TypeShutdownComplete { // where a packet came from is learnt, but not from these (SCTP-5-02)
		in.path.heard(in)
		if a.state == shutdownSent || a.state == shutdownAckSent {
			a.t2Tries = 0 // DATA in SHUTDOWN-SENT shows that the peer lives (SCTP-2-51)
		}
	}
	for len(chunks) > 0 && !a.dead {
		c, rest, err := chunk.Next(chunks)
		if err != nil {
			a.e.counters.BadPacket++ // SCTP-1-12: what came before counts
			break
		}
		in.alone = in.first && len(rest) == 0
		if !a.handleChunk(in, c) {
			break
		}
		chunks, in.first = rest, false
	}
	if a.dead {
		return
	}
	a.packetDone(in)
	a.wake()
}

// handleChunk returns false if the rest of the packet is to be dropped.
func (a *association) handleChunk(in *arrival, c chunk.Raw) bool {
	if in.reflected && c.Type != chunk.TypeAbort && c.Type != chunk.TypeShutdownComplete {
		return false
	}
	switch c.Type {
	case chunk.TypeData, chunk.TypeIData:
		return a.handleData(in, c)
	case chunk.TypeSack:
		a.handleSack(in, c)
	case chunk.TypeHeartbeat:
		a.handleHeartbeat(in, c)
	case chunk.TypeHeartbeatAck:
		a.handleHeartbeatAck(in, c)
	case chunk.TypeInit:
		return false // not first, or it would not be here: bundled (SCTP-1-16)
	case chunk.TypeInitAck:
		return in.alone && a.handleInitAck(in, c)
	case chunk.TypeCookieEcho:
		return false // only ever the first chunk
	case chunk.TypeCookieAck:
		a.handleCookieAck(in)
	case chunk.TypeAbort:
		a.handleAbort(in, c)
	case chunk.TypeError:
		a.handleError(in, c)
	case chunk.TypeShutdown:
		a.handleShutdown(in, c)
	case chunk.TypeShutdownAck:
		a.handleShutdownAck(in)
	case chunk.TypeShutdownComplete:
		a.handleShutdownComplete(in, c)
	case chunk.TypeForwardTSN, chunk.TypeIForwardTSN:
		if (c.Type == chunk.TypeIForwardTSN) != a.interleave {
			a.violation("FORWARD TSN where I-FORWARD-TSN was agreed on, or the other way round") // RFC 8260 section 2.3.1
			return false
		}
		if a.forwardTSN || a.interleave { // Linux sends I-FORWARD-TSN without announcing it
			a.handleForwardTSN(in, c)
			return true
		}
		return a.handleUnknown(in, c)
	case chunk.TypePad, chunk.TypeECNE, chunk.TypeCWR: // what is not spoken here is passed over (SCTP-1-19)
	default:
		return a.handleUnknown(in, c)
	}
	return true
}

// handleUnknown obeys the two highest bits of the chunk type (SCTP-1-15). The
// copy in the report is cut so that the reply fits one packet.
func (a *association) handleUnknown(in *arrival, c chunk.Raw) bool {
	if c.Type.Report() && a.state >= established {
		room := in.path.mtu - chunk.MinPacket - chunk.MinPacket
		a.replyError(in, chunk.CauseUnknownChunk, c.Whole[:min(len(c.Whole), room)])
	}
	return c.Type.Skip()
}

// malformed ends the association for a chunk of known type whose length
// cannot be right (SCTP-1-13).
func (a *association) malformed(what string) {
	a.e.counters.BadPacket++
	if a.state >= established {
		a.violation(what)
	}
}

// replyError queues an ERROR chunk for the path that a packet came on. At most one packet of them waits:
// surplus answers are dropped (section 12.4, SCTP-1-18).
func (a *association) replyError(in *arrival, cause chunk.Cause, info []byte) {
	p := in.path
	if !p.hasRoom(chunk.Pad(len(info)) + 8) {
		a.e.counters.RepliesLimited++
		return
	}
	if !a.mayAnswer(in) {
		return
	}
	p.control = chunk.AppendError(p.control, cause, info)
	a.wake()
}

func (p *path) hasRoom(n int) bool {
	return len(p.control) == 0 || chunk.HeaderSize+len(p.control)+n <= p.mtu
}

// handleError takes the peer's complaints (section 3.3.10). The only one that
// changes a state is the stale cookie (section 5.2.6).
func (a *association) handleError(in *arrival, c chunk.Raw) {
	for causes := c.Value; len(causes) > 0; {
		code, _, rest, err := chunk.NextCause(causes)
		if err != nil {
			a.e.counters.BadPacket++
			return
		}
		causes = rest
		switch {
		case code == chunk.CauseStaleCookie:
			if a.state == cookieEchoed {
				a.handleStaleCookie(in)
				return
			}
		case a.state >= established:
			a.notifyRemoteError(code)
		}
	}
}
