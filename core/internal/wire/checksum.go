package wire

import (
	"encoding/binary"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// PEChecksum is the checksum over the PEs of one registrar (RFC 5353 section
// 3.6.2). It keeps the sum of RFC 1071 unfolded, so that Remove undoes Add
// exactly, in any order; folded 16-bit sums cannot come back to "no PEs". The
// zero value is no PEs.
type PEChecksum struct {
	sum uint64
}

// Add adds a PE of a pool. Only handle and identifier count.
func (c *PEChecksum) Add(h protocol.PoolHandle, id protocol.PEID) { c.sum += block(h, id) }

// Remove takes out a PE that was added.
func (c *PEChecksum) Remove(h protocol.PoolHandle, id protocol.PEID) { c.sum -= block(h, id) }

// Sum returns the checksum as the PE Checksum parameter carries it.
func (c *PEChecksum) Sum() uint16 {
	sum := c.sum
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// block sums the 16-bit words of the handle, padded with zeros, and of the
// identifier.
func block(h protocol.PoolHandle, id protocol.PEID) uint64 {
	sum := uint64(id>>16) + uint64(id&0xffff)
	for ; len(h) >= 2; h = h[2:] {
		sum += uint64(binary.BigEndian.Uint16([]byte(h[:2])))
	}
	if len(h) == 1 {
		sum += uint64(h[0]) << 8
	}
	return sum
}
