package socket

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// RecvFlags say how TryRecv receives.
type RecvFlags = session.RecvFlags

const (
	// RecvPeek leaves the bytes to be received again.
	RecvPeek = session.RecvPeek
	// RecvDiscard drops what does not fit in the buffer.
	RecvDiscard = session.RecvDiscard
	// RecvMessages passes over cookie echoes and notifications.
	RecvMessages = session.RecvMessages
)

// TryRecv copies the next message into b and describes it in info; a nil info
// implies RecvMessages. n is the number of bytes copied. When the message is longer
// than b the next calls continue it, and info.Left says how much is left (RFC
// 6458 section 4.1.8: partial delivery); messages of different sessions never
// mix. Only notifications lose what has no room. ErrWouldBlock means that there is none. When the session that Connect made
// has failed for good and nothing is left to receive, TryRecv returns why. The
// sessions of a Listener are received from by their Conns, and not here.
func (s *Socket) TryRecv(b []byte, info *RecvInfo, flags RecvFlags) (n int, err error) {
	if info == nil {
		flags |= RecvMessages
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return 0, ErrClosed
	}
	n, err = s.table.Receive(time.Now(), b, info, flags)
	if errors.Is(err, ErrWouldBlock) {
		s.dispatch() // perhaps its hook is on the way
		n, err = s.table.Receive(time.Now(), b, info, flags)
	}
	if err != nil && s.failed() {
		err = s.table.Own().Err()
	}
	return n, err
}
