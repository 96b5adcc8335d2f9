package wire

import "github.com/librserpool/librserpool/core/internal/protocol"

// PEIdentifier writes a PE Identifier parameter (RFC 5354 section 3.14).
func (w *Writer) PEIdentifier(id protocol.PEID) {
	mark := w.open(ParamPEIdentifier)
	w.Uint32(uint32(id))
	w.close(mark)
}

// Checksum writes a PE Checksum parameter, of length 6 and padded (RFC 5354
// section 3.15).
func (w *Writer) Checksum(sum uint16) {
	mark := w.open(ParamPEChecksum)
	w.Uint16(sum)
	w.close(mark)
}

// Cookie writes a Cookie parameter (RFC 5354 section 3.13).
func (w *Writer) Cookie(data []byte) {
	mark := w.open(ParamCookie)
	w.bytes(data)
	w.close(mark)
}

// Items writes the handle resolution option, which says how many PEs are
// wanted.
func (w *Writer) Items(n uint32) {
	mark := w.open(ParamItems)
	w.Uint32(n)
	w.close(mark)
}
