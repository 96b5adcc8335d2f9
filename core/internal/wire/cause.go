package wire

import (
	"bytes"
	"encoding/binary"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// parseCauses appends the causes of an Operation Error, of which there must be
// one (RFC 5354 section 3.12, COM-3.12-01). Codes and information are not
// looked into: there are more codes in use than are assigned.
func parseCauses(causes []protocol.Cause, t TLV) ([]protocol.Cause, error) {
	b := t.value()
	if len(b) == 0 {
		return nil, Invalidf("has no cause, needs at least one")
	}
	for len(b) > 0 {
		if len(b) < headerSize {
			return nil, Invalidf("%d bytes at the end are too short for a cause", len(b))
		}
		code := protocol.CauseCode(binary.BigEndian.Uint16(b))
		length := int(binary.BigEndian.Uint16(b[2:]))
		if length < headerSize || length > len(b) {
			return nil, Invalidf("cause %#04x has length %d, possible are 4 to %d", uint16(code), length, len(b))
		}
		c := protocol.Cause{Code: code}
		if length > headerSize {
			c.Info = bytes.Clone(b[headerSize:length])
		}
		causes = append(causes, c)
		b = b[min(pad4(length), len(b)):]
	}
	return causes, nil
}

// Causes writes an Operation Error parameter; nothing if there are no causes.
func (w *Writer) Causes(causes []protocol.Cause) {
	if len(causes) == 0 {
		return
	}
	mark := w.open(ParamOperationError)
	for _, c := range causes {
		inner := w.open(ParamType(c.Code)) // a cause has the shape of a parameter
		w.bytes(c.Info)
		w.close(inner)
	}
	w.close(mark)
}

// InconsistentPolicy returns the cause for a PE whose policy differs from that
// of its pool (RFC 5354 section 3.12.6, COM-3.12-05).
func InconsistentPolicy(ofPool protocol.Policy) protocol.Cause {
	return causeAbout(protocol.CauseInconsistentPolicy, func(w *Writer) { w.Policy(ofPool) })
}

// InconsistentTransport returns the cause for a PE whose user transport is of
// another kind than that of its pool (RFC 5354 section 3.12.8, COM-3.12-06).
func InconsistentTransport(ofPool protocol.Transport) protocol.Cause {
	return causeAbout(protocol.CauseInconsistentTransport, func(w *Writer) { w.Transport(ofPool) })
}

// InvalidElement returns the cause for a Pool Element that could be read but
// whose values cannot be accepted (RFC 5354 section 3.12.4).
func InvalidElement(e protocol.Element) protocol.Cause {
	return causeAbout(protocol.CauseInvalidValues, func(w *Writer) { w.Element(e) })
}

// InvalidHandle returns the cause for a pool handle that is too long, with the
// parameter if the answer has room for it beside the handle.
func InvalidHandle(h protocol.PoolHandle) protocol.Cause {
	c := causeAbout(protocol.CauseInvalidValues, func(w *Writer) { w.Handle(h) })
	return (&Error{Handle: h, TLV: c.Info}).Cause()
}

// HandleIn says whether a cause of InvalidHandle is what an answer gives.
func HandleIn(c protocol.Cause) bool {
	return c.Code == protocol.CauseInvalidValues && len(c.Info) > headerSize && ParamType(binary.BigEndian.Uint16(c.Info)) == ParamPoolHandle
}

// InvalidPolicy returns the cause for a policy that could be read but cannot
// be accepted (POL-7-02).
func InvalidPolicy(p protocol.Policy) protocol.Cause {
	return causeAbout(protocol.CauseInvalidValues, func(w *Writer) { w.Policy(p) })
}

// causeAbout makes a cause whose information is one parameter; none if it
// cannot be encoded.
func causeAbout(code protocol.CauseCode, write func(*Writer)) protocol.Cause {
	var w Writer
	write(&w)
	if w.err != nil {
		return protocol.Cause{Code: code}
	}
	return protocol.Cause{Code: code, Info: w.b}
}
