package endpoint

import (
	"github.com/librserpool/librserpool/core/internal/element"
	"github.com/librserpool/librserpool/core/internal/hunt"
	"github.com/librserpool/librserpool/core/internal/user"
)

// The errors in effects, to be told apart with errors.Is and errors.As.
type (
	// NoRegistrarError means that no known registrar could be reached.
	NoRegistrarError = hunt.NoRegistrarError
	// Tried is one registrar that was tried in vain, or a name without address.
	Tried = hunt.Tried
	// RejectedError carries the causes of a registrar's refusal.
	RejectedError = hunt.RejectedError
	// NoElementError means that no PE could be reached in time.
	NoElementError = user.NoElementError
)

// See the packages they come from.
var (
	ErrTimeout       = hunt.ErrTimeout
	ErrRegistered    = element.ErrRegistered
	ErrNotRegistered = element.ErrNotRegistered
	ErrNoAddress     = element.ErrNoAddress
	ErrExpired       = element.ErrExpired
	ErrUnknownPool   = user.ErrUnknownPool
	ErrTooMany       = user.ErrTooMany
)
