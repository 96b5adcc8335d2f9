package sctp_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// This file is a second, independent reading of RFC 9260 section 3: the
// simulator and the scripts build and judge packets with it, never with the
// engine's own codec.

// Chunk types.
const (
	ctData             = 0
	ctInit             = 1
	ctInitAck          = 2
	ctSack             = 3
	ctHeartbeat        = 4
	ctHeartbeatAck     = 5
	ctAbort            = 6
	ctShutdown         = 7
	ctShutdownAck      = 8
	ctError            = 9
	ctCookieEcho       = 10
	ctCookieAck        = 11
	ctShutdownComplete = 14
	ctAuth             = 15
	ctPad              = 0x84
	ctForwardTSN       = 0xc0
	ctIData            = 0x40
	ctIForwardTSN      = 0xc2
)

// DATA flags.
const (
	fE = 1
	fB = 2
	fU = 4
	fI = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type wireChunk struct {
	typ, flags byte
	value      []byte // after the four bytes of header, without padding
}

type wirePacket struct {
	src, dst uint16
	vt       uint32
	chunks   []wireChunk
	raw      []byte
}

// seal computes the checksum of a packet in place (App. A).
func seal(p []byte) []byte {
	copy(p[8:12], []byte{0, 0, 0, 0})
	binary.LittleEndian.PutUint32(p[8:], crc32.Checksum(p, castagnoli))
	return p
}

// buildPacket joins ready chunks behind a common header.
func buildPacket(src, dst uint16, vt uint32, chunks ...[]byte) []byte {
	p := make([]byte, 12, 64)
	binary.BigEndian.PutUint16(p, src)
	binary.BigEndian.PutUint16(p[2:], dst)
	binary.BigEndian.PutUint32(p[4:], vt)
	for _, c := range chunks {
		p = append(p, c...)
	}
	return seal(p)
}

// tlv32 builds a chunk: type, flags, length, value and zero padding.
func tlv32(typ, flags byte, value []byte) []byte {
	c := []byte{typ, flags, 0, 0}
	binary.BigEndian.PutUint16(c[2:], uint16(4+len(value)))
	return pad4(append(c, value...))
}

// tlv16 builds a parameter or cause; padded, for use between others.
func tlv16(typ uint16, value []byte) []byte {
	p := make([]byte, 4)
	binary.BigEndian.PutUint16(p, typ)
	binary.BigEndian.PutUint16(p[2:], uint16(4+len(value)))
	return pad4(append(p, value...))
}

func pad4(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func u16(v ...uint16) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func u32(v ...uint32) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	return b
}

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// initBody is the common part of INIT and INIT ACK with parameters behind it.
type initBody struct {
	tag, rwnd uint32
	os, mis   uint16
	tsn       uint32
	params    []byte
}

func (b initBody) bytes() []byte {
	return cat(u32(b.tag, b.rwnd), u16(b.os, b.mis), u32(b.tsn), b.params)
}

func initChunk(b initBody) []byte    { return tlv32(ctInit, 0, b.bytes()) }
func initAckChunk(b initBody) []byte { return tlv32(ctInitAck, 0, b.bytes()) }

func parseInit(v []byte) initBody {
	return initBody{
		tag: be32(v), rwnd: be32(v[4:]), os: be16(v[8:]), mis: be16(v[10:]), tsn: be32(v[12:]), params: v[16:],
	}
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// dataChunk builds DATA from its fields.
func dataChunk(flags byte, tsn uint32, sid, ssn uint16, ppid uint32, user string) []byte {
	return tlv32(ctData, flags, cat(u32(tsn), u16(sid, ssn), u32(ppid), []byte(user)))
}

// iDataChunk builds I-DATA; last is the PPID in a first fragment, else the FSN.
func iDataChunk(flags byte, tsn uint32, sid uint16, mid, last uint32, user string) []byte {
	return tlv32(ctIData, flags, cat(u32(tsn), u16(sid, 0), u32(mid, last), []byte(user)))
}

type wireData struct {
	flags    byte
	tsn      uint32
	sid, ssn uint16
	ppid     uint32
	user     []byte
	mid, fsn uint32 // I-DATA
}

func parseData(c wireChunk) wireData {
	v := c.value
	if c.typ == ctIData {
		d := wireData{flags: c.flags, tsn: be32(v), sid: be16(v[4:]), mid: be32(v[8:]), user: v[16:]}
		if d.flags&fB != 0 {
			d.ppid = be32(v[12:])
		} else {
			d.fsn = be32(v[12:])
		}
		return d
	}
	return wireData{c.flags, be32(v), be16(v[4:]), be16(v[6:]), be32(v[8:]), v[12:], 0, 0}
}

// sackChunk builds SACK; blocks are pairs of offsets.
func sackChunk(cta, rwnd uint32, blocks []uint16, dups ...uint32) []byte {
	return tlv32(ctSack, 0, cat(u32(cta, rwnd), u16(uint16(len(blocks)/2), uint16(len(dups))), u16(blocks...), u32(dups...)))
}

type wireSack struct {
	cta, rwnd uint32
	blocks    []uint16
	dups      []uint32
}

func parseSack(c wireChunk) wireSack {
	v := c.value
	s := wireSack{cta: be32(v), rwnd: be32(v[4:])}
	n, m := int(be16(v[8:])), int(be16(v[10:]))
	v = v[12:]
	for range 2 * n {
		s.blocks = append(s.blocks, be16(v))
		v = v[2:]
	}
	for range m {
		s.dups = append(s.dups, be32(v))
		v = v[4:]
	}
	return s
}

type wireTLV struct {
	typ   uint16
	value []byte
}

// walkTLVs reads parameters or causes strictly: rounded walk, zero padding,
// the padding of the last one is outside (SCTP-1-11).
func walkTLVs(b []byte) (list []wireTLV, err error) {
	for len(b) > 0 {
		if len(b) < 4 {
			return list, errors.New("parameter tail of fewer than 4 bytes")
		}
		n := int(be16(b[2:]))
		if n < 4 || n > len(b) {
			return list, fmt.Errorf("parameter %#x has length %d of %d", be16(b), n, len(b))
		}
		list = append(list, wireTLV{be16(b), b[4:n]})
		end := min((n+3)&^3, len(b))
		for _, z := range b[n:end] {
			if z != 0 {
				return list, errors.New("parameter padding is not zero")
			}
		}
		b = b[end:]
	}
	return list, nil
}

func findTLV(list []wireTLV, typ uint16) ([]byte, bool) {
	for _, p := range list {
		if p.typ == typ {
			return p.value, true
		}
	}
	return nil, false
}

// chunk returns the first chunk of a type.
func (p wirePacket) chunk(typ byte) (wireChunk, bool) {
	for _, c := range p.chunks {
		if c.typ == typ {
			return c, true
		}
	}
	return wireChunk{}, false
}

func (p wirePacket) has(typ byte) bool { _, ok := p.chunk(typ); return ok }

func isData(typ byte) bool { return typ == ctData || typ == ctIData }

// types lists the chunk types, DATA runs folded into one.
func (p wirePacket) types() (t []byte) {
	for _, c := range p.chunks {
		if isData(c.typ) && len(t) > 0 && t[len(t)-1] == c.typ {
			continue
		}
		t = append(t, c.typ)
	}
	return t
}

func (p wirePacket) datas() (d []wireData) {
	for _, c := range p.chunks {
		if isData(c.typ) {
			d = append(d, parseData(c))
		}
	}
	return d
}

func (p wirePacket) String() string {
	s := fmt.Sprintf("vt=%08x", p.vt)
	for _, c := range p.chunks {
		switch c.typ {
		case ctData:
			d := parseData(c)
			s += fmt.Sprintf(" DATA(%d sid %d ssn %d ppid %d len %d flags %x)", d.tsn, d.sid, d.ssn, d.ppid, len(d.user), d.flags)
		case ctIData:
			d := parseData(c)
			s += fmt.Sprintf(" I-DATA(%d sid %d mid %d fsn %d ppid %d len %d flags %x)", d.tsn, d.sid, d.mid, d.fsn, d.ppid, len(d.user), d.flags)
		case ctSack:
			k := parseSack(c)
			s += fmt.Sprintf(" SACK(%d rwnd %d %v dup %v)", k.cta, k.rwnd, k.blocks, k.dups)
		case ctInit, ctInitAck:
			i := parseInit(c.value)
			s += fmt.Sprintf(" %s(tag %08x rwnd %d os %d mis %d tsn %d)", chunkName(c.typ), i.tag, i.rwnd, i.os, i.mis, i.tsn)
		case ctAbort, ctError:
			s += fmt.Sprintf(" %s(T=%d % x)", chunkName(c.typ), c.flags, c.value)
		default:
			s += fmt.Sprintf(" %s(%d)", chunkName(c.typ), len(c.value))
		}
	}
	return s
}

func chunkName(t byte) string {
	names := map[byte]string{
		ctData: "DATA", ctInit: "INIT", ctInitAck: "INIT-ACK", ctSack: "SACK", ctHeartbeat: "HEARTBEAT",
		ctHeartbeatAck: "HEARTBEAT-ACK", ctAbort: "ABORT", ctShutdown: "SHUTDOWN", ctShutdownAck: "SHUTDOWN-ACK",
		ctError: "ERROR", ctCookieEcho: "COOKIE-ECHO", ctCookieAck: "COOKIE-ACK",
		ctShutdownComplete: "SHUTDOWN-COMPLETE", ctPad: "PAD", ctForwardTSN: "FORWARD-TSN",
		ctIData: "I-DATA", ctIForwardTSN: "I-FORWARD-TSN",
	}
	if n, ok := names[t]; ok {
		return n
	}
	return fmt.Sprintf("type-%#x", t)
}

// serialLess is a < b in the arithmetic of RFC 1982.
func serialLess(a, b uint32) bool { return int32(a-b) < 0 }
