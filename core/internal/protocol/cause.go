package protocol

import "fmt"

// CauseCode is an error cause of RFC 5354 section 3.12.
type CauseCode uint16

// Codes 9 and 10 stand in the opposite order of their sections (E-06).
const (
	CauseUnspecified             CauseCode = 0x0000
	CauseUnrecognizedParameter   CauseCode = 0x0001
	CauseUnrecognizedMessage     CauseCode = 0x0002
	CauseInvalidValues           CauseCode = 0x0003
	CauseNonUniquePEID           CauseCode = 0x0004
	CauseInconsistentPolicy      CauseCode = 0x0005
	CauseLackOfResources         CauseCode = 0x0006
	CauseInconsistentTransport   CauseCode = 0x0007
	CauseInconsistentDataControl CauseCode = 0x0008
	CauseUnknownPoolHandle       CauseCode = 0x0009
	CauseRejectedForSecurity     CauseCode = 0x000a
)

func (c CauseCode) String() string {
	switch c {
	case CauseUnspecified:
		return "unspecified error"
	case CauseUnrecognizedParameter:
		return "unrecognized parameter"
	case CauseUnrecognizedMessage:
		return "unrecognized message"
	case CauseInvalidValues:
		return "invalid values"
	case CauseNonUniquePEID:
		return "non-unique PE identifier"
	case CauseInconsistentPolicy:
		return "inconsistent pooling policy"
	case CauseLackOfResources:
		return "lack of resources"
	case CauseInconsistentTransport:
		return "inconsistent transport type"
	case CauseInconsistentDataControl:
		return "inconsistent data/control configuration"
	case CauseUnknownPoolHandle:
		return "unknown pool handle"
	case CauseRejectedForSecurity:
		return "rejected due to security considerations"
	}
	return fmt.Sprintf("cause %#04x", uint16(c))
}

// Cause is one error cause. Info is the raw information field: a whole TLV or
// message for the codes that carry one, otherwise empty.
type Cause struct {
	Code CauseCode
	Info []byte
}
