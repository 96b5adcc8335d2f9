package wire

import "encoding/binary"

// Header is the common message header (RFC 5354 section 4) with the rest of
// the message behind it.
type Header struct {
	Type  uint8
	Flags uint8  // those that Type does not define mean nothing (COM-4-01)
	Body  []byte // fixed fields and parameters; the final padding may be part of it
}

// ParseHeader splits a received message, that is one SCTP user message, one
// UDP datagram, or FrameSize bytes of a TCP stream. Padding at the end may be
// counted in the length or not, and may hold anything (COM-3-10, COM-4-02,
// COM-4-03); not more than 3 bytes can be padding. The error is an *Error with
// Reason Framing.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < headerSize {
		return Header{}, framing("%d bytes are too short for a message, the header alone has 4", len(b))
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case length < headerSize:
		return Header{}, framing("message length %d is less than the 4 bytes of the header", length)
	case length > len(b):
		return Header{}, framing("message length is %d, but only %d bytes arrived", length, len(b))
	case len(b) > pad4(length):
		return Header{}, framing("%d bytes follow a message of length %d, padding has at most 3", len(b)-length, length)
	}
	return Header{Type: b[0], Flags: b[1], Body: b[headerSize:length]}, nil
}

// Flag says whether a bit of the flags is set.
func (h Header) Flag(bit uint8) bool { return h.Flags&bit != 0 }

// Fixed splits the body into the size bytes of fixed fields and the parameters
// behind them.
func (h Header) Fixed(size int) (fields, params []byte, err error) {
	if len(h.Body) < size {
		return nil, nil, Invalidf("message length is %d, must be at least %d", headerSize+len(h.Body), headerSize+size)
	}
	return h.Body[:size], h.Body[size:], nil
}

// FrameSize tells how many bytes of a stream the message occupies whose first
// 4 bytes are header: its length and the padding. After an error (an *Error
// with Reason Framing) nobody knows where the next message begins, so the
// connection has to be closed (COM-4-07).
func FrameSize(header [4]byte) (int, error) {
	length := int(binary.BigEndian.Uint16(header[2:]))
	if length < headerSize {
		return 0, framing("message length %d is less than the 4 bytes of the header", length)
	}
	return pad4(length), nil
}

// Unrecognized applies the rules for a message b whose type t is not known,
// and returns the error to drop it with. Of the top two bits 01 asks for a
// report; 00 forbids it (COM-4-04, COM-4-05), and so do by our reading the
// reserved 10 and 11 (COM-4-06).
func Unrecognized(t uint8, b []byte, report *Report) error {
	if t>>6 == 1 {
		length := int(binary.BigEndian.Uint16(b[2:]))
		report.unrecognizedMessage(b[:length])
	}
	return &Error{Reason: UnknownMessage, Type: t, Detail: "nobody has defined this message type"}
}
