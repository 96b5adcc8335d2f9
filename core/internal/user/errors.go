// Package user is the pool user's half of an ASAP endpoint: handle resolution
// with a cache, selection of pool elements, and the failover decisions of
// sessions (RFC 5352 sections 3.3, 3.5, 3.8 and 3.9). It is a plain sub-state
// of endpoint.Endpoint.
package user

import (
	"errors"
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// SessionID names a session; the owner of the endpoint chooses it.
type SessionID uint32

// ErrUnknownPool means that the registrar knows no such pool, or that the pool
// has no element.
var ErrUnknownPool = errors.New("the pool is not known to the registrar: check the name, or start an element that registers in it")

// ErrTooMany means that more operations wait than the endpoint keeps.
var ErrTooMany = errors.New("too many operations wait for a registrar: wait until some are done")

// errAllDown is the failure of a session that found only PEs that have just
// failed for others.
var errAllDown = errors.New("all its elements have just failed")

// errLeft is the failure of a session whose PE took leave.
var errLeft = errors.New("the element ended the session")

// NoElementError means that a session found no pool element that can be
// reached within the failover limit.
type NoElementError struct {
	Handle protocol.PoolHandle
	Err    error // the last failure
}

func (e *NoElementError) Error() string {
	return fmt.Sprintf("no element of pool %.40q can be reached: %v: start an element or check the way to it", string(e.Handle), e.Err)
}

// Unwrap returns the last failure.
func (e *NoElementError) Unwrap() error { return e.Err }
