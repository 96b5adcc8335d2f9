package kernel

import (
	"cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// overlay returns base with the non-zero fields of p.
func overlay(base, p assoc.Params) assoc.Params {
	base.RTOInitial = cmp.Or(p.RTOInitial, base.RTOInitial)
	base.RTOMin = cmp.Or(p.RTOMin, base.RTOMin)
	base.RTOMax = cmp.Or(p.RTOMax, base.RTOMax)
	base.HeartbeatInterval = cmp.Or(p.HeartbeatInterval, base.HeartbeatInterval)
	base.PathMaxRetrans = cmp.Or(p.PathMaxRetrans, base.PathMaxRetrans)
	base.AssocMaxRetrans = cmp.Or(p.AssocMaxRetrans, base.AssocMaxRetrans)
	base.MaxInitRetransmits = cmp.Or(p.MaxInitRetransmits, base.MaxInitRetransmits)
	base.ConnectTimeout = cmp.Or(p.ConnectTimeout, base.ConnectTimeout)
	base.SackDelay = cmp.Or(p.SackDelay, base.SackDelay)
	base.SackPackets = cmp.Or(p.SackPackets, base.SackPackets)
	base.CookieLife = cmp.Or(p.CookieLife, base.CookieLife)
	base.MaxBurst = cmp.Or(p.MaxBurst, base.MaxBurst)
	base.ShutdownGuard = cmp.Or(p.ShutdownGuard, base.ShutdownGuard)
	base.SendBuffer = cmp.Or(p.SendBuffer, base.SendBuffer)
	base.ReceiveBuffer = cmp.Or(p.ReceiveBuffer, base.ReceiveBuffer)
	base.MaxMessage = cmp.Or(p.MaxMessage, base.MaxMessage)
	base.OutStreams = cmp.Or(p.OutStreams, base.OutStreams)
	base.InStreams = cmp.Or(p.InStreams, base.InStreams)
	base.EncapPort = cmp.Or(p.EncapPort, base.EncapPort)
	base.MTU = cmp.Or(p.MTU, base.MTU)
	base.DSCP = cmp.Or(p.DSCP, base.DSCP)
	base.Exclusive = cmp.Or(p.Exclusive, base.Exclusive)
	base.Primary = cmp.Or(p.Primary, base.Primary)
	return base
}
