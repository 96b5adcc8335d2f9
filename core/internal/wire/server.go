package wire

import (
	"encoding/binary"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// parseServer reads a Server Information: an identifier and one SCTP
// Transport (RFC 5354 section 3.11, COM-3.11-01).
func parseServer(t TLV, report *Report) (protocol.Server, error) {
	v := t.value()
	if len(v) < 4 {
		return protocol.Server{}, Invalidf("length is %d, must be at least 8", len(t.Raw))
	}
	s := protocol.Server{ID: protocol.ServerID(binary.BigEndian.Uint32(v))}
	err := Walk(v[4:], report, func(t TLV) (err error) {
		if t.Type != ParamSCTPTransport {
			return nil // what is known but not expected is ignored (COM-3-11)
		}
		if !s.Transport.IsZero() {
			return Invalidf("is there twice")
		}
		s.Transport, err = parseTransport(t, report)
		return err
	})
	if err == nil && s.Transport.IsZero() {
		err = Invalidf("the %v is missing", ParamSCTPTransport)
	}
	return s, err
}

// Server writes a Server Information parameter.
func (w *Writer) Server(s protocol.Server) {
	if s.Transport.Protocol != protocol.SCTP {
		w.Failf("the transport of registrar %v is %v, only SCTP is possible", s.ID, s.Transport.Protocol)
		return
	}
	mark := w.open(ParamServerInformation)
	w.Uint32(uint32(s.ID))
	w.Transport(s.Transport)
	w.close(mark)
}
