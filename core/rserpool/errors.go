package rserpool

import (
	"github.com/librserpool/librserpool/core/socket"
)

// Errors to test for with errors.Is. What an operation returns wraps one of
// them and says what was tried, why it failed and what to do about it. System
// errors (syscall.Errno) stay in the chain as well.
var (
	// ErrUnknownPool: the registrar knows no pool of that name.
	ErrUnknownPool = socket.ErrUnknownPool
	// ErrNoRegistrar: no registrar answers; see NoRegistrarError.
	ErrNoRegistrar = socket.ErrNoRegistrar
	// ErrNoElement: the pool exists, but none of its elements can be reached.
	ErrNoElement = socket.ErrNoElement
	// ErrRejected: the registrar refused; see RejectedError.
	ErrRejected = socket.ErrRejected
	// ErrSendLimit: the peer of a session without room took nothing for SessionOptions.SendLimit.
	ErrSendLimit = socket.ErrSendLimit
	// ErrNotConnected: there is no such session, or it has ended.
	ErrNotConnected = socket.ErrNotConnected
	// ErrNotRegistered: the program is no pool element.
	ErrNotRegistered = socket.ErrNotRegistered
	// ErrRegistered: the program is a pool element of another pool already.
	ErrRegistered = socket.ErrRegistered
	// ErrMessageSize: the message is larger than the transport carries.
	ErrMessageSize = socket.ErrMessageSize
	// ErrInvalid: an argument or a setting makes no sense.
	ErrInvalid = socket.ErrInvalid
	// ErrTimeout: a limit of this package is over, such as that of a registrar's answer
	// or of an association. Where a context ended the wait errors.Is has that context's
	// error; where its deadline did while registrars were asked, both.
	ErrTimeout = socket.ErrTimeout
	// ErrClosed: the session, listener or resolver is closed. It is net.ErrClosed as well.
	ErrClosed = socket.ErrClosed
)

// CauseCode is an error cause of RFC 5354 section 3.12, with which a registrar says why it
// refused something. It is a uint16, the number in the RFC: 4 is that of an identifier which
// another element has, 5 that of a policy which is not the pool's, 6 a lack of resources, 9
// an unknown pool, 10 a refusal for security. Its method:
//
//	func (c CauseCode) String() string  // the RFC's words: "inconsistent pooling policy"
type CauseCode = socket.CauseCode

// NoRegistrarError is the ErrNoRegistrar that says what was tried. Find it with
// errors.As.
type NoRegistrarError struct {
	Tried []string // addresses, in the order of the attempts
	Err   error    // why it ended: the last failure, or the context's error
}

func (e *NoRegistrarError) Error() string { return (*socket.NoRegistrarError)(e).Error() }

// Is makes the error an ErrNoRegistrar, and an ErrTimeout when time ran out.
func (e *NoRegistrarError) Is(target error) bool { return (*socket.NoRegistrarError)(e).Is(target) }

func (e *NoRegistrarError) Unwrap() error { return e.Err }

// RejectedError is the ErrRejected that carries the registrar's reason. Find it with
// errors.As.
type RejectedError struct {
	Pool    string
	Causes  []CauseCode // may be empty: a registrar need not say why
	TooLong bool        // the pool handle is longer than the registrar takes
}

func (e *RejectedError) Error() string { return (*socket.RejectedError)(e).Error() }

// Is makes the error an ErrRejected.
func (e *RejectedError) Is(target error) bool { return target == ErrRejected }
