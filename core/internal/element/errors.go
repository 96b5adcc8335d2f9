// Package element is the pool element's half of an ASAP endpoint:
// registration, re-registration, deregistration and keep-alives (RFC 5352
// sections 3.1, 3.2 and 3.4). It is a plain sub-state of endpoint.Endpoint.
package element

import "errors"

// ErrRegistered means that the endpoint is an element of another pool already.
var ErrRegistered = errors.New("the endpoint is registered in another pool: deregister first or use another endpoint")

// ErrNotRegistered means that there is nothing to deregister.
var ErrNotRegistered = errors.New("the endpoint is not registered: register first")
