package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// RSPLIB returns c for a group in which RSPLIB takes part: its habits where they
// differ on the wire, its limits, and timers close to its own. What else RSPLIB
// needs (a Policy in every answer, complete presences, the PE Identifier in
// KEEP_ALIVE, Transport Use 0 in ASAP Transports) everybody gets always.
func (c Config) RSPLIB() Config {
	c.Interop = Interop{LifeInMilliseconds: true, LowerIDWins: true, NoWarnings: true}
	c.Limits.Handle = protocol.MaxPoolHandleRSPLIB
	c.Handover = false // it is not known how RSPLIB takes an offer
	c.Timers.Heartbeat = 2440 * time.Millisecond
	c.Timers.LastHeard = 5 * time.Second
	c.Timers.NoResponse = 5 * time.Second
	return c
}

// lifeUnits turns seconds into what lives are given in.
func (c *core) lifeUnits(seconds protocol.Life) protocol.Life {
	if c.cfg.Interop.LifeInMilliseconds {
		return protocol.Life(min(int64(seconds)*1000, int64(1<<31-1)))
	}
	return seconds
}
