package wire

import (
	"encoding/binary"
	"errors"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Set is a set of known parameter types.
type Set uint32

// SetOf returns the set of these types.
func SetOf(types ...ParamType) Set {
	var s Set
	for _, t := range types {
		s |= t.bit()
	}
	return s
}

// bit gives every known type its own; type 0 is none, so its bit is free.
func (t ParamType) bit() Set {
	if t == ParamItems {
		return 1
	}
	return 1 << t
}

// Layout says which parameters a message has. Known ones that it does not
// name are ignored, not "unrecognized" (COM-3-11). The order does not matter
// (COM-3-12); what should be there once and is there twice makes the message
// ambiguous and therefore invalid.
type Layout struct {
	Need Set // must be there
	May  Set // may be there
	Many Set // may be there more than once
}

// Params are the parameters of a message, found by a Layout.
type Params struct {
	Handle     protocol.PoolHandle
	ID         protocol.PEID
	Elements   []protocol.Element
	Policy     protocol.Policy
	Causes     []protocol.Cause
	Transports []protocol.Transport
	Servers    []protocol.Server
	Cookie     []byte
	Checksum   uint16
	Items      uint32

	have Set
}

// Has says whether a parameter of that type was there.
func (p *Params) Has(t ParamType) bool { return p.have&t.bit() != 0 }

// Parse reads the parameters of a message. The error is an *Error; if that is
// Invalid, it names the pool and the PE as far as they can be read.
func (l Layout) Parse(b []byte, report *Report) (Params, error) {
	var p Params
	err := Walk(b, report, func(t TLV) error {
		bit := t.Type.bit()
		switch {
		case (l.Need|l.May|l.Many)&bit == 0:
			return nil
		case p.have&bit != 0 && l.Many&bit == 0:
			return Invalidf("is there twice")
		}
		p.have |= bit
		return p.take(t, report)
	})
	if err == nil {
		err = missing(l.Need &^ p.have)
	}
	if err != nil {
		identify(err, b)
		return Params{}, err
	}
	return p, nil
}

func (p *Params) take(t TLV, report *Report) (err error) {
	switch t.Type {
	case ParamPoolHandle:
		p.Handle, err = ParseHandle(t)
	case ParamPEIdentifier:
		var v []byte
		if v, err = t.fixed(4); err == nil {
			p.ID = protocol.PEID(binary.BigEndian.Uint32(v))
		}
	case ParamPoolElement:
		err = appendParsed(&p.Elements, t, report, ParseElement)
	case ParamPolicy:
		p.Policy, err = parsePolicy(t)
	case ParamOperationError:
		p.Causes, err = parseCauses(p.Causes, t)
	case ParamSCTPTransport, ParamTCPTransport:
		err = appendParsed(&p.Transports, t, report, parseTransport)
	case ParamServerInformation:
		err = appendParsed(&p.Servers, t, report, parseServer)
	case ParamCookie:
		p.Cookie = append([]byte(nil), t.value()...)
	case ParamPEChecksum:
		var v []byte
		if v, err = t.fixed(2); err == nil {
			p.Checksum = binary.BigEndian.Uint16(v)
		}
	case ParamItems:
		var v []byte
		if v, err = t.fixed(4); err == nil {
			p.Items = binary.BigEndian.Uint32(v)
		}
	}
	return err
}

func appendParsed[T any](list *[]T, t TLV, report *Report, parse func(TLV, *Report) (T, error)) error {
	v, err := parse(t, report)
	if err == nil {
		*list = append(*list, v)
	}
	return err
}

// missing complains about the first type of the set; nil if it is empty.
func missing(s Set) error {
	for t := ParamIPv4Address; t <= ParamOpaqueTransport; t++ {
		if s&t.bit() != 0 {
			return Invalidf("the %v is missing", t)
		}
	}
	return nil
}

// identify adds to an Invalid error the pool and the PE that the message is
// about, if they can be read in spite of it: that is what the refusal of a
// request needs.
func identify(err error, b []byte) {
	var e *Error
	if !errors.As(err, &e) || e.Reason != Invalid {
		return
	}
	for len(b) > 0 {
		t, rest, err := split(b)
		if err != nil {
			return
		}
		b = rest
		switch {
		case t.Type == ParamPoolHandle && e.Handle == "":
			e.Handle = protocol.PoolHandle(t.value())
		case (t.Type == ParamPoolElement || t.Type == ParamPEIdentifier) && !e.HasID && len(t.value()) >= 4:
			e.ID, e.HasID = protocol.PEID(binary.BigEndian.Uint32(t.value())), true
		}
	}
}
