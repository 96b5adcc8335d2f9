package kernel

import "github.com/librserpool/librserpool/core/internal/assoc"

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
	over(&base.DSCP, p.DSCP)
	over(&base.Exclusive, p.Exclusive)
	over(&base.Primary, p.Primary)
	return base
}

func over[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}
