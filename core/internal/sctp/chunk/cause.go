package chunk

import "encoding/binary"

// Cause is the code of an error cause (section 3.3.10).
type Cause uint16

// Error causes.
const (
	CauseInvalidStream    Cause = 1
	CauseMissingParam     Cause = 2
	CauseStaleCookie      Cause = 3
	CauseOutOfResource    Cause = 4
	CauseUnresolvable     Cause = 5
	CauseUnknownChunk     Cause = 6
	CauseInvalidParam     Cause = 7
	CauseUnknownParams    Cause = 8
	CauseNoUserData       Cause = 9
	CauseCookieInShutdown Cause = 10
	CauseNewAddresses     Cause = 11
	CauseUserAbort        Cause = 12
	CauseProtocol         Cause = 13
)

var causeNames = [...]string{
	CauseInvalidStream: "invalid stream identifier", CauseMissingParam: "missing mandatory parameter",
	CauseStaleCookie: "stale cookie", CauseOutOfResource: "out of resource",
	CauseUnresolvable: "unresolvable address", CauseUnknownChunk: "unrecognized chunk type",
	CauseInvalidParam: "invalid mandatory parameter", CauseUnknownParams: "unrecognized parameters",
	CauseNoUserData: "no user data", CauseCookieInShutdown: "cookie received while shutting down",
	CauseNewAddresses: "restart with new addresses", CauseUserAbort: "user-initiated abort",
	CauseProtocol: "protocol violation",
}

// String names the cause in the words of RFC 9260.
func (c Cause) String() string {
	if int(c) < len(causeNames) && causeNames[c] != "" {
		return causeNames[c]
	}
	return "unknown error cause"
}

// NextCause splits the first error cause off the value of an ERROR or ABORT.
func NextCause(b []byte) (code Cause, info, rest []byte, err error) {
	p, rest, err := NextParam(b) // same layout, other numbers
	return Cause(p.Type), p.Value, rest, err
}

// AppendCause appends a padded error cause.
func AppendCause(b []byte, code Cause, info []byte) []byte {
	return AppendParam(b, ParamType(code), info)
}

// AppendError appends an ERROR chunk with one cause.
func AppendError(b []byte, code Cause, info []byte) []byte {
	return appendCauseChunk(b, TypeError, 0, code, info)
}

// AppendAbort appends an ABORT chunk with one cause, or none if code is zero.
func AppendAbort(b []byte, flags uint8, code Cause, info []byte) []byte {
	if code == 0 {
		return AppendRaw(b, TypeAbort, flags, nil)
	}
	return appendCauseChunk(b, TypeAbort, flags, code, info)
}

// appendCauseChunk counts the cause without its padding in the length of the
// chunk (SCTP-1-11).
func appendCauseChunk(b []byte, t Type, flags uint8, code Cause, info []byte) []byte {
	n := chunkHeader + paramHeader + len(info)
	b = append(b, byte(t), flags, byte(n>>8), byte(n))
	return AppendCause(b, code, info)
}

// StreamInfo is the information of cause 1.
func StreamInfo(sid uint16) []byte { return []byte{byte(sid >> 8), byte(sid), 0, 0} }

// TSNInfo is the information of cause 9.
func TSNInfo(tsn uint32) []byte { return binary.BigEndian.AppendUint32(nil, tsn) }

// MissingInfo is the information of cause 2 for one missing parameter.
func MissingInfo(t ParamType) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, 1), uint16(t))
}

// StaleInfo is the information of cause 3: by how much the cookie is too old.
func StaleInfo(microseconds uint32) []byte { return binary.BigEndian.AppendUint32(nil, microseconds) }
