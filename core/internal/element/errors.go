// Package element is the pool element's half of an ASAP endpoint:
// registration, re-registration, deregistration and keep-alives (RFC 5352
// sections 3.1, 3.2 and 3.4). It is a plain sub-state of endpoint.Endpoint.
package element

import "errors"

// ErrRegistered means that the endpoint is an element of another pool already.
var ErrRegistered = errors.New("the endpoint is registered in another pool: deregister first or use another endpoint")

// ErrNotRegistered means that there is nothing to deregister.
var ErrNotRegistered = errors.New("the endpoint is not registered: register first")

// ErrNoAddress means that a PE would be registered without an address.
var ErrNoAddress = errors.New("no local address is known at which the element can be reached: bind to one")

// ErrExpired means that a registrar let the registration's life run out.
var ErrExpired = errors.New("the registration expired at the registrar; it is being renewed")
