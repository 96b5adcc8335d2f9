package sctp

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// offer is what one side says in its INIT or INIT ACK, without its tag.
type offer struct {
	tsn, window           uint32
	outStreams, inStreams uint16
	forwardTSN            bool
	interleave            bool // I-DATA, and I-FORWARD-TSN with forwardTSN (RFC 8260)
	iForward              bool
	foreign               bool // another implementation (SCTP-3-15)
}

// offered is a parsed INIT or INIT ACK.
type offered struct {
	offer
	tag     uint32
	addrs   []netip.Addr
	cookie  []byte // view
	unknown []byte // parameters to report, padded (SCTP-1-31)
	cause   chunk.Cause
	longer  time.Duration // that the cookie should live (Cookie Preservative)
}

// readOffered reads an INIT or INIT ACK. An error means that the chunk is
// malformed (SCTP-1-33).
func readOffered(c chunk.Raw, from netip.Addr) (o offered, err error) {
	i, err := chunk.ParseInit(c)
	if err != nil {
		return o, err
	}
	o.tag = i.Tag
	o.offer = offer{tsn: i.TSN, window: i.Window, outStreams: i.OutStreams, inStreams: i.InStreams}
	if i.OutStreams == 0 || i.InStreams == 0 || i.Window < minWindow {
		o.cause = chunk.CauseInvalidParam // an INIT without sense is refused (SCTP-1-32)
	}
	stop := false
	for rest := i.Params; len(rest) > 0; {
		var p chunk.Param
		if len(rest) < 4 && allZero(rest) {
			break // padding that the length counts
		}
		if p, rest, err = chunk.NextParam(rest); err != nil {
			return o, err
		}
		if !stop {
			stop = !o.take(p, from)
		}
	}
	return o, nil
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// take reads one parameter. It returns false if those that follow are not to
// be processed (section 3.2.1, SCTP-1-30).
func (o *offered) take(p chunk.Param, from netip.Addr) bool {
	switch p.Type {
	case chunk.ParamIPv4, chunk.ParamIPv6:
		o.takeAddr(p, from)
	case chunk.ParamStateCookie:
		if o.cookie == nil {
			o.cookie = p.Value
		}
	case chunk.ParamHostName:
		o.cause = chunk.CauseUnresolvable
	case chunk.ParamForwardTSN:
		o.forwardTSN = true
	case chunk.ParamExtensions:
		o.takeExtensions(p.Value)
	case chunk.ParamAddressTypes, chunk.ParamECN, chunk.ParamAuthRandom:
		o.foreign = true // this engine sends none of them
	case chunk.ParamCookiePreservative:
		if len(p.Value) == 4 {
			o.longer = time.Duration(binary.BigEndian.Uint32(p.Value)) * time.Millisecond
		}
	case chunk.ParamUnrecognized, chunk.ParamZeroChecksum,
		chunk.ParamAuthChunks, chunk.ParamAuthHMACs, chunk.ParamPadding, chunk.ParamAdaptation:
	default:
		if p.Type.Report() {
			o.unknown = append(o.unknown, p.Whole...)
			o.unknown = append(o.unknown, make([]byte, chunk.Pad(len(p.Whole))-len(p.Whole))...)
		}
		return p.Type.Skip()
	}
	return true
}

// extensions are the chunk types that an INIT and INIT ACK of ours list (RFC 5061
// section 4.2.7). What makes a message of interleaved fragments is the engine's
// business: the user gets whole ones (RFC 8260 section 2.2.1).
var extensions = []byte{byte(chunk.TypeForwardTSN), byte(chunk.TypeIData), byte(chunk.TypeIForwardTSN)}

// appendExtensions appends what an INIT or INIT ACK says about extensions, to a
// peer that may know those of RFC 8260.
func (e *Endpoint) appendExtensions(params []byte, may bool) []byte {
	if may && !e.cfg.NoInterleaving {
		params = chunk.AppendParam(params, chunk.ParamExtensions, extensions)
	}
	return chunk.AppendParam(params, chunk.ParamForwardTSN, nil)
}

// takeExtensions reads the list of chunk types that the peer knows.
func (o *offered) takeExtensions(types []byte) {
	for _, t := range types {
		switch chunk.Type(t) {
		case chunk.TypeForwardTSN:
			o.forwardTSN = true
		case chunk.TypeIData:
			o.interleave = true
		case chunk.TypeIForwardTSN:
			o.iForward = true
		default:
			o.foreign = true
		}
	}
}

// takeAddr keeps a listed address that packets may be sent to: not of this
// host unless the peer is on it (SCTP-1-35). The source of the packet is known
// anyway.
func (o *offered) takeAddr(p chunk.Param, from netip.Addr) {
	a, ok := p.Addr()
	if !ok || a == from || !unicast(a) || a.IsLoopback() && !from.IsLoopback() || a.IsLinkLocalUnicast() {
		return
	}
	if len(o.addrs) < maxAddresses && !slices.Contains(o.addrs, a) {
		o.addrs = append(o.addrs, a)
	}
}
