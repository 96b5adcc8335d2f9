package sctp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// The State Cookie carries everything that an association is made of, so that
// nothing is kept between INIT ACK and COOKIE ECHO (section 5.1.3; SCTP-2-27,
// SCTP-2-28).
//
//	version, key number, flags, number of addresses   4 bytes
//	created (unix ns), lifetime (ms)                   8 + 4
//	SCTP ports: peer's, own                            2 + 2
//	own and peer's: tag, TSN, window, streams out, in  2 x 16
//	tie tags: own, peer's                              4 + 4
//	source of the INIT: address, UDP port              1 + 4 or 16, 2
//	addresses: length, bytes                           each 1 + 4 or 16
//	HMAC-SHA-256 over all this, cut to 16 bytes        16
type cookie struct {
	created         int64
	life            time.Duration
	peerPort, port  uint16
	own, peer       offer
	ownTag, peerTag uint32
	tieOwn, tiePeer uint32
	from            netip.AddrPort
	addrs           []netip.Addr
}

const (
	cookieVersion  = 1
	cookieMAC      = 16
	cookieFixed    = 4 + 8 + 4 + 4 + 32 + 8
	keyLife        = time.Hour // keys of cookies change (SCTP-6-01)
	flagForwardTSN = 1
	flagForeign    = 2
	flagInterleave = 4
	flagIForward   = 8
)

// cookieKeys are the current and the previous secret of the endpoint.
type cookieKeys struct {
	number  uint8
	keys    [2][sha256.Size]byte // by number modulo 2
	changed time.Time
}

// current returns the key to sign with, which it renews in time.
func (k *cookieKeys) current(now time.Time, r *random) (number uint8, key []byte) {
	if k.changed.IsZero() || now.Sub(k.changed) >= keyLife {
		if k.changed.IsZero() {
			r.bytes(k.keys[1][:]) // no one knows it
		}
		k.number++
		r.bytes(k.keys[k.number%2][:])
		k.changed = now
	}
	return k.number, k.keys[k.number%2][:]
}

// find returns the key of a number, or nil if it is too old or unknown.
func (k *cookieKeys) find(number uint8) []byte {
	if k.changed.IsZero() || number != k.number && number != k.number-1 {
		return nil
	}
	return k.keys[number%2][:]
}

func appendOffer(b []byte, tag uint32, o *offer) []byte {
	b = binary.BigEndian.AppendUint32(b, tag)
	b = binary.BigEndian.AppendUint32(b, o.tsn)
	b = binary.BigEndian.AppendUint32(b, o.window)
	b = binary.BigEndian.AppendUint16(b, o.outStreams)
	return binary.BigEndian.AppendUint16(b, o.inStreams)
}

func readOffer(b []byte) (tag uint32, o offer) {
	o.tsn = binary.BigEndian.Uint32(b[4:])
	o.window = binary.BigEndian.Uint32(b[8:])
	o.outStreams = binary.BigEndian.Uint16(b[12:])
	o.inStreams = binary.BigEndian.Uint16(b[14:])
	return binary.BigEndian.Uint32(b), o
}

// flags are what an offer says yes or no to.
func (o *offer) flags() (flags byte) {
	for _, f := range []struct {
		is   bool
		flag byte
	}{{o.forwardTSN, flagForwardTSN}, {o.foreign, flagForeign}, {o.interleave, flagInterleave}, {o.iForward, flagIForward}} {
		if f.is {
			flags |= f.flag
		}
	}
	return flags
}

func (o *offer) setFlags(flags byte) {
	o.forwardTSN, o.foreign = flags&flagForwardTSN != 0, flags&flagForeign != 0
	o.interleave, o.iForward = flags&flagInterleave != 0, flags&flagIForward != 0
}

func appendAddr(b []byte, a netip.Addr) []byte {
	raw := a.WithZone("").AsSlice()
	b = append(b, byte(len(raw)))
	return append(b, raw...)
}

func readAddr(b []byte) (a netip.Addr, rest []byte, ok bool) {
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return a, nil, false
	}
	a, ok = netip.AddrFromSlice(b[1 : 1+b[0]])
	return a, b[1+b[0]:], ok
}

// seal appends the signed cookie.
func (e *Endpoint) sealCookie(b []byte, now time.Time, c *cookie) []byte {
	number, key := e.keys.current(now, &e.rand)
	start := len(b)
	b = append(b, cookieVersion, number, c.peer.flags(), byte(len(c.addrs)))
	b = binary.BigEndian.AppendUint64(b, uint64(c.created))
	b = binary.BigEndian.AppendUint32(b, uint32(c.life/time.Millisecond))
	b = binary.BigEndian.AppendUint16(b, c.peerPort)
	b = binary.BigEndian.AppendUint16(b, c.port)
	b = appendOffer(b, c.ownTag, &c.own)
	b = appendOffer(b, c.peerTag, &c.peer)
	b = binary.BigEndian.AppendUint32(b, c.tieOwn)
	b = binary.BigEndian.AppendUint32(b, c.tiePeer)
	b = appendAddr(b, c.from.Addr())
	b = binary.BigEndian.AppendUint16(b, c.from.Port())
	for _, a := range c.addrs {
		b = appendAddr(b, a)
	}
	return append(b, cookieSum(key, b[start:])...)
}

func cookieSum(key, b []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)[:cookieMAC]
}

// openCookie verifies the signature before it looks at anything else
// (SCTP-6-02). It does not look at the age.
func (e *Endpoint) openCookie(b []byte) (c cookie, ok bool) {
	if len(b) < cookieFixed+cookieMAC || b[0] != cookieVersion {
		return c, false
	}
	body, sum := b[:len(b)-cookieMAC], b[len(b)-cookieMAC:]
	key := e.keys.find(b[1])
	if key == nil || !hmac.Equal(sum, cookieSum(key, body)) {
		return c, false
	}
	c.created = int64(binary.BigEndian.Uint64(b[4:]))
	c.life = time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Millisecond
	c.peerPort = binary.BigEndian.Uint16(b[16:])
	c.port = binary.BigEndian.Uint16(b[18:])
	c.ownTag, c.own = readOffer(b[20:])
	c.peerTag, c.peer = readOffer(b[36:])
	c.peer.setFlags(b[2])
	c.tieOwn = binary.BigEndian.Uint32(b[52:])
	c.tiePeer = binary.BigEndian.Uint32(b[56:])
	return c, c.readAddrs(body[cookieFixed:], int(b[3]))
}

func (c *cookie) readAddrs(b []byte, n int) bool {
	from, b, ok := readAddr(b)
	if !ok || len(b) < 2 {
		return false
	}
	c.from = netip.AddrPortFrom(from, binary.BigEndian.Uint16(b))
	b = b[2:]
	for range n {
		var a netip.Addr
		if a, b, ok = readAddr(b); !ok {
			return false
		}
		c.addrs = append(c.addrs, a)
	}
	return len(b) == 0
}

// expired says that the cookie is older than its lifetime, or from the future.
func (c *cookie) expired(now time.Time) bool {
	age := now.UnixNano() - c.created
	return age < 0 || age > int64(c.life)
}

// names says that addr is the source of the INIT or was listed in it.
func (c *cookie) names(addr netip.Addr) bool {
	addr = addr.WithZone("")
	if c.from.Addr() == addr {
		return true
	}
	for _, a := range c.addrs {
		if a == addr {
			return true
		}
	}
	return false
}
