package main

// #include "abi.h"
// #include "rserpool.h"
import "C"

import "github.com/librserpool/librserpool/core/socket"

// The numbers of the headers that pass through here as they are. They are those of
// core/socket: a difference would be an index out of range, and does not compile.
var _ = [...]struct{}{
	[1]struct{}{}[C.RSP_ROUND_ROBIN^socket.RoundRobin],
	[1]struct{}{}[C.RSP_WEIGHTED_ROUND_ROBIN^socket.WeightedRoundRobin],
	[1]struct{}{}[C.RSP_RANDOM^socket.Random],
	[1]struct{}{}[C.RSP_WEIGHTED_RANDOM^socket.WeightedRandom],
	[1]struct{}{}[C.RSP_PRIORITY^socket.Priority],
	[1]struct{}{}[C.RSP_LEAST_USED^socket.LeastUsed],
	[1]struct{}{}[C.RSP_LEAST_USED_DEGRADATION^socket.LeastUsedWithDegradation],
	[1]struct{}{}[C.RSP_PRIORITY_LEAST_USED^socket.PriorityLeastUsed],
	[1]struct{}{}[C.RSP_RANDOMIZED_LEAST_USED^socket.RandomizedLeastUsed],

	[1]struct{}{}[C.RSP_SESSION_ADDED^socket.SessionAdded],
	[1]struct{}{}[C.RSP_SESSION_REMOVED^socket.SessionRemoved],
	[1]struct{}{}[C.RSP_FAILOVER_BEGUN^socket.FailoverBegun],
	[1]struct{}{}[C.RSP_FAILOVER_COMPLETED^socket.FailoverCompleted],
	[1]struct{}{}[C.RSP_SHUTDOWN^socket.Shutdown],
	[1]struct{}{}[C.RSP_COOKIE_REJECTED^socket.CookieRejected],
	[1]struct{}{}[C.RSP_UNDELIVERED^socket.Undelivered],
	[1]struct{}{}[C.RSP_SEND_READY^socket.SendReady],

	[1]struct{}{}[C.RSP_NOTIFY_SESSIONS^socket.NotifySessions],
	[1]struct{}{}[C.RSP_NOTIFY_FAILOVER^socket.NotifyFailover],
	[1]struct{}{}[C.RSP_NOTIFY_SHUTDOWN^socket.NotifyShutdown],
	[1]struct{}{}[C.RSP_NOTIFY_COOKIES^socket.NotifyCookies],
	[1]struct{}{}[C.RSP_NOTIFY_UNDELIVERED^socket.NotifyUndelivered],
	[1]struct{}{}[C.RSP_NOTIFY_SEND_READY^socket.NotifySendReady],
	[1]struct{}{}[C.RSP_NOTIFY_ALL^socket.NotifyAll],

	[1]struct{}{}[C.RSP_STATE_CONNECTING^socket.Connecting],
	[1]struct{}{}[C.RSP_STATE_ESTABLISHED^socket.Established],
	[1]struct{}{}[C.RSP_STATE_MOVING^socket.Moving],
	[1]struct{}{}[C.RSP_STATE_ENDING^socket.Ending],

	[1]struct{}{}[C.RSP_POOL_MAX^socket.MaxPoolHandle],
	[1]struct{}{}[C.RSP_COOKIE_MAX^socket.MaxCookie],
	[1]struct{}{}[C.RSP_STREAMS^socket.Streams],
	[1]struct{}{}[C.RSP_BUFFER_MIN^socket.MinBuffer],
	[1]struct{}{}[C.RSPGO_LONGEST^socket.MaxMessage],
}
