package sctp

import "github.com/librserpool/librserpool/core/internal/sctp/chunk"

// packetDone decides about the acknowledgement of a packet that is processed
// (sections 5.1, 6.2, 6.7; SCTP-3-30, SCTP-3-31).
func (a *association) packetDone(in *arrival) {
	if !in.data {
		return
	}
	a.watchStall(in.now)
	b := &a.in
	first := !b.any
	b.any = true
	b.packets++
	now := first || in.sackNow || in.dups || len(b.beyond) > 0 || b.packets >= a.params.SackPackets || a.params.SackDelay <= 0
	if a.state == shutdownSent { // section 9.2, SCTP-2-51
		a.owe(dueShutdown)
		a.startTimer(&a.t2, in.now, a.primary.rto.value)
		now = len(b.beyond) > 0 || in.dups
		b.packets = 0
		if !now {
			return
		}
	}
	if now {
		a.owe(dueSack)
	} else if !a.sackTimer.Armed() {
		a.startTimer(&a.sackTimer, in.now, a.params.SackDelay)
	}
}

// sackDue sends the acknowledgement that was delayed.
func (a *association) sackDue() { a.owe(dueSack) }

// window is the a_rwnd to advertise: honest, never a sliver (sections 6.2,
// SCTP-3-40, SCTP-3-41).
func (a *association) window() int {
	b := &a.in
	free := a.params.ReceiveBuffer - b.held
	if a.underWay() {
		free = max(free, min(a.params.ReceiveBuffer/2, a.capacity()-b.held))
	}
	if free = a.frugal(free); free < a.sackUpdateThreshold() || !a.hasMemory() {
		return 0
	}
	if free > b.promised && free-b.promised < a.sackUpdateThreshold() {
		return b.promised
	}
	return free
}

// sackUpdateThreshold is the smallest window, or step of it, worth advertising.
func (a *association) sackUpdateThreshold() int {
	return min(a.primary.pmdcs(), a.params.ReceiveBuffer/4, a.e.share()/8)
}

// windowOpened is called when the user has read. It sends a window update
// when the window opened by a quarter of the buffer, or from nothing (section
// 6.2, SCTP-3-42).
func (a *association) windowOpened() {
	if a.state < established || a.state > shutdownSent {
		return
	}
	w, told := a.window(), a.in.promised
	if w-told >= a.params.ReceiveBuffer/4 || told < a.sackUpdateThreshold() && w >= a.sackUpdateThreshold() {
		a.owe(dueSack)
	}
}

// appendSack writes a SACK with as many blocks and duplicates as fit (section
// 6.7; SCTP-3-33, SCTP-3-34).
func (a *association) appendSack(w *packetWriter) {
	b, e := &a.in, a.e
	b.promised = a.window()
	items := (w.left() - chunk.SackSize) / chunk.SackItem
	e.gaps = b.gaps(e.gaps[:0], items)
	dups := b.dups[:min(len(b.dups), items-len(e.gaps))]
	w.b = chunk.AppendSack(w.b, b.acked, uint32(b.promised), e.gaps, dups)
	b.dups = b.dups[:0]
	b.packets = 0
	a.owed &^= dueSack
	a.stopTimer(&a.sackTimer)
}

// gaps appends so many gap ack blocks at most, the lowest first.
func (b *inbound) gaps(list []chunk.Gap, most int) []chunk.Gap {
	for _, s := range b.beyond[:min(len(b.beyond), most)] {
		list = append(list, chunk.Gap{Start: uint16(s.first - b.acked), End: uint16(s.last - b.acked)})
	}
	return list
}
