package sctp

// keptTags is how many of the last tags are remembered.
const keptTags = 8192

// recentTags are own verification tags of associations that have ended. A
// cookie stays valid for a while, so a COOKIE ECHO that comes late could make
// an association a second time, with the tags and TSNs of the first: packets
// still under way would be taken for its own. Remembering tags also keeps new
// associations from getting one of them (SCTP-2-42).
type recentTags struct {
	ended map[uint32]ending
	order ring[uint32]
}

// ending says how an association has ended.
type ending uint8

const (
	endedInPeace ending = iota + 1 // the peer knows
	endedByForce                   // it may not
)

func (r *recentTags) add(tag uint32, how ending) {
	if r.ended == nil {
		r.ended = make(map[uint32]ending)
	}
	if r.ended[tag] == 0 {
		if r.order.len() == keptTags {
			delete(r.ended, *r.order.at(0))
			r.order.pop()
		}
		r.order.push(tag)
	}
	r.ended[tag] = how
}
