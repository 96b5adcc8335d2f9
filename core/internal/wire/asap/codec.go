package asap

import (
	"errors"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Parse decodes one received message; the result has no part of b in it.
//
// report holds the causes that the sender must be told in an ASAP_ERROR,
// whether there is a message or not; for a received ASAP_ERROR it is always
// empty (ASAP-2.2.14-02). err is a *wire.Error; m is nil then and the message
// must be dropped. An invalid request that has an answer of its own is refused
// with that answer: the error's Type, Handle, ID and Cause are made for it.
func Parse(b []byte) (m Message, report []protocol.Cause, err error) {
	h, err := wire.ParseHeader(b)
	if err != nil {
		return nil, nil, err
	}
	var r wire.Report
	if int(h.Type) < len(parsers) && parsers[h.Type] != nil {
		m, err = parsers[h.Type](h, &r)
	} else {
		err = wire.Unrecognized(h.Type, b, &r)
	}
	if Type(h.Type) == TypeError {
		r.Causes = nil
	}
	if err == nil {
		return m, r.Causes, nil
	}
	var e *wire.Error
	if errors.As(err, &e) {
		e.Type, e.Message = h.Type, Type(h.Type).String()
	}
	return nil, r.Causes, err
}

var parsers = [...]func(wire.Header, *wire.Report) (Message, error){
	TypeRegistration:             parseRegistration,
	TypeDeregistration:           parseDeregistration,
	TypeRegistrationResponse:     parseRegistrationResponse,
	TypeDeregistrationResponse:   parseDeregistrationResponse,
	TypeHandleResolution:         parseHandleResolution,
	TypeHandleResolutionResponse: parseHandleResolutionResponse,
	TypeEndpointKeepAlive:        parseEndpointKeepAlive,
	TypeEndpointKeepAliveAck:     parseEndpointKeepAliveAck,
	TypeEndpointUnreachable:      parseEndpointUnreachable,
	TypeServerAnnounce:           parseServerAnnounce,
	TypeCookie:                   parseCookie,
	TypeCookieEcho:               parseCookieEcho,
	TypeBusinessCard:             parseBusinessCard,
	TypeError:                    parseError,
}

// Append encodes a message behind b. It fails only for what cannot be encoded:
// more than 65,535 bytes, an empty pool handle, a transport with no or too
// many addresses, an impossible policy type, an element without one of these,
// an error without cause. b is returned unchanged then.
func Append(b []byte, m Message) ([]byte, error) {
	w := wire.Begin(b, uint8(m.Type()))
	m.write(w)
	return w.Finish()
}

// peLayout is that of messages about one PE, responseLayout that of responses
// about one.
var (
	peLayout       = wire.Layout{Need: wire.SetOf(wire.ParamPoolHandle, wire.ParamPEIdentifier)}
	responseLayout = wire.Layout{Need: peLayout.Need, Many: wire.SetOf(wire.ParamOperationError)}
)
