package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Flags of struct sctp_paddrparams.
const (
	heartbeatEnable  = 1 << 0
	heartbeatDisable = 1 << 1
	mtuProbed        = 1 << 3
	mtuFixed         = 1 << 4
	dscpSet          = 1 << 9

	pathParamsSize = 156
)

func milliseconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return uint32(max(d.Milliseconds(), 1))
}

// short returns a number for a field of 16 bits.
func short(n int) uint16 { return uint16(min(max(n, 0), 0xffff)) }

// setParams sets the non-zero fields of p for one association, or for those
// that start later if id is 0. Values beyond what an option takes become the
// nearest one that it does, as with userland SCTP.
func setParams(fd uintptr, id assoc.ID, p assoc.Params) error {
	type setting struct {
		wanted bool
		what   string
		set    func() error
	}
	option := func(name int, value []byte) func() error {
		return func() error { return setOption(fd, name, value) }
	}
	settings := []setting{
		{p.RTOInitial|p.RTOMin|p.RTOMax != 0, "RTO", func() error { return setRTO(fd, id, p) }},
		{p.HeartbeatInterval != 0 || p.PathMaxRetrans != 0 || p.MTU != 0 || p.DSCP != 0, "path limits",
			option(sctp.SCTP_PEER_ADDR_PARAMS, pathParams(id, p))},
		{p.AssocMaxRetrans != 0 || p.CookieLife != 0, "association limits", func() error { return setLimits(fd, id, p) }},
		{p.SackDelay != 0 || p.SackPackets != 0, "delayed SACK", option(sctp.SCTP_DELAYED_SACK, delayedSack(id, p))},
		{p.MaxBurst != 0, "Max.Burst", option(optMaxBurst, words(uint32(id), uint32(max(p.MaxBurst, 1))))},
		{p.EncapPort != 0, "UDP encapsulation port (Linux 5.11 or newer)", option(optUDPEncapsPort, encapsulation(id, p.EncapPort))},
		{id == 0 && (p.OutStreams|p.InStreams != 0 || p.MaxInitRetransmits != 0 || p.RTOMax != 0), "INIT",
			option(sctp.SCTP_INITMSG, initMsg(p))},
	}
	for _, s := range settings {
		if !s.wanted {
			continue
		}
		if err := s.set(); err != nil {
			return fmt.Errorf("set %s: %w", s.what, err)
		}
	}
	if id == 0 {
		setBuffer(fd, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, p.SendBuffer, leastSend)
		setBuffer(fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, p.ReceiveBuffer, leastReceive)
	} else if p.Primary.IsValid() {
		return setPrimary(fd, id, p.Primary)
	}
	return nil
}

// setRTO keeps RTO.Min <= RTO.Initial and RTO.Min <= RTO.Max, which p need not
// name all.
func setRTO(fd uintptr, id assoc.ID, p assoc.Params) error {
	b := words(uint32(id), 0, 0, 0) // initial, max, min
	if _, err := getOption(fd, sctp.SCTP_RTOINFO, b); err != nil {
		return err
	}
	for i, d := range []time.Duration{p.RTOInitial, p.RTOMax, p.RTOMin} {
		if d > 0 {
			native.PutUint32(b[4+4*i:], milliseconds(d))
		}
	}
	least := native.Uint32(b[12:])
	for _, at := range []int{4, 8} {
		native.PutUint32(b[at:], max(native.Uint32(b[at:]), least))
	}
	return setOption(fd, sctp.SCTP_RTOINFO, b)
}

// setLimits sets limits of an association. Association.Max.Retrans cannot be
// larger than the sum of the paths' limits where there are several (RFC 9260
// section 8.2); it becomes that then.
func setLimits(fd uintptr, id assoc.ID, p assoc.Params) error {
	err := setOption(fd, sctp.SCTP_ASSOCINFO, assocInfo(id, p))
	if err != unix.EINVAL || id == 0 {
		return err
	}
	sum, err := pathMaxRetrans(fd, id)
	if err != nil {
		return err
	}
	p.AssocMaxRetrans = min(p.AssocMaxRetrans, sum)
	return setOption(fd, sctp.SCTP_ASSOCINFO, assocInfo(id, p))
}

