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
// us its home. Who acknowledges is ours, who does not goes.
func (r *Registrar) restore(now time.Time) {
	n := 0
	for _, entry := range r.cfg.Restored {
		n += len(entry.Elements)
	}
	spread := time.Duration(n) * time.Second / claimRate
	taken := 0
	for _, entry := range r.cfg.Restored {
		taken += r.restorePool(now, entry, spread)
	}
	if n > 0 {
		r.emit(Log{Level: Info, Msg: fmt.Sprintf("%d PEs known from before the restart, asking them", taken), Server: r.id})
	}
	r.cfg.Restored = nil
}

func (r *Registrar) restorePool(now time.Time, entry enrp.PoolEntry, spread time.Duration) (taken int) {
	for _, e := range entry.Elements {
		known := r.space.Element(entry.Handle, e.ID) != nil // by what a mentor had time to tell
		if known || e.ASAP.IsZero() || r.full(entry.Handle) || len(r.space.Check(entry.Handle, e)) > 0 {
			continue
		}
		e.Home = r.id
		el, _ := r.put(entry.Handle, e)
		r.claim(now, el, 0, spread)
		taken++
	}
	return taken
}
