package wire

import (
	"encoding/binary"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// elementFixed is PE identifier, home and registration life.
const elementFixed = 12

// ParseElement reads a Pool Element (RFC 5354 section 3.10). The first
// transport is where it serves, one behind the policy is its ASAP endpoint
// (COM-3.10-05).
func ParseElement(t TLV, report *Report) (protocol.Element, error) {
	var e protocol.Element
	v := t.value()
	if len(v) < elementFixed {
		return e, Invalidf("length is %d, must be at least %d", len(t.Raw), headerSize+elementFixed)
	}
	e.ID = protocol.PEID(binary.BigEndian.Uint32(v))
	e.Home = protocol.ServerID(binary.BigEndian.Uint32(v[4:]))
	e.Life = protocol.Life(binary.BigEndian.Uint32(v[8:]))
	err := Walk(v[elementFixed:], report, func(t TLV) error { return takeElement(&e, t, report) })
	switch {
	case err != nil:
		return e, err
	case e.User.IsZero():
		return e, Invalidf("the User Transport is missing") // each element has one (COM-3.10-01)
	case e.Policy.Type == 0:
		return e, Invalidf("the %v is missing", ParamPolicy) // each element has a policy (COM-3.10-06)
	}
	return e, nil
}

func takeElement(e *protocol.Element, t TLV, report *Report) (err error) {
	switch t.Type {
	case ParamPolicy:
		if e.Policy.Type != 0 {
			return Invalidf("is there twice")
		}
		e.Policy, err = parsePolicy(t)
	case ParamDCCPTransport, ParamSCTPTransport, ParamTCPTransport, ParamUDPTransport, ParamUDPLiteTransport, ParamOpaqueTransport:
		slot := &e.User
		if !e.User.IsZero() {
			slot = &e.ASAP
			if err := checkSecondTransport(e, t); err != nil {
				return err
			}
		}
		*slot, err = parseTransport(t, report)
	}
	return err
}

func checkSecondTransport(e *protocol.Element, t TLV) error {
	switch {
	case e.Policy.Type == 0:
		return Invalidf("is a second User Transport") // each element has one only (COM-3.10-01)
	case !e.ASAP.IsZero():
		return Invalidf("is a second ASAP Transport")
	case t.Type != ParamSCTPTransport:
		return Invalidf("cannot be the ASAP Transport, that is always SCTP") // ASAP runs over SCTP (COM-3.10-04)
	}
	return nil
}

// Element writes a Pool Element parameter; without ASAP transport if e has
// none.
func (w *Writer) Element(e protocol.Element) {
	mark := w.open(ParamPoolElement)
	w.Uint32(uint32(e.ID))
	w.Uint32(uint32(e.Home))
	w.Uint32(uint32(e.Life))
	w.Transport(e.User)
	w.Policy(e.Policy)
	if !e.ASAP.IsZero() {
		if e.ASAP.Protocol != protocol.SCTP {
			w.Failf("the ASAP transport of PE %v is %v, only SCTP is possible", e.ID, e.ASAP.Protocol)
		}
		w.Transport(e.ASAP)
	}
	w.close(mark)
}
