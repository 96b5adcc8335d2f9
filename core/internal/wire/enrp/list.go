package enrp

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// ListRequest asks for the registrars the receiver knows (RFC 5353 section
// 2.5).
type ListRequest struct {
	Route
}

// ListResponse answers a ListRequest (RFC 5353 section 2.6).
type ListResponse struct {
	Route
	Rejected bool // R; then there are no servers (ENRP-2.6-01)
	Servers  []protocol.Server
}

// Type returns TypeListRequest.
func (ListRequest) Type() Type { return TypeListRequest }

// Type returns TypeListResponse.
func (ListResponse) Type() Type { return TypeListResponse }

func (m ListRequest) String() string { return m.routed(m.Type()) }

func (m ListResponse) String() string {
	s := m.routed(m.Type()) + flag(m.Rejected, "rejected")
	for _, server := range m.Servers {
		s += ", " + server.String()
	}
	return s
}

const flagListRejected = 0x01

var listLayout = wire.Layout{Many: wire.SetOf(wire.ParamServerInformation)}

func parseListRequest(in received) (Message, error) {
	if _, err := nothing.Parse(in.params, in.report); err != nil {
		return nil, err
	}
	return ListRequest{in.Route}, nil
}

func (m ListRequest) write(*wire.Writer) {}

func parseListResponse(in received) (Message, error) {
	p, err := listLayout.Parse(in.params, in.report)
	if err != nil {
		return nil, err
	}
	return ListResponse{Route: in.Route, Rejected: in.Flag(flagListRejected), Servers: p.Servers}, nil
}

func (m ListResponse) write(w *wire.Writer) {
	w.Flag(flagListRejected, m.Rejected)
	for _, s := range m.Servers {
		w.Server(s)
	}
}
