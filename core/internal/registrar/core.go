package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/handlespace"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// core is what all parts of a registrar share: who it is and what it was told,
// the handlespace, the deadlines and the effects. Everything else belongs to one
// of the parts.
type core struct {
	cfg     Config
	id      protocol.ServerID
	started time.Time
	serving bool // it has a table, or is alone

	space   *handlespace.Space[state]
	timers  timerq.Queue[deadline]
	effects []Effect // since the last Drain
	counts  Counters
	complaints
}

// element is a PE in this registrar's handlespace.
type element = handlespace.Element[state]

type pool = handlespace.Pool[state]

// state is what the registrar keeps with every PE it knows.
type state struct {
	monitor *monitor          // nil while there is no reason to monitor it
	mark    uint32            // the resynchronization that has not confirmed it yet
	newHome protocol.ServerID // the peer that was offered it and has not announced it yet
	update  uint32            // number of the last change that a peer told of during a download
}

func newCore(cfg Config) *core {
	return &core{cfg: cfg, id: cfg.ServerID, space: handlespace.New[state](cfg.Rand), complaints: complaints{}}
}

func (c *core) emit(e Effect) { c.effects = append(c.effects, e) }

// moment is a time since the registrar's start.
type moment time.Duration

// never is a moment that is always long ago.
const never = moment(-1 << 62)

func (c *core) moment(now time.Time) moment { return moment(now.Sub(c.started)) }

// outranked says whether a peer wins against us (ENRP-3.5-05).
func (c *core) outranked(by *peer) bool {
	if c.cfg.Interop.LowerIDWins {
		return by.id < c.id
	}
	return by.id > c.id
}
