package registrar

import "github.com/librserpool/librserpool/core/internal/protocol"

// maxMessage is the largest value of the 16-bit Message Length.
const maxMessage = 0xffff

// elementSize is not less, and hardly more, than the bytes the Pool Element
// parameter takes.
func elementSize(e protocol.Element) int {
	return 16 + transportSize(e.User) + 16 + len(e.Policy.Private) + 3 + transportSize(e.ASAP)
}

func transportSize(t protocol.Transport) int {
	size := 8 + len(t.Opaque)
	if t.Protocol == protocol.DCCP {
		size += 4
	}
	for _, a := range t.Addrs {
		size += 4 + a.BitLen()/8
	}
	return size
}
