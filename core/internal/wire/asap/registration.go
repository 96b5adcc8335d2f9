package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Registration asks a registrar to take a PE into a pool, or to renew or
// change what it registered before (RFC 5352 section 2.2.1).
type Registration struct {
	Handle  protocol.PoolHandle
	Element protocol.Element
}

// RegistrationResponse answers a Registration (RFC 5352 section 2.2.3).
// Causes without Rejected are a warning that values were changed
// (ASAP-2.2.3-01).
type RegistrationResponse struct {
	Rejected bool
	Handle   protocol.PoolHandle
	ID       protocol.PEID
	Causes   []protocol.Cause
}

// Type returns TypeRegistration.
func (Registration) Type() Type { return TypeRegistration }

// Type returns TypeRegistrationResponse.
func (RegistrationResponse) Type() Type { return TypeRegistrationResponse }

func (m Registration) String() string {
	return fmt.Sprintf("%s %v", named(m.Type(), m.Handle), m.Element)
}

func (m RegistrationResponse) String() string {
	verdict := "granted"
	if m.Rejected {
		verdict = "rejected"
	}
	return fmt.Sprintf("%s PE %v %s%s", named(m.Type(), m.Handle), m.ID, verdict, causes(m.Causes))
}

// causes prints an optional Operation Error as the end of a log line.
func causes(cs []protocol.Cause) string {
	s := ""
	for i, c := range cs {
		s += [2]string{": ", ", "}[min(i, 1)] + c.String()
	}
	return s
}

var registrationLayout = wire.Layout{Need: wire.SetOf(wire.ParamPoolHandle, wire.ParamPoolElement)}

func parseRegistration(h wire.Header, r *wire.Report) (Message, error) {
	p, err := registrationLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return Registration{Handle: p.Handle, Element: p.Elements[0]}, nil
}

func (m Registration) write(w *wire.Writer) {
	w.Handle(m.Handle)
	w.Element(m.Element)
}

// flagRejected is R.
const flagRejected = 0x01

func parseRegistrationResponse(h wire.Header, r *wire.Report) (Message, error) {
	p, err := responseLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return RegistrationResponse{Rejected: h.Flag(flagRejected), Handle: p.Handle, ID: p.ID, Causes: p.Causes}, nil
}

func (m RegistrationResponse) write(w *wire.Writer) {
	w.Flag(flagRejected, m.Rejected)
	w.Handle(m.Handle)
	w.PEIdentifier(m.ID)
	w.Causes(m.Causes)
}
