package registrar

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// monitor is what a registrar keeps with a PE that it owns or was told to doubt.
// There is one for every PE, so it is kept small: one timer for two deadlines,
// and moments instead of times.
type monitor struct {
	el    *element // nil once the PE is removed or forgotten
	timer timerq.Timer[deadline]
	life  moment // end of the registration; 0 = none
	// probe is the acknowledgement timeout while probing, otherwise the time
	// of the next probe; 0 = none.
	probe     moment
	lastProbe moment

	link     *link           // the PE's association; nil while there is none
	via      *link           // where the KEEP_ALIVE went that was not answered yet
	attempt  *connectAttempt // what the KEEP_ALIVE waits for
	linkSlot int32
	viaSlot  int32

	reports int32 // unreachability reports since the last registration
	left    int8  // probes that may still be sent
	probing bool

	// claimed: the PE did not register with us, we took it from claimedFrom
	// and want to be its home (H flag of KEEP_ALIVE).
	claimed     bool
	disputed    bool // another one thought so too, since the last registration
	claimedFrom protocol.ServerID
}
