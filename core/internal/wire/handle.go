package wire

import "github.com/librserpool/librserpool/core/internal/protocol"

// ParseHandle reads a pool handle: any bytes (COM-3.9-01), but not none
// (COM-3.9-02).
func ParseHandle(t TLV) (protocol.PoolHandle, error) {
	if len(t.value()) == 0 {
		return "", Invalidf("is empty")
	}
	return protocol.PoolHandle(t.value()), nil
}

// Handle writes a Pool Handle parameter.
func (w *Writer) Handle(h protocol.PoolHandle) {
	if h == "" {
		w.Failf("the pool handle is empty")
		return
	}
	mark := w.open(ParamPoolHandle)
	w.string(string(h))
	w.close(mark)
}
