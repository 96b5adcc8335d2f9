package wire

import (
	"encoding/binary"
	"fmt"
)

// Writer appends one message to a buffer. It keeps the first error and returns
// it in the end, so that what writes a message reads like its drawing.
//
// Padding is written before the next parameter and not after the last, and
// lengths are filled in when their end is known. That alone makes an outer
// length count the padding between inner parameters but not that of the last
// one (COM-2-02, E-04).
type Writer struct {
	b    []byte
	base int // where the message begins
	err  error
}

// Begin starts a message behind b, with all flags 0 (COM-4-01).
func Begin(b []byte, messageType uint8) *Writer {
	return &Writer{b: append(b, messageType, 0, 0, 0), base: len(b)}
}

// Flag sets this bit of the message flags if it is to be set.
func (w *Writer) Flag(bit uint8, set bool) {
	if set {
		w.b[w.base+1] |= bit
	}
}

// Finish ends the message and returns the buffer. On the wire it is a multiple
// of 4 bytes, with zero padding that its length does not count (COM-4-02). If
// something could not be encoded, the buffer is as before Begin.
func (w *Writer) Finish() ([]byte, error) {
	w.close(w.base)
	if w.err != nil {
		return w.b[:w.base], w.err
	}
	w.pad()
	return w.b, nil
}

// Len returns the length of the message so far.
func (w *Writer) Len() int { return len(w.b) - w.base }

// Failf makes Finish fail, with the error that came first.
func (w *Writer) Failf(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// pad writes zeros up to the next multiple of 4 (COM-3-07).
func (w *Writer) pad() {
	n := len(w.b) - w.base
	w.b = append(w.b, make([]byte, pad4(n)-n)...)
}

// open begins a parameter or an error cause.
func (w *Writer) open(t ParamType) (mark int) {
	w.pad()
	mark = len(w.b)
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(t))
	w.b = append(w.b, 0, 0)
	return mark
}

// close fills in the length of what began at mark.
func (w *Writer) close(mark int) {
	n := len(w.b) - mark
	if n > MaxMessage {
		w.Failf("%d bytes are too long for a message, it has at most %d", n, MaxMessage)
		return
	}
	binary.BigEndian.PutUint16(w.b[mark+2:], uint16(n))
}

func (w *Writer) bytes(v []byte) { w.b = append(w.b, v...) }

func (w *Writer) string(v string) { w.b = append(w.b, v...) }

// Uint32 writes a fixed field.
func (w *Writer) Uint32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

// Uint16 writes a fixed field.
func (w *Writer) Uint16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
