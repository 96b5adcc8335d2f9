package sctp_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// parseStrict reads an emitted packet and refuses everything that a sender
// must not do: the wire half of SCTP-7-07.
func parseStrict(b []byte) (wirePacket, error) {
	p, err := parseChunks(b)
	if err != nil {
		return p, err
	}
	for _, c := range p.chunks {
		if err := checkChunk(c); err != nil {
			return p, fmt.Errorf("%s: %w", chunkName(c.typ), err)
		}
	}
	return p, checkBundle(p)
}

func parseChunks(b []byte) (wirePacket, error) {
	p := wirePacket{raw: b}
	if len(b) < 16 || len(b)%4 != 0 {
		return p, fmt.Errorf("packet of %d bytes", len(b))
	}
	zeroed := append([]byte(nil), b...)
	copy(zeroed[8:12], []byte{0, 0, 0, 0})
	if crc32.Checksum(zeroed, castagnoli) != binary.LittleEndian.Uint32(b[8:]) {
		return p, errors.New("wrong checksum")
	}
	p.src, p.dst, p.vt = be16(b), be16(b[2:]), be32(b[4:])
	if p.src == 0 || p.dst == 0 {
		return p, errors.New("port 0")
	}
	for b = b[12:]; len(b) > 0; {
		n := int(be16(b[2:]))
		if n < 4 || n > len(b) {
			return p, fmt.Errorf("%s of length %d in %d bytes", chunkName(b[0]), n, len(b))
		}
		p.chunks = append(p.chunks, wireChunk{b[0], b[1], b[4:n:n]})
		end := (n + 3) &^ 3
		for _, z := range b[n:end] {
			if z != 0 {
				return p, errors.New("chunk padding is not zero")
			}
		}
		b = b[end:]
	}
	return p, nil
}

func checkChunk(c wireChunk) error {
	if allowed := map[byte]byte{ctData: 0x0f, ctIData: 0x0f, ctAbort: 1, ctShutdownComplete: 1}[c.typ]; c.flags&^allowed != 0 {
		return fmt.Errorf("flags %#x", c.flags)
	}
	n := len(c.value)
	want := func(ok bool) error {
		if !ok {
			return fmt.Errorf("impossible length %d", n+4)
		}
		return nil
	}
	switch c.typ {
	case ctData:
		return want(n > 12)
	case ctIData:
		if n > 16 && be16(c.value[6:]) != 0 {
			return errors.New("reserved field is not zero")
		}
		return want(n > 16)
	case ctInit, ctInitAck:
		if n < 16 {
			return want(false)
		}
		return checkInit(c)
	case ctSack:
		return checkSack(c)
	case ctHeartbeat:
		list, err := walkTLVs(c.value)
		if err == nil && (len(list) != 1 || list[0].typ != 1 || len(list[0].value) < 8) {
			return errors.New("needs exactly one non-empty Heartbeat Info (SCTP-3-110)")
		}
		return err
	case ctAbort, ctError:
		list, err := walkTLVs(c.value)
		if err == nil && c.typ == ctError && len(list) == 0 {
			return errors.New("no cause")
		}
		return err
	case ctShutdown:
		return want(n == 4)
	case ctShutdownAck, ctCookieAck, ctShutdownComplete:
		return want(n == 0)
	case ctCookieEcho:
		return want(n > 0)
	case ctForwardTSN:
		return want(n >= 4 && n%4 == 0)
	case ctIForwardTSN:
		return want(n >= 4 && n%8 == 4)
	case ctHeartbeatAck, ctPad:
		return nil
	}
	return errors.New("a type that this engine never sends")
}

func checkInit(c wireChunk) error {
	b := parseInit(c.value)
	if b.tag == 0 || b.rwnd < 1500 || b.os == 0 || b.mis == 0 {
		return fmt.Errorf("bad fields %+v", b)
	}
	list, err := walkTLVs(b.params)
	if err != nil {
		return err
	}
	if _, ok := findTLV(list, 7); ok != (c.typ == ctInitAck) {
		return fmt.Errorf("State Cookie present: %v", ok)
	}
	return nil
}

func checkSack(c wireChunk) error {
	if len(c.value) < 12 || len(c.value) != 12+4*int(be16(c.value[8:]))+4*int(be16(c.value[10:])) {
		return errors.New("length does not match its counts")
	}
	s := parseSack(c)
	last := 0 // a first block never starts at 1 (SCTP-3-33)
	for i := 0; i < len(s.blocks); i += 2 {
		start, end := int(s.blocks[i]), int(s.blocks[i+1])
		if start <= last+1 || end < start {
			return fmt.Errorf("blocks %v are not ascending and isolated", s.blocks)
		}
		last = end
	}
	return nil
}

// checkBundle holds the rules of section 6.10 (SCTP-1-16, 1-17).
func checkBundle(p wirePacket) error {
	count := map[byte]int{}
	var lastTSN uint32
	for i, c := range p.chunks {
		if !isData(c.typ) {
			count[c.typ]++
		}
		switch c.typ {
		case ctInit, ctInitAck, ctShutdownComplete:
			if len(p.chunks) != 1 {
				return fmt.Errorf("%s is bundled", chunkName(c.typ))
			}
		case ctCookieEcho, ctCookieAck:
			if i != 0 {
				return fmt.Errorf("%s is not first", chunkName(c.typ))
			}
		case ctAbort:
			if i != len(p.chunks)-1 {
				return errors.New("chunks behind ABORT")
			}
		case ctData, ctIData:
			d := parseData(c)
			if c.typ = ctData; count[ctData] > 0 && !serialLess(lastTSN, d.tsn) {
				return errors.New("TSNs do not rise within the packet")
			}
			lastTSN = d.tsn
			count[ctData]++
		}
		if c.typ != ctData && count[ctData] > 0 {
			return fmt.Errorf("%s behind DATA", chunkName(c.typ))
		}
	}
	if count[ctData] > 0 && count[ctAbort]+count[ctShutdown]+count[ctShutdownAck] > 0 {
		return errors.New("DATA with ABORT, SHUTDOWN or SHUTDOWN ACK")
	}
	if count[ctSack] > 1 || count[ctHeartbeat] > 1 {
		return errors.New("two SACKs or HEARTBEATs")
	}
	if (p.vt == 0) != (count[ctInit] == 1) {
		return fmt.Errorf("verification tag %08x", p.vt)
	}
	return nil
}
