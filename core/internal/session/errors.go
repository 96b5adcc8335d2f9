package session

import "errors"

// What the operations of sessions return; rserpool makes them public.
var (
	ErrWouldBlock   = errors.New("operation would block")
	ErrNotConnected = errors.New("not connected")
	ErrConnected    = errors.New("already connected")
	ErrNoElement    = errors.New("no pool element can be reached")
	ErrMessageSize  = errors.New("message too large")
	ErrInvalid      = errors.New("invalid argument")
	ErrSendLimit    = errors.New("messages are not taken in time")
	// ErrTookLeave: the element of a session that is not to move ended it gracefully.
	ErrTookLeave = errors.New("it took leave")
)

// Why an association or a message is given up.
var (
	errExpired = errors.New("it could not be sent within its lifetime")
	errGone    = errors.New("the session has ended")
	errRefused = errors.New("the pool element takes no more sessions")
	// errRestarted is why a session of an element ends whose pool user's process
	// begins anew.
	errRestarted = errors.New("the pool user restarted")
	// errRemoved: a registrar found out that the element hangs.
	errRemoved = errors.New("a registrar removed the element from its pool")
	// errMutual: two endpoints have one association at most, and nothing on it
	// would tell the messages of two sessions apart.
	errMutual = errors.New("the element is a pool user of this socket already; connect with another socket")
)
