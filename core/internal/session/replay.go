package session

import "fmt"

// Replay: the pool user keeps what no cookie covers yet. A cookie says how many
// messages of the session its state reflects; in a failover it goes first, and
// then exactly the messages behind those. Messages are counted, so they all
// travel in one order: on stream 0, where the cookies travel too.

// cover drops what a cookie covers. It cannot cover what was not sent.
func (t *Table) cover(ss *Session, covered uint64) {
	if covered <= ss.covered || covered > ss.covered+uint64(ss.kept.len()) {
		return
	}
	for ; ss.covered < covered; ss.covered++ {
		ss.queuedBytes -= len(ss.kept.pop().data)
	}
	if !ss.sendBufferFull(1) {
		t.relax(ss)
	}
}

// sendAgain puts what the next element has to get ahead of what waits: with Replay all
// that no cookie covers, for the echo of that cookie goes first; otherwise what the
// transport gave back.
func (ss *Session) sendAgain() {
	if ss.opts.Replay {
		ss.toSend.prepend(&ss.kept)
	} else {
		ss.toSend.prepend(&ss.returned)
	}
}

// replayable says what is wrong with a message that could not be replayed.
func (ss *Session) replayable(info *SendInfo) error {
	if !ss.replays() || info.Stream == 0 && !info.Unordered && info.Lifetime == 0 {
		return nil
	}
	return fmt.Errorf("%w: with Replay all messages are reliable, ordered and on stream 0, where cookies count them", ErrInvalid)
}

// uncovered is how many messages are kept for replay, or go to be sent again.
func (ss *Session) uncovered() int {
	if !ss.replays() {
		return 0
	}
	return ss.kept.len() + ss.toSend.len()
}
