package rserpool

import "github.com/librserpool/librserpool/core/internal/session"

// Notifications chooses what RecvMessage tells besides messages. It is a uint16, in which
// each constant is one bit: NotifyFailover|NotifyUndelivered chooses both. It has no methods.
type Notifications = session.Notifications

// What can be chosen, each a bit of Notifications; none by default.
const (
	NotifySessions    = session.NotifySessions    // SessionAdded, SessionRemoved
	NotifyFailover    = session.NotifyFailover    // FailoverBegun, FailoverCompleted
	NotifyShutdown    = session.NotifyShutdown    // Shutdown
	NotifyCookies     = session.NotifyCookies     // CookieRejected
	NotifyUndelivered = session.NotifyUndelivered // Undelivered
	NotifySendReady   = session.NotifySendReady   // SendReady

	NotifyAll = session.NotifyAll // all of these
)

// NotificationType says what happened: SessionAdded to SendReady. It is a uint8, of which
// zero is none of them. Its method:
//
//	func (t NotificationType) String() string  // the constant's name: "FailoverBegun"
type NotificationType = session.NotificationType

// The values of NotificationType. A session's notifications come in order with its messages.
const (
	// SessionAdded: the session stands. It is the first of its session.
	SessionAdded = session.SessionAdded
	// SessionRemoved: the session has ended without the program's doing; Err
	// says why if it was no graceful end. It is the last of its session.
	SessionRemoved = session.SessionRemoved
	// FailoverBegun: the element Old serves the session no longer, Err says why
	// (nil: it took leave). The library looks for another one. InDoubt is set.
	FailoverBegun = session.FailoverBegun
	// FailoverCompleted: New serves the session now. Its cookie echo, and then
	// Resent messages that were sent before, go first. InDoubt is that of
	// FailoverBegun.
	FailoverCompleted = session.FailoverCompleted
	// Shutdown: the other side ends the session, and takes nothing more; or, at
	// an element, Drain was called: answer what was received, leave a last
	// cookie, end the session.
	Shutdown = session.Shutdown
	// CookieRejected: a pool user brought a cookie that the library does not
	// accept; Err says why. The session begins without state.
	CookieRejected = session.CookieRejected
	// Undelivered: a message of this side was not delivered and will not be;
	// Err says why, Old is the element for which it was. What is received is the
	// message as it was sent. Messages that reach another element after a
	// failover are delivered; those that were delivered to a peer which then
	// failed are in doubt, and not among these.
	Undelivered = session.Undelivered
	// SendReady: the session, in which a message had to wait for room, has room
	// again. There is one at a time that is not received.
	SendReady = session.SendReady
)

// Notification is what RecvMessage returns in place of a message when something happened that SessionOptions.Notifications asks for.
type Notification struct {
	Type     NotificationType
	Old, New PEID // elements, in failovers; Old also of Undelivered
	// InDoubt is how many messages of the session nobody can vouch for: the
	// transport of Old acknowledged them, but Old neither answered them nor
	// covered them with a cookie, and with its process what it had received may
	// be lost. The library cannot read messages, so it counts one message from
	// the element as the answer to one to it: exact for requests with one
	// answer each, and for one-way traffic too much rather than too little.
	// Messages that the transport gave back, or that are kept for replay, are
	// not in doubt: they go to the next element.
	InDoubt int
	Resent  int
	Err     error
}
