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

// Skip says that messages of a stream up to an SSN will not come.
type Skip struct{ Stream, SSN uint16 }

// ForwardTSNSize is the size of a FORWARD TSN chunk without its list, each
// entry of which takes SkipSize.
const (
	ForwardTSNSize = 8
	SkipSize       = 4
)

// AppendForwardTSN appends a FORWARD TSN chunk.
func AppendForwardTSN(b []byte, cumTSN uint32, skips []Skip) []byte {
	b, start := open(b, TypeForwardTSN, 0)
	b = binary.BigEndian.AppendUint32(b, cumTSN)
	for _, s := range skips {
		b = binary.BigEndian.AppendUint16(b, s.Stream)
		b = binary.BigEndian.AppendUint16(b, s.SSN)
	}
	return closeAt(b, start)
}
