// Package capture writes packets of SCTP over UDP (RFC 6951) to pcap files, and
// has tshark look at them.
package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"sync"
	"time"
)

// File is a pcap file that is being written, by any number of goroutines.
type File struct {
	mu  sync.Mutex
	f   *os.File // nil after Close
	w   *bufio.Writer
	err error
}

const linkTypeRaw = 101 // the packets begin with an IP header of either version

// Create starts a file.
func Create(name string) (*File, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	c := &File{f: f, w: bufio.NewWriter(f)}
	head := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 0}
	c.w.Write(binary.LittleEndian.AppendUint32(head, linkTypeRaw))
	return c, nil
}

// Packet adds the payload of a UDP datagram, with the headers that it had on
// its way. After Close it does nothing.
func (c *File) Packet(from, to netip.AddrPort, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.f == nil {
		return
	}
	head := headers(from, to, len(payload))
	now, size := time.Now(), uint32(len(head)+len(payload))
	var record []byte
	for _, v := range []uint32{uint32(now.Unix()), uint32(now.Nanosecond() / 1000), size, size} {
		record = binary.LittleEndian.AppendUint32(record, v)
	}
	for _, b := range [][]byte{record, head, payload} {
		if _, err := c.w.Write(b); err != nil {
			c.err = err
		}
	}
}

// headers makes those of IP and UDP. Checksums are 0: nobody looks at them.
func headers(from, to netip.AddrPort, payload int) (b []byte) {
	const udp = 17
	src, dst := from.Addr().Unmap(), to.Addr().Unmap()
	if src.Is4() {
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(28+payload))
		b = append(b, 0, 0, 0, 0, 64, udp, 0, 0)
	} else {
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(8+payload))
		b = append(b, udp, 64)
	}
	b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
	for _, v := range []uint16{from.Port(), to.Port(), uint16(8 + payload), 0} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

// Close ends the file. It can be called twice.
func (c *File) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.f == nil {
		return nil
	}
	err := errors.Join(c.err, c.w.Flush(), c.f.Close())
	c.f = nil
	return err
}
