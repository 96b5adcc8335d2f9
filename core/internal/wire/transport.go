package wire

import (
	"encoding/binary"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// parseTransport reads a transport parameter of any kind (RFC 5354 section
// 3.3 to 3.7, 3.16).
func parseTransport(t TLV, report *Report) (protocol.Transport, error) {
	tr := protocol.Transport{Protocol: protocol.TransportProtocol(t.Type)}
	if t.Type == ParamOpaqueTransport {
		tr.Opaque = string(t.value())
		return tr, nil
	}
	v := t.value()
	fixed := 4
	if t.Type == ParamDCCPTransport {
		fixed = 8
	}
	if len(v) < fixed {
		return tr, Invalidf("length is %d, even without an address it is %d", len(t.Raw), headerSize+fixed)
	}
	tr.Port = binary.BigEndian.Uint16(v)
	switch t.Type {
	case ParamSCTPTransport:
		tr.Use = protocol.TransportUse(binary.BigEndian.Uint16(v[2:]))
	case ParamDCCPTransport:
		tr.ServiceCode = binary.BigEndian.Uint32(v[4:])
	}
	var err error
	if tr.Addrs, err = parseAddresses(v[fixed:], report); err != nil {
		return tr, err
	}
	return tr, checkTransport(tr)
}

// checkTransport holds for transports received and to be sent.
func checkTransport(t protocol.Transport) error {
	switch t.Protocol {
	case protocol.Opaque:
		return nil
	case protocol.SCTP:
		if len(t.Addrs) == 0 {
			return Invalidf("has no address, needs at least one") // a transport has an address (COM-3.4-01)
		}
		if t.Use > protocol.DataAndControl {
			return Invalidf("Transport Use is %#04x, only 0 (data) and 1 (data plus control) exist", uint16(t.Use)) // other uses make no sense (COM-3.4-02)
		}
	case protocol.DCCP, protocol.TCP, protocol.UDP, protocol.UDPLite:
		if len(t.Addrs) != 1 {
			return Invalidf("has %d addresses, must have exactly one", len(t.Addrs)) // COM-3.3-01, COM-3.5-01
		}
	default:
		return Invalidf("%#04x is not a kind of transport", uint16(t.Protocol))
	}
	return nil
}

// Transport writes a transport parameter.
func (w *Writer) Transport(t protocol.Transport) {
	if err := checkTransport(t); err != nil {
		w.Failf("%v transport: %v", t.Protocol, err)
		return
	}
	if len(t.Addrs) > MaxAddresses {
		w.Failf("%v transport: %d addresses are more than %d", t.Protocol, len(t.Addrs), MaxAddresses)
		return
	}
	mark := w.open(ParamType(t.Protocol))
	defer w.close(mark)
	if t.Protocol == protocol.Opaque {
		w.string(t.Opaque)
		return
	}
	w.Uint16(t.Port)
	if t.Protocol == protocol.SCTP {
		w.Uint16(uint16(t.Use))
	} else {
		w.Uint16(0) // reserved (COM-3.5-01)
	}
	if t.Protocol == protocol.DCCP {
		w.Uint32(t.ServiceCode)
	}
	for _, a := range t.Addrs {
		w.address(a)
	}
}
