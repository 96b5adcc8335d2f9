package socket

import (
	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/session"
)

// Streams is how many SCTP streams a session has towards its peer.
const Streams = session.Streams

// MaxMessage is the largest message, in bytes, however large Config.MaxMessage is.
const MaxMessage = assoc.MaxMessage

// SendInfo goes with a message to send; RecvInfo describes one that was received. Package
// rserpool explains them.
type (
	SendInfo = session.SendInfo
	RecvInfo = session.RecvInfo
)
