package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// peerCandidate is an address where another registrar may be found: a configured
// one, or that of a peer that was given up, which may only have been cut off.
type peerCandidate struct {
	addrs   []netip.AddrPort
	until   time.Time         // of one given up: when to stop trying; zero = configured
	id      protocol.ServerID // of one given up or heard
	heard   bool              // by multicast
	named   bool              // by a name that has this address
	attempt *connectAttempt
	link    *link     // established, registrar not yet heard
	wrong   time.Time // since when nobody is met there; zero = somebody is
}

// has says whether an address is one of the candidate's.
func (c *peerCandidate) has(a netip.AddrPort) bool { return slices.Contains(c.addrs, a) }

// pending says whether somebody there is being reached, or was and is still to
// say who it is.
func (c *peerCandidate) pending() bool { return c.attempt != nil || c.link != nil }
