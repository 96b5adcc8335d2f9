package endpoint

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// The errors in effects, to be told apart with errors.Is.
var (
	// ErrTimeout means that a registrar was there but did not answer a request,
	// which was repeated as often as RFC 5352 section 7.3 allows.
	ErrTimeout = errors.New("the registrar does not answer: it is overloaded or hangs; look at its log or use another one")
	// ErrRegistered means that the endpoint is an element of another pool already.
	ErrRegistered = errors.New("the endpoint is registered in another pool: deregister first or use another endpoint")
	// ErrNotRegistered means that there is nothing to deregister.
	ErrNotRegistered = errors.New("the endpoint is not registered: register first")
	// ErrNoAddress means that a PE would be registered without an address.
	ErrNoAddress = errors.New("no local address is known at which the element can be reached: bind to one")
	// ErrExpired means that a registrar let the registration's life run out.
	ErrExpired = errors.New("the registration expired at the registrar; it is being renewed")
	// ErrUnknownPool means that the registrar knows no such pool, or that the
	// pool has no element.
	ErrUnknownPool = errors.New("the pool is not known to the registrar: check the name, or start an element that registers in it")
	// ErrTooMany means that more operations wait than the endpoint keeps.
	ErrTooMany = errors.New("too many operations wait for a registrar: wait until some are done")
)

// Tried is one registrar that was tried in vain, or a name without address.
type Tried struct {
	Name  string           // that was looked up in vain; then there are no Addrs
	Addrs []netip.AddrPort // of one that was tried
	Err   error            // as the transport gave it; nil when T5 ended the attempt
}

// Who returns the name or the addresses.
func (t Tried) Who() string {
	if t.Name != "" {
		return t.Name
	}
	parts := make([]string, len(t.Addrs))
	for i, a := range t.Addrs {
		parts[i] = a.String()
	}
	return strings.Join(parts, ",")
}

// NoRegistrarError means that none of the known registrars could be reached.
type NoRegistrarError struct {
	Tried []Tried // empty when no registrar is known at all
}

func (e *NoRegistrarError) Error() string {
	if len(e.Tried) == 0 {
		return "no registrar is known: name one in the configuration or enable announcements"
	}
	parts := make([]string, len(e.Tried))
	for i, t := range e.Tried {
		why := "no answer"
		if t.Err != nil {
			why = t.Err.Error()
		}
		parts[i] = fmt.Sprintf("%s: %s", t.Who(), why)
	}
	return "no registrar can be reached (" + strings.Join(parts, "; ") + "): start one or correct the addresses"
}

// noUseWaiting says whether err is a *NoRegistrarError that does not change by
// itself: everybody who was tried is no registrar, or of an address family that
// the socket does not have.
func noUseWaiting(err error) bool {
	var none *NoRegistrarError
	if !errors.As(err, &none) || len(none.Tried) == 0 {
		return false
	}
	return !slices.ContainsFunc(none.Tried, func(t Tried) bool {
		return !errors.Is(t.Err, assoc.ErrWrongPort) && !errors.Is(t.Err, assoc.ErrFamily)
	})
}

// RejectedError carries the causes of a registrar's refusal of a request.
type RejectedError struct {
	Handle protocol.PoolHandle
	Causes []protocol.Cause // may be empty; a registrar need not say why
}

func (e *RejectedError) Error() string {
	parts := make([]string, len(e.Causes))
	for i, c := range e.Causes {
		parts[i] = c.Code.String()
	}
	if len(parts) == 0 {
		parts = []string{"no reason given"}
	}
	return fmt.Sprintf("the registrar refused the request for pool %.40q: %s: change what is asked for", string(e.Handle), strings.Join(parts, ", "))
}

// Has says whether one of the causes has the code.
func (e *RejectedError) Has(code protocol.CauseCode) bool {
	return slices.ContainsFunc(e.Causes, func(c protocol.Cause) bool { return c.Code == code })
}

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
