package chunk

import "encoding/binary"

// ForwardTSN is a FORWARD TSN chunk (RFC 3758 section 3.2), or an I-FORWARD-TSN
// chunk (RFC 8260 section 2.3.1), with its list unread.
type ForwardTSN struct {
	Interleaved bool
	CumTSN      uint32
	skipped     []byte
}

// Skip says that messages of a stream up to a number will not come: up to an SSN,
// or with I-DATA up to a MID among the ordered or the unordered ones.
type Skip struct {
	Stream    uint16
	Unordered bool   // I-FORWARD-TSN only
	MID       uint32 // the SSN in FORWARD TSN
}

// ForwardTSNSize is the size of a FORWARD TSN or I-FORWARD-TSN chunk without its
// list.
const ForwardTSNSize = 8

// SkipSize is what an entry of the list takes.
func SkipSize(interleaved bool) int {
	if interleaved {
		return 8
	}
	return 4
}

// ParseForwardTSN reads a FORWARD TSN or I-FORWARD-TSN chunk.
func ParseForwardTSN(c Raw) (f ForwardTSN, err error) {
	f.Interleaved = c.Type == TypeIForwardTSN
	if !f.Interleaved && c.Type != TypeForwardTSN {
		return f, ErrType
	}
	if len(c.Value) < 4 || (len(c.Value)-4)%SkipSize(f.Interleaved) != 0 {
		return f, ErrLength
	}
	f.CumTSN, f.skipped = binary.BigEndian.Uint32(c.Value), c.Value[4:]
	return f, nil
}

// Streams returns the number of entries.
func (f *ForwardTSN) Streams() int { return len(f.skipped) / SkipSize(f.Interleaved) }

// Stream returns entry i.
func (f *ForwardTSN) Stream(i int) (s Skip) {
	v := f.skipped[i*SkipSize(f.Interleaved):]
	s.Stream = binary.BigEndian.Uint16(v)
	if !f.Interleaved {
		s.MID = uint32(binary.BigEndian.Uint16(v[2:]))
		return s
	}
	s.Unordered = v[3]&1 != 0
	s.MID = binary.BigEndian.Uint32(v[4:])
	return s
}

// AppendForwardTSN appends a FORWARD TSN or I-FORWARD-TSN chunk.
func AppendForwardTSN(b []byte, cumTSN uint32, skips []Skip, interleaved bool) []byte {
	t := TypeForwardTSN
	if interleaved {
		t = TypeIForwardTSN
	}
	b, start := open(b, t, 0)
	b = binary.BigEndian.AppendUint32(b, cumTSN)
	for _, s := range skips {
		b = binary.BigEndian.AppendUint16(b, s.Stream)
		if !interleaved {
			b = binary.BigEndian.AppendUint16(b, uint16(s.MID))
			continue
		}
		var flags uint16
		if s.Unordered {
			flags = 1
		}
		b = binary.BigEndian.AppendUint16(b, flags)
		b = binary.BigEndian.AppendUint32(b, s.MID)
	}
	return closeAt(b, start)
}
