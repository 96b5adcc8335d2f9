package registrar

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// restore takes up what the registrar, or another one in its place, knew before
// it was restarted (Config.Restored). It is called when no mentor had a table:
// theirs is newer. The entries are unverified: they are given out, which is
// better than to say that there is no such pool, and every PE is asked to make
// us its home. Those that acknowledge are ours, the others are removed.
func (cl *claims) restore(now time.Time) {
	n := 0
	for _, entry := range cl.cfg.Restored {
		n += len(entry.Elements)
	}
	spread := time.Duration(n) * time.Second / claimRate
	taken := 0
	for _, entry := range cl.cfg.Restored {
		taken += cl.restorePool(now, entry, spread)
	}
	if n > 0 {
		cl.emit(Log{Level: Info, Msg: fmt.Sprintf("%d PEs known from before the restart, asking them", taken), Server: cl.id})
	}
	cl.cfg.Restored = nil
}

func (cl *claims) restorePool(now time.Time, entry enrp.PoolEntry, spread time.Duration) (taken int) {
	for _, e := range entry.Elements {
		known := cl.space.Element(entry.Handle, e.ID) != nil // a mentor has told of it
		if known || e.ASAP.IsZero() || cl.elements.full(entry.Handle) || len(cl.space.Check(entry.Handle, e)) > 0 {
			continue
		}
		e.Home = cl.id
		el, _ := cl.elements.put(entry.Handle, e)
		cl.claim(now, el, 0, spread)
		taken++
	}
	return taken
}
