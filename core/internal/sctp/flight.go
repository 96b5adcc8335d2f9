package sctp

import "time"

// A chunk that was sent is in flight, marked to be sent again, acknowledged by a
// gap ack block, or given up: one of them at a time, and each has its account
// here. Nothing else moves a chunk from one to the other.

// launch counts a chunk that is on its way now.
func (o *outbound) launch(c *outChunk) {
	c.path.flight += c.size()
	o.outstanding += int(c.n)
	o.window = max(0, o.window-int(c.n))
}

// mark takes a chunk out of flight to be sent again.
func (o *outbound) mark(c *outChunk, index int) {
	if c.marked || c.acked || c.gone {
		return
	}
	c.marked = true
	c.path.flight -= c.size()
	o.outstanding -= int(c.n)
	o.window += int(c.n) // what is sent again is outstanding no more (SCTP-3-52)
	if o.marked == 0 || index < o.firstMarked {
		o.firstMarked = index
	}
	o.marked++
}

// markAll is for an association that is set up once more: nothing that left with
// the last attempt counts.
func (o *outbound) markAll() {
	for i := range o.chunks.len() {
		o.mark(o.chunks.at(i), i)
	}
}

// unmark is for the first marked chunk, which is about to be sent again.
func (o *outbound) unmark(c *outChunk, index int) {
	c.marked = false
	o.marked--
	o.firstMarked = index + 1
}

// moveTo has a chunk sent again on path p. No round trip is measured with it.
func (c *outChunk) moveTo(p *path) {
	c.path.stopTiming()
	c.path = p
	p.stopTiming()
}

// marks is the index of the first chunk marked for retransmission.
func (o *outbound) marks() int {
	if o.marked == 0 {
		return 0
	}
	i := o.firstMarked
	for !o.chunks.at(i).marked {
		i++
	}
	return i
}

// timedOut has all that is outstanding on a path sent again.
func (o *outbound) timedOut(p *path) {
	for i := range o.chunks.len() {
		if c := o.chunks.at(i); c.path == p {
			c.misses = 0
			o.mark(c, i)
		}
	}
	o.heard = false
	o.forced = o.marked > 0
}

// credit counts a chunk as arrived.
func (o *outbound) credit(now time.Time, c *outChunk, tsn uint32) {
	p := c.path
	p.fresh += c.size()
	if c.marked {
		c.marked = false
		o.marked--
	} else {
		p.flight -= c.size()
		o.outstanding -= int(c.n)
	}
	p.acked(tsn, now)
}

// renege makes a chunk outstanding again that the peer had acknowledged and
// then dropped (section 6.2.1 D iii).
func (o *outbound) renege(c *outChunk) {
	if !c.acked {
		return
	}
	c.acked = false
	o.gapAcked--
	c.misses++
	c.path.flight += c.size()
	o.outstanding += int(c.n)
}

// forget takes a chunk out of all accounts. It brings no credit.
func (o *outbound) forget(c *outChunk) {
	switch {
	case c.marked:
		c.marked = false
		o.marked--
	case c.acked:
		c.acked = false
		o.gapAcked--
	case c.n > 0:
		c.path.flight -= c.size()
		o.outstanding -= int(c.n)
		o.window += int(c.n)
		if c.path.flight == 0 && o.forwarding.path != c.path {
			c.path.stopT3()
		}
	}
	c.path.stopTiming()
	c.gone = true
}
