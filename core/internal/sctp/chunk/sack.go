package chunk

import "encoding/binary"

const sackFixed = 12 // bytes before the gap ack blocks, without chunk header

// SackSize is the size of a SACK chunk without gaps and duplicates; each gap
// and each duplicate adds SackItem.
const (
	SackSize = chunkHeader + sackFixed
	SackItem = 4
)

// Gap is a Gap Ack Block: offsets from the cumulative TSN ack, both included.
type Gap struct{ Start, End uint16 }

// Sack is a SACK chunk (section 3.3.4) with its lists unread.
type Sack struct {
	CumTSN uint32
	Window uint32
	gaps   []byte
	dups   []byte
}

// ParseSack reads a SACK chunk. Its length must fit its lists exactly
// (SCTP-3-50).
func ParseSack(c Raw) (s Sack, err error) {
	if c.Type != TypeSack {
		return s, ErrType
	}
	v := c.Value
	if len(v) < sackFixed {
		return s, ErrLength
	}
	n := SackItem * int(binary.BigEndian.Uint16(v[8:]))
	m := SackItem * int(binary.BigEndian.Uint16(v[10:]))
	if len(v) != sackFixed+n+m {
		return s, ErrLength
	}
	return Sack{
		CumTSN: binary.BigEndian.Uint32(v),
		Window: binary.BigEndian.Uint32(v[4:]),
		gaps:   v[sackFixed : sackFixed+n],
		dups:   v[sackFixed+n:],
	}, nil
}

// Gaps returns the number of gap ack blocks.
func (s *Sack) Gaps() int { return len(s.gaps) / SackItem }

// Gap returns gap ack block i.
func (s *Sack) Gap(i int) Gap {
	g := s.gaps[i*SackItem:]
	return Gap{binary.BigEndian.Uint16(g), binary.BigEndian.Uint16(g[2:])}
}

// Dups returns the number of duplicate TSNs.
func (s *Sack) Dups() int { return len(s.dups) / SackItem }

// Dup returns duplicate TSN i.
func (s *Sack) Dup(i int) uint32 { return binary.BigEndian.Uint32(s.dups[i*SackItem:]) }

// AppendSack appends a SACK chunk.
func AppendSack(b []byte, cumTSN, window uint32, gaps []Gap, dups []uint32) []byte {
	b, start := open(b, TypeSack, 0)
	b = binary.BigEndian.AppendUint32(b, cumTSN)
	b = binary.BigEndian.AppendUint32(b, window)
	b = binary.BigEndian.AppendUint16(b, uint16(len(gaps)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(dups)))
	for _, g := range gaps {
		b = binary.BigEndian.AppendUint16(b, g.Start)
		b = binary.BigEndian.AppendUint16(b, g.End)
	}
	for _, d := range dups {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return closeAt(b, start)
}
