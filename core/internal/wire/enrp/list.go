package enrp

import "github.com/librserpool/librserpool/core/internal/protocol"

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
