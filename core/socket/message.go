package socket

import "github.com/librserpool/librserpool/core/internal/session"

// Streams is how many SCTP streams a session has towards its peer.
const Streams = session.Streams

// SendInfo goes with a message to send; RecvInfo describes one that was received. Package
// rserpool explains them.
type (
	SendInfo = session.SendInfo
	RecvInfo = session.RecvInfo
)
