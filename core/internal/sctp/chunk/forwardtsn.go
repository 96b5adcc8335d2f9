package chunk

import "encoding/binary"

// ForwardTSN is a FORWARD TSN chunk (RFC 3758 section 3.2) with its list
// unread.
type ForwardTSN struct {
	CumTSN  uint32
	skipped []byte
}

// ParseForwardTSN reads a FORWARD TSN chunk.
func ParseForwardTSN(c Raw) (f ForwardTSN, err error) {
	if c.Type != TypeForwardTSN {
		return f, ErrType
	}
	if len(c.Value) < 4 || len(c.Value)%4 != 0 {
		return f, ErrLength
	}
	return ForwardTSN{CumTSN: binary.BigEndian.Uint32(c.Value), skipped: c.Value[4:]}, nil
}

// Streams returns the number of streams in which messages were skipped.
func (f *ForwardTSN) Streams() int { return len(f.skipped) / 4 }

// Stream returns entry i: a stream and the last SSN skipped in it.
func (f *ForwardTSN) Stream(i int) (sid, ssn uint16) {
	v := f.skipped[i*4:]
	return binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:])
}
