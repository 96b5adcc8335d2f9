// Package wire encodes and decodes what ASAP and ENRP messages are made of
// (RFC 5354, RFC 5356): header, parameters, error causes, and the rules for
// unknown ones. The messages themselves are in wire/asap and wire/enrp.
//
// Decoding copies what it returns and allocates in proportion to its input.
// We send exactly what the RFC says and tolerate on receipt what is known to
// be out there (COM-3-08, COM-3-10 to COM-3-12).
package wire

// MaxMessage is the length of the longest message and the longest parameter,
// in bytes: their length fields have 16 bits.
const MaxMessage = 0xffff

// MaxAddresses is how many addresses one transport may have, sent or received.
// Nobody has more, and whoever connects to them tries them all.
const MaxAddresses = 128

// headerSize is the size of a message header and of a parameter header.
const headerSize = 4

// pad4 rounds up to the multiple of 4 that everything is padded to.
func pad4(n int) int { return (n + 3) &^ 3 }
