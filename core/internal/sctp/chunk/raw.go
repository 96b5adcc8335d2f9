package chunk

import "encoding/binary"

// Type is a chunk type.
type Type uint8

// Chunk types that this engine knows, and those it recognises to skip.
const (
	TypeData             Type = 0
	TypeInit             Type = 1
	TypeInitAck          Type = 2
	TypeSack             Type = 3
	TypeHeartbeat        Type = 4
	TypeHeartbeatAck     Type = 5
	TypeAbort            Type = 6
	TypeShutdown         Type = 7
	TypeShutdownAck      Type = 8
	TypeError            Type = 9
	TypeCookieEcho       Type = 10
	TypeCookieAck        Type = 11
	TypeECNE             Type = 12
	TypeCWR              Type = 13
	TypeShutdownComplete Type = 14
	TypeIData            Type = 0x40 // RFC 8260
	TypePad              Type = 0x84 // RFC 4820
	TypeForwardTSN       Type = 0xC0 // RFC 3758
	TypeIForwardTSN      Type = 0xC2 // RFC 8260
)

// FlagT says that the verification tag is the receiver's own, reflected
// (ABORT and SHUTDOWN COMPLETE; section 8.5.1).
const FlagT = 0x01

// Skip says that an unknown chunk of this type leaves the rest of the packet
// alone; otherwise the rest is dropped (section 3.2, SCTP-1-15).
func (t Type) Skip() bool { return t&0x80 != 0 }

// Report says that an unknown chunk of this type is reported to its sender.
func (t Type) Report() bool { return t&0x40 != 0 }

// Raw is a chunk before its value is looked at.
type Raw struct {
	Type  Type
	Flags uint8
	Value []byte // without header and padding
	Whole []byte // with header, without padding
}

// Next splits the first chunk off the chunks of a packet. The padding of the
// last one may be missing, or counted in its length (section 3.2). After an
// error nothing can be said about the rest of the packet (SCTP-1-12).
func Next(b []byte) (c Raw, rest []byte, err error) {
	if len(b) < chunkHeader {
		return c, nil, ErrShort
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < chunkHeader || n > len(b) {
		return c, nil, ErrLength
	}
	c = Raw{Type: Type(b[0]), Flags: b[1], Value: b[chunkHeader:n], Whole: b[:n]}
	return c, b[min(Pad(n), len(b)):], nil
}

// AppendRaw appends a chunk with the given value.
func AppendRaw(b []byte, t Type, flags uint8, value []byte) []byte {
	n := chunkHeader + len(value)
	b = append(b, byte(t), flags, byte(n>>8), byte(n))
	b = append(b, value...)
	return appendPadding(b, n)
}

// open appends a chunk header whose length close fills in.
func open(b []byte, t Type, flags uint8) (_ []byte, start int) {
	return append(b, byte(t), flags, 0, 0), len(b)
}

// closeAt back-patches the length of the chunk or parameter that begins at
// start and pads it.
func closeAt(b []byte, start int) []byte {
	n := len(b) - start
	binary.BigEndian.PutUint16(b[start+2:], uint16(n))
	return appendPadding(b, n)
}
