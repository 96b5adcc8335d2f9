package wire

import (
	"bytes"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// maxReported limits the causes that one message can provoke, so that nobody
// makes us send back much more than we got.
const maxReported = 64

// reportSpace is what an ERROR message has for causes after its header, the
// two server identifiers of ENRP and the header of the Operation Error.
const reportSpace = MaxMessage - headerSize - 8 - headerSize

// Report collects the causes that the sender of a message must be told in an
// ERROR message because the action bits of something unknown say so. Together
// they fit into one. The zero value is empty.
type Report struct {
	Causes []protocol.Cause
	size   int // encoded, with padding
}

// unrecognizedParameter reports t with its complete TLV (COM-3.12-02).
func (r *Report) unrecognizedParameter(t TLV) { r.add(protocol.CauseUnrecognizedParameter, t.Raw) }

// unrecognizedMessage reports a message, cut off where the ERROR message would
// become too long (COM-3.12-03).
func (r *Report) unrecognizedMessage(b []byte) { r.add(protocol.CauseUnrecognizedMessage, b) }

func (r *Report) add(code protocol.CauseCode, info []byte) {
	space := reportSpace - r.size - headerSize
	if len(r.Causes) == maxReported || space <= 0 {
		return
	}
	info = bytes.Clone(info[:min(len(info), space)])
	r.Causes = append(r.Causes, protocol.Cause{Code: code, Info: info})
	r.size += headerSize + pad4(len(info))
}
