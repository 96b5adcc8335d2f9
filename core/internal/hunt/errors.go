package hunt

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ErrTimeout means that a registrar was there but did not answer a request,
// which was repeated as often as RFC 5352 section 7.3 allows.
var ErrTimeout = errors.New("the registrar does not answer: it is overloaded or hangs; look at its log or use another one")

// Tried is one registrar that was tried in vain.
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
	return joinAddrs(t.Addrs)
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

// Final says that it is of no use to wait: nobody who was tried is a registrar, or
// of a family that the socket has, and that does not change by itself.
func (e *NoRegistrarError) Final() bool {
	return len(e.Tried) > 0 && !slices.ContainsFunc(e.Tried, func(t Tried) bool {
		return !errors.Is(t.Err, assoc.ErrWrongPort) && !errors.Is(t.Err, assoc.ErrFamily)
	})
}

// Final says whether err is a *NoRegistrarError that is final.
func Final(err error) bool {
	var none *NoRegistrarError
	return errors.As(err, &none) && none.Final()
}

// RejectedError means that a registrar answered a request with an error.
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
	for _, c := range e.Causes {
		if c.Code == code {
			return true
		}
	}
	return false
}

func joinAddrs(addrs []netip.AddrPort) string {
	parts := make([]string, len(addrs))
	for i, a := range addrs {
		parts[i] = a.String()
	}
	return strings.Join(parts, ",")
}