// pathMaxRetrans returns the sum of Path.Max.Retrans of an association's paths.
func pathMaxRetrans(fd uintptr, id assoc.ID) (sum int, err error) {
	peer, err := addresses(fd, id, sctp.SCTP_GET_PEER_ADDRS)
	if err != nil {
		return 0, err
	}
	for _, a := range peer {
		b := make([]byte, pathParamsSize)
		native.PutUint32(b, uint32(id))
		putAddr(b[4:], a)
		if _, err := getOption(fd, sctp.SCTP_PEER_ADDR_PARAMS, b); err != nil {
			return 0, err
		}
		sum += int(native.Uint16(b[136:]))
	}
	return sum, nil
}

// setPrimary makes one of a peer's addresses the one that data goes to.
func setPrimary(fd uintptr, id assoc.ID, primary netip.Addr) error {
	peer, err := addresses(fd, id, sctp.SCTP_GET_PEER_ADDRS)
	if err != nil {
		return err
	}
	for _, a := range peer {
		if a.Addr() == primary.Unmap() {
			b := make([]byte, 4+storageSize)
			native.PutUint32(b, uint32(id))
			putAddr(b[4:], a)
			return setOption(fd, sctp.SCTP_PRIMARY_ADDR, b)
		}
	}
	return fmt.Errorf("set primary %v: the peer has %v: %w", primary, peer, assoc.ErrInvalid)
}

// The kernel refuses messages that are longer than its send buffer, and drops
// packets that are longer than what is left of its receive buffer.
var (
	leastSend    = assoc.Default().MaxMessage
	leastReceive = 64 << 10
)

// setBuffer sets a size, or the least, as far as the system permits; it works with any.
func setBuffer(fd uintptr, name, force, size, least int) {
	if size == 0 {
		return
	}
	size = max(size, least)
	if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, size) != nil {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, name, size)
	}
}

func assocInfo(id assoc.ID, p assoc.Params) []byte {
	b := make([]byte, 20)
	native.PutUint32(b, uint32(id))
	native.PutUint16(b[4:], short(p.AssocMaxRetrans))
	native.PutUint32(b[16:], milliseconds(p.CookieLife))
	return b
}

func pathParams(id assoc.ID, p assoc.Params) []byte {
	b := make([]byte, pathParamsSize)
	flags := uint32(0)
	switch {
	case p.HeartbeatInterval > 0:
		flags |= heartbeatEnable
	case p.HeartbeatInterval < 0:
		flags |= heartbeatDisable
	}
	switch {
	case p.MTU > 0:
		flags |= mtuFixed
	case p.MTU < 0:
		flags |= mtuProbed
	}
	if p.DSCP != 0 {
		flags |= dscpSet
		b[154] = uint8(max(p.DSCP, 0)) << 2
	}
	native.PutUint32(b, uint32(id))
	native.PutUint16(b[4:], unix.AF_INET) // any address: all paths
	native.PutUint32(b[132:], milliseconds(p.HeartbeatInterval))
	native.PutUint16(b[136:], short(p.PathMaxRetrans))
	native.PutUint32(b[138:], uint32(max(p.MTU, 0)))
	native.PutUint32(b[146:], flags)
	return b
}

// maxSackDelay is RFC 9260's, and the kernel's (section 6.2).
const maxSackDelay = 500 * time.Millisecond

// delayedSack says when to acknowledge; each packet at once is what no delay
// means.
func delayedSack(id assoc.ID, p assoc.Params) []byte {
	if p.SackDelay < 0 {
		return words(uint32(id), 0, 1)
	}
	return words(uint32(id), milliseconds(min(p.SackDelay, maxSackDelay)), uint32(max(p.SackPackets, 0)))
}

func encapsulation(id assoc.ID, port uint16) []byte {
	b := make([]byte, 144)
	native.PutUint32(b, uint32(id))
	native.PutUint16(b[8:], unix.AF_INET) // any address: all paths
	binary.BigEndian.PutUint16(b[136:], port)
	return b
}

func initMsg(p assoc.Params) (b []byte) {
	for _, v := range []uint16{p.OutStreams, p.InStreams, short(p.MaxInitRetransmits), short(int(milliseconds(p.RTOMax)))} {
		b = native.AppendUint16(b, v)
	}
	return b
}
