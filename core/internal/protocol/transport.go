package protocol

import "net/netip"

// TransportProtocol is the kind of a transport parameter; its values are the
// parameter types of RFC 5354 section 3.
type TransportProtocol uint16

// The kinds of transport. The zero value means "no transport given".
const (
	DCCP    TransportProtocol = 0x0003
	SCTP    TransportProtocol = 0x0004
	TCP     TransportProtocol = 0x0005
	UDP     TransportProtocol = 0x0006
	UDPLite TransportProtocol = 0x0007
	Opaque  TransportProtocol = 0x0010
)

func (p TransportProtocol) String() string {
	switch p {
	case DCCP:
		return "DCCP"
	case SCTP:
		return "SCTP"
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case UDPLite:
		return "UDP-Lite"
	case Opaque:
		return "opaque"
	case 0:
		return "none"
	}
	return "unknown"
}

// TransportUse says what an SCTP transport carries (RFC 5354 section 3.4).
type TransportUse uint16

// There are no other values (COM-3.4-02).
const (
	DataOnly       TransportUse = 0x0000
	DataAndControl TransportUse = 0x0001
)

// Transport is one transport parameter: where a PE is served, or where its
// ASAP endpoint or a registrar listens.
type Transport struct {
	Protocol    TransportProtocol
	Port        uint16
	Use         TransportUse // SCTP only
	ServiceCode uint32       // DCCP only
	Addrs       []netip.Addr // SCTP: one or more; Opaque: none; others: exactly one
	Opaque      string       // Opaque only
}

// Enter puts the link-local IPv6 addresses that have no zone on the link of the
// interface zone, in place; an empty zone leaves them as they are.
func (t Transport) Enter(zone string) {
	for i, a := range t.Addrs {
		if zone != "" && a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "" {
			t.Addrs[i] = a.WithZone(zone)
		}
	}
}

// IsZero says that no transport is given.
func (t Transport) IsZero() bool { return t.Protocol == 0 }

// AddrPorts returns the addresses with the port.
func (t Transport) AddrPorts() []netip.AddrPort {
	out := make([]netip.AddrPort, len(t.Addrs))
	for i, a := range t.Addrs {
		out[i] = netip.AddrPortFrom(a, t.Port)
	}
	return out
}
