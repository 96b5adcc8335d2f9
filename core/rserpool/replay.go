package rserpool

import "fmt"

// Replay: the pool user keeps what no cookie covers yet. A cookie says how many
// messages of the session its state reflects; in a failover it goes first, and
// then exactly the messages behind those. Messages are counted, so they all
// travel in one order: on stream 0, where the cookies travel too.

// cover drops what a cookie covers. It cannot cover what was not sent.
func (s *Socket) cover(ss *session, covered uint64) {
	if covered <= ss.covered || covered > ss.covered+uint64(ss.kept.len()) {
		return
	}
	for ; ss.covered < covered; ss.covered++ {
		ss.queuedBytes -= len(ss.kept.pop().data)
	}
	if !ss.crowded(1) {
		s.relax(ss)
		s.updateReadiness()
	}
}

// replayable says what is wrong with a message that could not be replayed.
func (ss *session) replayable(info *SendInfo) error {
	if !ss.own || !ss.opts.Replay || info.Stream == 0 && !info.Unordered && info.Lifetime == 0 {
		return nil
	}
	return fmt.Errorf("%w: with Replay all messages are reliable, ordered and on stream 0, where cookies count them", ErrInvalid)
}

// uncovered is how many messages are kept for replay, or go to be sent again.
func (ss *session) uncovered() int {
	if !ss.opts.Replay || !ss.own {
		return 0
	}
	return ss.kept.len() + ss.toSend.len()
}
