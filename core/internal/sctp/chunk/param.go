package chunk

import (
	"encoding/binary"
	"net/netip"
)

// ParamType is the type of a parameter of INIT, INIT ACK or HEARTBEAT.
type ParamType uint16

// Parameter types that the engine knows, or knows to be harmless.
const (
	ParamHeartbeatInfo      ParamType = 1
	ParamIPv4               ParamType = 5
	ParamIPv6               ParamType = 6
	ParamStateCookie        ParamType = 7
	ParamUnrecognized       ParamType = 8
	ParamCookiePreservative ParamType = 9
	ParamHostName           ParamType = 11
	ParamAddressTypes       ParamType = 12
	ParamECN                ParamType = 0x8000
	ParamZeroChecksum       ParamType = 0x8001
	ParamAuthRandom         ParamType = 0x8002
	ParamAuthChunks         ParamType = 0x8003
	ParamAuthHMACs          ParamType = 0x8004
	ParamPadding            ParamType = 0x8005
	ParamExtensions         ParamType = 0x8008
	ParamForwardTSN         ParamType = 0xC000
	ParamAdaptation         ParamType = 0xC006
)

// Skip says that an unknown parameter of this type leaves those after it
// alone; otherwise they are not processed (section 3.2.1, SCTP-1-30).
func (t ParamType) Skip() bool { return t&0x8000 != 0 }

// Report says that an unknown parameter of this type is reported.
func (t ParamType) Report() bool { return t&0x4000 != 0 }

// Param is one parameter.
type Param struct {
	Type  ParamType
	Value []byte // without header and padding
	Whole []byte // with header, without padding
}

// NextParam splits the first parameter off a list.
func NextParam(b []byte) (p Param, rest []byte, err error) {
	if len(b) < paramHeader {
		return p, nil, ErrLength
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < paramHeader || n > len(b) {
		return p, nil, ErrLength
	}
	p = Param{Type: ParamType(binary.BigEndian.Uint16(b)), Value: b[paramHeader:n], Whole: b[:n]}
	return p, b[min(Pad(n), len(b)):], nil
}

// AppendParam appends a padded parameter.
func AppendParam(b []byte, t ParamType, value []byte) []byte {
	n := paramHeader + len(value)
	b = append(b, byte(t>>8), byte(t), byte(n>>8), byte(n))
	b = append(b, value...)
	return appendPadding(b, n)
}

// Addr reads an address parameter. An IPv4-mapped IPv6 address is not one
// (section 3.3.2.1.2).
func (p Param) Addr() (a netip.Addr, ok bool) {
	switch {
	case p.Type == ParamIPv4 && len(p.Value) == 4:
		return netip.AddrFrom4([4]byte(p.Value)), true
	case p.Type == ParamIPv6 && len(p.Value) == 16:
		a = netip.AddrFrom16([16]byte(p.Value))
		return a, !a.Is4In6()
	}
	return a, false
}

// AppendAddr appends an address parameter, without zone.
func AppendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() || a.Is4In6() {
		v := a.Unmap().As4()
		return AppendParam(b, ParamIPv4, v[:])
	}
	v := a.As16()
	return AppendParam(b, ParamIPv6, v[:])
}
