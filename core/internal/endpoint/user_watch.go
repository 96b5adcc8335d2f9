package endpoint

import "github.com/librserpool/librserpool/core/internal/protocol"

// poolCounts count who uses pools.
type poolCounts map[protocol.PoolHandle]int

func (c poolCounts) count(h protocol.PoolHandle, on bool) {
	switch {
	case on:
		c[h]++
	case c[h] > 1:
		c[h]--
	default:
		delete(c, h)
	}
}

// watchPool notes that somebody watches a pool, or does not any more.
func (u *user) watchPool(h protocol.PoolHandle, on bool) {
	u.watched.count(h, on)
	u.inUse.count(h, on)
}

// tellWatchers tells those who watch a pool that an update has come.
func (u *user) tellWatchers(h protocol.PoolHandle) {
	if u.watched[h] > 0 {
		u.effects.add(PoolChanged{h})
	}
}
