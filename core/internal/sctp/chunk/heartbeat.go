package chunk

import "slices"

// HeartbeatInfo returns the content of the Heartbeat Info parameter of a
// HEARTBEAT or HEARTBEAT ACK (section 3.3.5).
func HeartbeatInfo(c Raw) (info []byte, err error) {
	if c.Type != TypeHeartbeat && c.Type != TypeHeartbeatAck {
		return nil, ErrType
	}
	p, _, err := NextParam(c.Value)
	if err != nil {
		return nil, err
	}
	if p.Type != ParamHeartbeatInfo {
		return nil, ErrType
	}
	return p.Value, nil
}

// AppendPad appends a PAD chunk (RFC 4820) of n bytes in all, a multiple of
// four.
func AppendPad(b []byte, n int) []byte {
	if n < chunkHeader {
		return b
	}
	b, start := open(b, TypePad, 0)
	b = slices.Grow(b, n)
	pad := b[len(b) : len(b)+n-chunkHeader]
	clear(pad)
	return closeAt(b[:len(b)+len(pad)], start)
}

// AppendHeartbeat appends a HEARTBEAT with the given info, which is not empty
// (SCTP-3-110). A HEARTBEAT ACK is the HEARTBEAT's value under another type.
func AppendHeartbeat(b []byte, info []byte) []byte {
	b, start := open(b, TypeHeartbeat, 0)
	b = AppendParam(b, ParamHeartbeatInfo, info)
	return closeAt(b, start)
}
