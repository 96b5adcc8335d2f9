package registrar

import (
	"maps"
	"time"
)

// complaints are what the operator was told of the peers that he configured, and
// when: at once, and then every complainEvery as long as it is so.
type complaints map[string]time.Time

const complainEvery = time.Minute

// complain warns of a configured peer, if it is time for that.
func (r *Registrar) complain(now time.Time, peer string, l Log) {
	maps.DeleteFunc(r.complaints, func(_ string, last time.Time) bool { return now.Sub(last) >= complainEvery })
	if _, lately := r.complaints[peer]; lately {
		return
	}
	r.complaints[peer] = now
	l.Level, l.Peer = Warn, peer
	r.emit(l)
}
