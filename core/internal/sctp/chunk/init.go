package chunk

import "encoding/binary"

const initFixed = 16 // bytes before the parameters

// Init is the fixed part of an INIT or INIT ACK chunk (sections 3.3.2, 3.3.3)
// with its parameters unread.
type Init struct {
	Tag                   uint32
	Window                uint32 // a_rwnd
	OutStreams, InStreams uint16
	TSN                   uint32
	Params                []byte
}

// ParseInit reads an INIT or INIT ACK chunk. Values that RFC 9260 forbids are
// the caller's to judge (SCTP-1-32).
func ParseInit(c Raw) (i Init, err error) {
	if c.Type != TypeInit && c.Type != TypeInitAck {
		return i, ErrType
	}
	v := c.Value
	if len(v) < initFixed {
		return i, ErrLength
	}
	return Init{
		Tag:        binary.BigEndian.Uint32(v),
		Window:     binary.BigEndian.Uint32(v[4:]),
		OutStreams: binary.BigEndian.Uint16(v[8:]),
		InStreams:  binary.BigEndian.Uint16(v[10:]),
		TSN:        binary.BigEndian.Uint32(v[12:]),
		Params:     v[initFixed:],
	}, nil
}

// AppendInit appends an INIT or INIT ACK chunk. i.Params holds complete,
// padded parameters; the padding of the last one is not counted in the
// length (SCTP-1-11), which lastPadding says the size of.
func AppendInit(b []byte, t Type, i *Init, lastPadding int) []byte {
	b, start := open(b, t, 0)
	b = binary.BigEndian.AppendUint32(b, i.Tag)
	b = binary.BigEndian.AppendUint32(b, i.Window)
	b = binary.BigEndian.AppendUint16(b, i.OutStreams)
	b = binary.BigEndian.AppendUint16(b, i.InStreams)
	b = binary.BigEndian.AppendUint32(b, i.TSN)
	b = append(b, i.Params[:len(i.Params)-lastPadding]...)
	return closeAt(b, start)
}
