package registrar

import (
	"maps"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// departed are the registrars that were taken over and have not been heard
// since, and until when that is remembered. The lists of others may name them
// for long (RSPLIB's do): to learn one from there would have it taken over
// again and again. It is a peer again when it speaks itself (ENRP-3.4.1-01).
type departed map[protocol.ServerID]time.Time

// maxDeparted bounds what peers can make us remember.
const maxDeparted = 1024

// add notes that a registrar was taken over, by us or another.
func (d departed) add(now time.Time, id protocol.ServerID) {
	maps.DeleteFunc(d, func(_ protocol.ServerID, until time.Time) bool { return now.After(until) })
	if len(d) < maxDeparted {
		d[id] = now.Add(lostFor)
	}
}

// has says whether a registrar was taken over and has not been heard since.
func (d departed) has(now time.Time, id protocol.ServerID) bool {
	until, is := d[id]
	return is && !now.After(until)
}
