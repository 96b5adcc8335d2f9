package wire

import (
	"encoding/binary"
	"fmt"
)

// ParamType is a parameter type (RFC 5354 section 3). Its top two bits tell
// what to do with the parameter if the type is unknown.
type ParamType uint16

// The parameters of RFC 5354, and one that RSPLIB and Wireshark know
// (draft-dreibholz-rserpool-asap-hropt).
const (
	ParamIPv4Address       ParamType = 0x0001
	ParamIPv6Address       ParamType = 0x0002
	ParamDCCPTransport     ParamType = 0x0003
	ParamSCTPTransport     ParamType = 0x0004
	ParamTCPTransport      ParamType = 0x0005
	ParamUDPTransport      ParamType = 0x0006
	ParamUDPLiteTransport  ParamType = 0x0007
	ParamPolicy            ParamType = 0x0008
	ParamPoolHandle        ParamType = 0x0009
	ParamPoolElement       ParamType = 0x000a
	ParamServerInformation ParamType = 0x000b
	ParamOperationError    ParamType = 0x000c
	ParamCookie            ParamType = 0x000d
	ParamPEIdentifier      ParamType = 0x000e
	ParamPEChecksum        ParamType = 0x000f
	ParamOpaqueTransport   ParamType = 0x0010
	ParamItems             ParamType = 0x803f
)

var paramNames = [...]string{
	ParamIPv4Address:       "IPv4 Address",
	ParamIPv6Address:       "IPv6 Address",
	ParamDCCPTransport:     "DCCP Transport",
	ParamSCTPTransport:     "SCTP Transport",
	ParamTCPTransport:      "TCP Transport",
	ParamUDPTransport:      "UDP Transport",
	ParamUDPLiteTransport:  "UDP-Lite Transport",
	ParamPolicy:            "Pool Member Selection Policy",
	ParamPoolHandle:        "Pool Handle",
	ParamPoolElement:       "Pool Element",
	ParamServerInformation: "Server Information",
	ParamOperationError:    "Operation Error",
	ParamCookie:            "Cookie",
	ParamPEIdentifier:      "PE Identifier",
	ParamPEChecksum:        "PE Checksum",
	ParamOpaqueTransport:   "Opaque Transport",
}

func (t ParamType) String() string {
	switch {
	case t == ParamItems:
		return "Handle Resolution Option"
	case t.known():
		return paramNames[t]
	}
	return fmt.Sprintf("parameter type %#04x", uint16(t))
}

func (t ParamType) known() bool {
	return t >= ParamIPv4Address && t <= ParamOpaqueTransport || t == ParamItems
}

// TLV is one parameter as it stands in a message.
type TLV struct {
	Type ParamType
	Raw  []byte // type, length and value, without padding; a part of the message
}

func (t TLV) value() []byte { return t.Raw[headerSize:] }

// fixed returns the value if it has the only size the type allows.
func (t TLV) fixed(size int) ([]byte, error) {
	if len(t.value()) != size {
		return nil, Invalidf("length is %d, must be %d", len(t.Raw), headerSize+size)
	}
	return t.value(), nil
}

// Walk calls visit for every parameter in b that is of a known type, and
// treats the unknown ones as their top two bits demand (RFC 5354 section 3).
// It is used for nested parameters too, so that an unknown one in them decides
// about the whole message (COM-3-05). It stops at the first error.
func Walk(b []byte, report *Report, visit func(TLV) error) error {
	for len(b) > 0 {
		t, rest, err := split(b)
		if err != nil {
			return err
		}
		b = rest
		if t.Type.known() {
			err = visit(t)
		} else {
			err = unknownParameter(t, report)
		}
		if err != nil {
			return within(err, t)
		}
	}
	return nil
}

// split takes the first parameter off b. Its own padding may be missing at the
// end of b, because an enclosing length need not count it (COM-2-02, COM-3-10).
func split(b []byte) (t TLV, rest []byte, err error) {
	if len(b) < headerSize {
		return TLV{}, nil, Invalidf("%d bytes at the end are too short for a parameter", len(b)) // the end has to be whole (COM-3.10-06)
	}
	t.Type = ParamType(binary.BigEndian.Uint16(b))
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < headerSize || length > len(b) { // the length has to be inside (COM-3-06)
		return TLV{}, nil, Invalidf("%v has length %d, possible are 4 to %d", t.Type, length, len(b))
	}
	t.Raw = b[:length]
	return t, b[min(pad4(length), len(b)):], nil
}

// unknownParameter returns the error to drop the message with, or nil to skip
// the parameter (COM-3-01 to COM-3-04).
func unknownParameter(t TLV, report *Report) error {
	bits := t.Type >> 14
	if bits&1 != 0 {
		report.unrecognizedParameter(t)
	}
	if bits&2 != 0 {
		return nil
	}
	return &Error{Reason: UnknownParameter, Detail: "not known, and its type forbids to process the message"}
}
