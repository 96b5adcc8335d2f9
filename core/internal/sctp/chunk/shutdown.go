package chunk

import "encoding/binary"

// ParseShutdown reads the cumulative TSN ack of a SHUTDOWN chunk (section
// 3.3.8). Surplus bytes are ignored (SCTP-1-13).
func ParseShutdown(c Raw) (cumTSN uint32, err error) {
	if c.Type != TypeShutdown {
		return 0, ErrType
	}
	if len(c.Value) < 4 {
		return 0, ErrLength
	}
	return binary.BigEndian.Uint32(c.Value), nil
}

// AppendShutdown appends a SHUTDOWN chunk.
func AppendShutdown(b []byte, cumTSN uint32) []byte {
	b = append(b, byte(TypeShutdown), 0, 0, 8)
	return binary.BigEndian.AppendUint32(b, cumTSN)
}
