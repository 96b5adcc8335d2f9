package socket

import "github.com/librserpool/librserpool/core/internal/session"

// What happens to sessions, in band; package rserpool explains it.
type (
	Notifications    = session.Notifications
	NotificationType = session.NotificationType
	Notification     = session.Notification
)

// What can be chosen; none by default.
const (
	NotifySessions    = session.NotifySessions
	NotifyFailover    = session.NotifyFailover
	NotifyShutdown    = session.NotifyShutdown
	NotifyCookies     = session.NotifyCookies
	NotifyUndelivered = session.NotifyUndelivered
	NotifySendReady   = session.NotifySendReady
	NotifyAll         = session.NotifyAll
)

// What may have happened.
const (
	SessionAdded      = session.SessionAdded
	SessionRemoved    = session.SessionRemoved
	FailoverBegun     = session.FailoverBegun
	FailoverCompleted = session.FailoverCompleted
	Shutdown          = session.Shutdown
	CookieRejected    = session.CookieRejected
	Undelivered       = session.Undelivered
	SendReady         = session.SendReady
)
