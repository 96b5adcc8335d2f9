package enrp

import (
	"encoding/binary"
	"errors"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Parse decodes one received message; the result has no part of b in it.
//
// report holds the causes that the sender must be told in an ENRP_ERROR,
// whether there is a message or not; for a received ENRP_ERROR it is always
// empty. err is a *wire.Error; m is nil then and the message must be dropped,
// but its Sender still shows who lives.
func Parse(b []byte) (m Message, report []protocol.Cause, err error) {
	h, err := wire.ParseHeader(b)
	if err != nil {
		return nil, nil, err
	}
	var r wire.Report
	m, err = parse(h, b, &r)
	if Type(h.Type) == TypeError {
		r.Causes = nil
	}
	if err == nil {
		return m, r.Causes, nil
	}
	var e *wire.Error
	if errors.As(err, &e) {
		e.Type, e.Message = h.Type, Type(h.Type).String()
		if ids, _, err := h.Fixed(8); err == nil {
			e.Sender = route(ids).Sender
		}
	}
	return nil, r.Causes, err
}

func parse(h wire.Header, b []byte, r *wire.Report) (Message, error) {
	if int(h.Type) >= len(parsers) || parsers[h.Type].parse == nil {
		return nil, wire.Unrecognized(h.Type, b, r)
	}
	p := parsers[h.Type]
	fields, params, err := h.Fixed(8 + p.fixed)
	if err != nil {
		return nil, err
	}
	return p.parse(received{h, route(fields), fields[8:], params, r})
}

// received is a message taken apart as far as all have the same shape.
type received struct {
	wire.Header
	Route
	fixed  []byte // the fixed fields that only this message has
	params []byte
	report *wire.Report
}

var parsers = [...]struct {
	parse func(received) (Message, error)
	fixed int // size of the fields after the route
}{
	TypePresence:            {parsePresence, 0},
	TypeHandleTableRequest:  {parseHandleTableRequest, 0},
	TypeHandleTableResponse: {parseHandleTableResponse, 0},
	TypeHandleUpdate:        {parseHandleUpdate, 4},
	TypeListRequest:         {parseListRequest, 0},
	TypeListResponse:        {parseListResponse, 0},
	TypeInitTakeover:        {parseInitTakeover, 4},
	TypeInitTakeoverAck:     {parseInitTakeoverAck, 4},
	TypeTakeoverServer:      {parseTakeoverServer, 4},
	TypeError:               {parseError, 0},
}

// Append encodes a message behind b. It fails only for what cannot be encoded:
// more than 65,535 bytes, an empty pool handle, a pool entry without elements,
// a transport that is impossible where it stands, an impossible policy type,
// an error without cause. b is returned unchanged then.
func Append(b []byte, m Message) ([]byte, error) {
	w := wire.Begin(b, uint8(m.Type()))
	ids := m.IDs()
	w.Uint32(uint32(ids.Sender))
	w.Uint32(uint32(ids.Receiver))
	m.write(w)
	return w.Finish()
}

func route(fields []byte) Route {
	return Route{Sender: serverID(fields), Receiver: serverID(fields[4:])}
}

func serverID(field []byte) protocol.ServerID {
	return protocol.ServerID(binary.BigEndian.Uint32(field))
}

// nothing is the layout of messages that have no parameters. They are looked
// through all the same, for unknown ones.
var nothing wire.Layout
