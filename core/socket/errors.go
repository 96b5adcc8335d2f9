package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/session"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Errors to test for with errors.Is. What an operation returns wraps one of
// them and says what was tried, why it failed and what to do about it. System
// errors (syscall.Errno) stay in the chain as well.
var (
	// ErrUnknownPool: the registrar knows no pool of that name.
	ErrUnknownPool = errors.New("unknown pool")
	// ErrNoRegistrar: no registrar answers; see NoRegistrarError.
	ErrNoRegistrar = errors.New("no registrar")
	// ErrNoElement: the pool exists, but none of its elements can be reached.
	ErrNoElement = session.ErrNoElement
	// ErrRejected: the registrar refused; see RejectedError.
	ErrRejected = errors.New("rejected by the registrar")
	// ErrWouldBlock: nothing to receive, or no room to send, at the moment.
	ErrWouldBlock = session.ErrWouldBlock
	// ErrSendLimit: the peer of a session without room took nothing for SessionOptions.SendLimit.
	ErrSendLimit = session.ErrSendLimit
	// ErrNotConnected: there is no such session, or it has ended.
	ErrNotConnected = session.ErrNotConnected
	// ErrConnected: the socket has a session of its own already.
	ErrConnected = session.ErrConnected
	// ErrNotRegistered: the socket is no pool element.
	ErrNotRegistered = errors.New("not registered")
	// ErrRegistered: the socket is a pool element of another pool already.
	ErrRegistered = errors.New("already registered")
	// ErrBound: the socket has its local address already.
	ErrBound = errors.New("already bound")
	// ErrMessageSize: the message is larger than the transport carries.
	ErrMessageSize = session.ErrMessageSize
	// ErrInvalid: an argument or a setting makes no sense.
	ErrInvalid = session.ErrInvalid
	// ErrTimeout: nobody answered in time; rserpool.ErrTimeout explains it.
	ErrTimeout = errors.New("no answer in time")
	// ErrClosed: the socket is closed. It is net.ErrClosed as well.
	ErrClosed error = closedError{}
)

// closedError is net.ErrClosed in the words of this package.
type closedError struct{}

func (closedError) Error() string { return "the socket is closed" }
func (closedError) Unwrap() error { return net.ErrClosed }

// CauseCode is an error cause of RFC 5354 section 3.12.
type CauseCode = protocol.CauseCode

// Why a registrar refuses an element.
const (
	CauseInvalidValues           = protocol.CauseInvalidValues
	CauseNonUniquePEID           = protocol.CauseNonUniquePEID
	CauseInconsistentPolicy      = protocol.CauseInconsistentPolicy
	CauseLackOfResources         = protocol.CauseLackOfResources
	CauseInconsistentTransport   = protocol.CauseInconsistentTransport
	CauseInconsistentDataControl = protocol.CauseInconsistentDataControl
	CauseRejectedForSecurity     = protocol.CauseRejectedForSecurity
)

// NoRegistrarError is the ErrNoRegistrar that says what was tried.
type NoRegistrarError struct {
	Tried []string // addresses, in the order of the attempts
	Err   error    // why it ended: the last failure, or the context's error
}

func (e *NoRegistrarError) Error() string {
	s := "no registrar answers"
	if len(e.Tried) > 0 {
		s += " (tried " + strings.Join(e.Tried, ", ") + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s + "; start one with `rserpool registrar` or name one in RSERPOOL_REGISTRARS"
}

// Is makes the error an ErrNoRegistrar, and an ErrTimeout when time ran out.
func (e *NoRegistrarError) Is(target error) bool {
	return target == ErrNoRegistrar || target == ErrTimeout && errors.Is(e.Err, context.DeadlineExceeded)
}

func (e *NoRegistrarError) Unwrap() error { return e.Err }

// As makes the error one of the public package's type as well.
func (e *NoRegistrarError) As(target any) bool { return asTwin(e, target) }

// asTwin sets target if it points to a type with the same fields: package rserpool has
// such types of its own, so that its documentation shows them.
func asTwin(err error, target any) bool {
	from, to := reflect.ValueOf(err), reflect.ValueOf(target).Elem()
	if to.Kind() != reflect.Pointer || !from.CanConvert(to.Type()) {
		return false
	}
	to.Set(from.Convert(to.Type()))
	return true
}

// RejectedError is the ErrRejected that carries the registrar's reason.
type RejectedError struct {
	Pool   string
	Causes []CauseCode // may be empty: a registrar need not say why

	TooLong bool // the pool handle is longer than the registrar takes
}

func (e *RejectedError) Error() string {
	why := "no reason given"
	for i, c := range e.Causes {
		if i == 0 {
			why = c.String()
		} else {
			why += ", " + c.String()
		}
	}
	if e.TooLong {
		why = fmt.Sprintf("its handle of %d bytes is longer than it takes", len(e.Pool))
	}
	return fmt.Sprintf("the registrar rejected the request for pool %s: %s; change what is asked for", quote(e.Pool), why)
}

// As makes the error one of the public package's type as well.
func (e *RejectedError) As(target any) bool { return asTwin(e, target) }

// Is makes the error an ErrRejected.
func (e *RejectedError) Is(target error) bool { return target == ErrRejected }

// publicError translates what the machine says.
func (s *Socket) publicError(err error, pool protocol.PoolHandle) error {
	var none *endpoint.NoRegistrarError
	var rejected *endpoint.RejectedError
	var noElement *endpoint.NoElementError
	name := quote(string(pool))
	switch {
	case err == nil:
		return nil
	case errors.As(err, &none):
		return noRegistrar(none)
	case errors.As(err, &rejected):
		out := &RejectedError{Pool: string(pool)}
		for _, c := range rejected.Causes {
			out.Causes = append(out.Causes, c.Code)
			out.TooLong = out.TooLong || wire.HandleIn(c)
		}
		if len(s.cfg.Advertise) > 0 && rejected.Has(protocol.CauseInvalidValues) {
			return fmt.Errorf("%w; it takes the addresses to advertise, %v, if it advertises them too (--advertise) or is told to (--accept)", out, s.cfg.Advertise)
		}
		return out
	case errors.As(err, &noElement):
		return fmt.Errorf("%w: in pool %s: %w; start one, or check the way to it", ErrNoElement, name, noElement.Err)
	case errors.Is(err, endpoint.ErrUnknownPool):
		return fmt.Errorf("%w %s: the registrar %s has no element of it; check the name, or start an element that registers in it", ErrUnknownPool, name, s.home)
	case errors.Is(err, endpoint.ErrTimeout):
		return fmt.Errorf("%w: the registrar %s leaves requests for pool %s unanswered; look at its log or use another one", ErrTimeout, s.home, name)
	case errors.Is(err, endpoint.ErrRegistered):
		return fmt.Errorf("%w: pool %s, or the PE identifier, is not the one it is registered with; deregister first or use another socket", ErrRegistered, name)
	case errors.Is(err, endpoint.ErrNotRegistered):
		return ErrNotRegistered
	}
	return fmt.Errorf("pool %s: %w", name, err)
}

func noRegistrar(e *endpoint.NoRegistrarError) error {
	out := &NoRegistrarError{}
	for _, t := range e.Tried {
		out.Tried = append(out.Tried, t.Who())
		if t.Err != nil {
			out.Err = t.Err
		}
	}
	return out
}
