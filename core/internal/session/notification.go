package session

import "github.com/librserpool/librserpool/core/internal/protocol"

// Notifications chooses what is told besides messages.
type Notifications uint16

// What can be chosen; none by default.
const (
	NotifySessions    Notifications = 1 << iota // SessionAdded, SessionRemoved
	NotifyFailover                              // FailoverBegun, FailoverCompleted
	NotifyShutdown                              // Shutdown
	NotifyCookies                               // CookieRejected
	NotifyUndelivered                           // Undelivered
	NotifySendReady                             // SendReady

	NotifyAll = NotifySessions | NotifyFailover | NotifyShutdown | NotifyCookies | NotifyUndelivered | NotifySendReady
)

// NotificationType says what happened; rserpool's constants explain it.
type NotificationType uint8

// A session's notifications come in order with its messages.
const (
	SessionAdded NotificationType = iota + 1
	SessionRemoved
	FailoverBegun
	FailoverCompleted
	Shutdown
	CookieRejected
	Undelivered
	SendReady
)

// String returns the name.
func (t NotificationType) String() string {
	names := [...]string{"nothing", "SessionAdded", "SessionRemoved", "FailoverBegun", "FailoverCompleted", "Shutdown", "CookieRejected", "Undelivered", "SendReady"}
	if int(t) < len(names) {
		return names[t]
	}
	return names[0]
}

// Notification is what the program receives in place of a message when something
// happened that it asked for; rserpool.Notification explains it.
type Notification struct {
	Type     NotificationType
	Old, New protocol.PEID
	InDoubt  int
	Resent   int
	Err      error
}

// wanted is what has to be chosen for the notification to be told.
func (t NotificationType) wanted() Notifications {
	switch t {
	case SessionAdded, SessionRemoved:
		return NotifySessions
	case FailoverBegun, FailoverCompleted:
		return NotifyFailover
	case Shutdown:
		return NotifyShutdown
	case Undelivered:
		return NotifyUndelivered
	case SendReady:
		return NotifySendReady
	}
	return NotifyCookies
}

// wants says whether the program is to be told.
func (t *Table) wants(ss *Session, n *Notification) bool {
	wanted := ss.opts.Notifications&n.Type.wanted() != 0 || n.Type == FailoverCompleted && ss.opts.HoldFailover
	return wanted && !ss.ending && !t.closing
}

// notify puts a notification behind what was received, if it is wanted, and
// returns it then.
func (t *Table) notify(ss *Session, n Notification) *Notification {
	t.observe(ss, n)
	if !t.wants(ss, &n) {
		return nil
	}
	t.deliver(ss, incoming{pe: ss.peer.PE, note: &n})
	return &n
}

// observe keeps what happened for Observed.
func (t *Table) observe(ss *Session, n Notification) {
	if t.cfg.Observe {
		t.observed = append(t.observed, Observation{ss.peer, n})
	}
}
