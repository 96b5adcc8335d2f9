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
	mtuFixed         = 1 << 4
)

func milliseconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return uint32(max(d.Milliseconds(), 1))
}

// setParams sets the non-zero fields of p for one association, or for those
// that start later if id is 0.
func setParams(fd uintptr, id assoc.ID, p assoc.Params) error {
	type setting struct {
		wanted bool
		what   string
		name   int
		value  []byte
	}
	settings := []setting{
		{p.RTOInitial|p.RTOMin|p.RTOMax != 0, "RTO", sctp.SCTP_RTOINFO,
			words(uint32(id), milliseconds(p.RTOInitial), milliseconds(p.RTOMax), milliseconds(p.RTOMin))},
		{p.AssocMaxRetrans != 0 || p.CookieLife != 0, "association limits", sctp.SCTP_ASSOCINFO, assocInfo(id, p)},
		{p.HeartbeatInterval != 0 || p.PathMaxRetrans != 0 || p.MTU != 0, "path limits", sctp.SCTP_PEER_ADDR_PARAMS, pathParams(id, p)},
		{p.SackDelay != 0 || p.SackPackets != 0, "delayed SACK", sctp.SCTP_DELAYED_SACK,
			words(uint32(id), milliseconds(p.SackDelay), uint32(p.SackPackets))},
		{p.MaxBurst != 0, "Max.Burst", optMaxBurst, words(uint32(id), uint32(p.MaxBurst))},
		{p.EncapPort != 0, "UDP encapsulation port", optUDPEncapsPort, encapsulation(id, p.EncapPort)},
		{id == 0 && (p.OutStreams|p.InStreams != 0 || p.MaxInitRetransmits != 0), "INIT", sctp.SCTP_INITMSG, initMsg(p)},
	}
	for _, s := range settings {
		if !s.wanted {
			continue
		}
		if err := setOption(fd, s.name, s.value); err != nil {
			return fmt.Errorf("set %s: %w", s.what, err)
		}
	}
	if id == 0 {
		setBuffer(fd, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, p.SendBuffer)
		setBuffer(fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, p.ReceiveBuffer)
	} else if p.Primary.IsValid() {
		return setPrimary(fd, id, p.Primary)
	}
	return nil
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

// setBuffer sets a size as far as the system permits; it works with any.
func setBuffer(fd uintptr, name, force, size int) {
	if size > 0 && unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, size) != nil {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, name, size)
	}
}

func assocInfo(id assoc.ID, p assoc.Params) []byte {
	b := make([]byte, 20)
	native.PutUint32(b, uint32(id))
	native.PutUint16(b[4:], uint16(p.AssocMaxRetrans))
	native.PutUint32(b[16:], milliseconds(p.CookieLife))
	return b
}

func pathParams(id assoc.ID, p assoc.Params) []byte {
	b := make([]byte, 156)
	flags := uint32(0)
	switch {
	case p.HeartbeatInterval > 0:
		flags |= heartbeatEnable
	case p.HeartbeatInterval < 0:
		flags |= heartbeatDisable
	}
	if p.MTU > 0 {
		flags |= mtuFixed
	}
	native.PutUint32(b, uint32(id))
	native.PutUint16(b[4:], unix.AF_INET) // any address: all paths
	native.PutUint32(b[132:], milliseconds(p.HeartbeatInterval))
	native.PutUint16(b[136:], uint16(p.PathMaxRetrans))
	native.PutUint32(b[138:], uint32(p.MTU))
	native.PutUint32(b[146:], flags)
	return b
}

func encapsulation(id assoc.ID, port uint16) []byte {
	b := make([]byte, 144)
	native.PutUint32(b, uint32(id))
	native.PutUint16(b[8:], unix.AF_INET) // any address: all paths
	binary.BigEndian.PutUint16(b[136:], port)
	return b
}

func initMsg(p assoc.Params) (b []byte) {
	for _, v := range []uint16{p.OutStreams, p.InStreams, uint16(p.MaxInitRetransmits), uint16(milliseconds(p.RTOMax))} {
		b = native.AppendUint16(b, v)
	}
	return b
}

// overlay returns base with the non-zero fields of p.
func overlay(base, p assoc.Params) assoc.Params {
	over(&base.RTOInitial, p.RTOInitial)
	over(&base.RTOMin, p.RTOMin)
	over(&base.RTOMax, p.RTOMax)
	over(&base.HeartbeatInterval, p.HeartbeatInterval)
	over(&base.PathMaxRetrans, p.PathMaxRetrans)
	over(&base.AssocMaxRetrans, p.AssocMaxRetrans)
	over(&base.MaxInitRetransmits, p.MaxInitRetransmits)
	over(&base.ConnectTimeout, p.ConnectTimeout)
	over(&base.SackDelay, p.SackDelay)
	over(&base.SackPackets, p.SackPackets)
	over(&base.CookieLife, p.CookieLife)
	over(&base.MaxBurst, p.MaxBurst)
	over(&base.ShutdownGuard, p.ShutdownGuard)
	over(&base.SendBuffer, p.SendBuffer)
	over(&base.ReceiveBuffer, p.ReceiveBuffer)
	over(&base.MaxMessage, p.MaxMessage)
	over(&base.OutStreams, p.OutStreams)
	over(&base.InStreams, p.InStreams)
	over(&base.EncapPort, p.EncapPort)
	over(&base.MTU, p.MTU)
	over(&base.Primary, p.Primary)
	return base
}

func over[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}
