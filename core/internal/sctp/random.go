package sctp

import (
	"encoding/binary"
	"io"
)

// random draws numbers from the configured source, several at a time.
type random struct {
	src  io.Reader
	buf  [256]byte
	left []byte
}

func (r *random) bytes(b []byte) {
	if _, err := io.ReadFull(r.src, b); err != nil {
		panic("sctp: the source of randomness failed: " + err.Error())
	}
}

func (r *random) uint32() uint32 {
	if len(r.left) < 4 {
		r.bytes(r.buf[:])
		r.left = r.buf[:]
	}
	v := binary.BigEndian.Uint32(r.left)
	r.left = r.left[4:]
	return v
}

// nonZero is for verification and tie tags, where zero means none.
func (r *random) nonZero() uint32 {
	for {
		if v := r.uint32(); v != 0 {
			return v
		}
	}
}

func (r *random) uint64() uint64 { return uint64(r.uint32())<<32 | uint64(r.uint32()) }
