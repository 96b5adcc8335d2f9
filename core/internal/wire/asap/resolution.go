package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// AllItems in HandleResolution.Items asks for as many PEs as possible.
const AllItems uint32 = 0xffffffff

// HandleResolution asks for the PEs of a pool (RFC 5352 section 2.2.5).
type HandleResolution struct {
	Subscribe bool // S: send updates as long as the association lives
	Handle    protocol.PoolHandle
	Items     uint32 // how many PEs are wanted (handle resolution option); 0 = not said
}

// HandleResolutionResponse answers a HandleResolution, or updates a subscriber
// (RFC 5352 section 2.2.6). It is negative if and only if it has Causes,
// whatever they are (ASAP-2.2.6-06).
type HandleResolutionResponse struct {
	UpdatesAccepted bool // A
	Handle          protocol.PoolHandle
	Policy          protocol.Policy // of the pool; never to be taken from Elements (ASAP-2.2.6-03)
	HasPolicy       bool            // without it the pool's policy is Round Robin (ASAP-2.2.6-02)
	Elements        []protocol.Element
	Causes          []protocol.Cause
}

// Type returns TypeHandleResolution.
func (HandleResolution) Type() Type { return TypeHandleResolution }

// Type returns TypeHandleResolutionResponse.
func (HandleResolutionResponse) Type() Type { return TypeHandleResolutionResponse }

func (m HandleResolution) String() string {
	s := named(m.Type(), m.Handle)
	if m.Items == AllItems {
		s += " all items"
	} else if m.Items != 0 {
		s += fmt.Sprintf(" %d items", m.Items)
	}
	if m.Subscribe {
		s += " subscribe"
	}
	return s
}

func (m HandleResolutionResponse) String() string {
	s := named(m.Type(), m.Handle)
	if m.HasPolicy {
		s += " " + m.Policy.Type.String()
	}
	s += fmt.Sprintf(" %d PEs", len(m.Elements))
	if m.UpdatesAccepted {
		s += " updates accepted"
	}
	return s + causes(m.Causes)
}

// flagSubscribe is S, flagUpdatesAccepted is A.
const (
	flagSubscribe       = 0x01
	flagUpdatesAccepted = 0x01
)

var (
	resolutionLayout = wire.Layout{
		Need: wire.SetOf(wire.ParamPoolHandle),
		May:  wire.SetOf(wire.ParamItems),
	}
	// Without any element and error a response is read too: there is nothing
	// to gain from letting the PU wait for another.
	resolutionResponseLayout = wire.Layout{
		Need: wire.SetOf(wire.ParamPoolHandle),
		May:  wire.SetOf(wire.ParamPolicy),
		Many: wire.SetOf(wire.ParamPoolElement, wire.ParamOperationError),
	}
)

func parseHandleResolution(h wire.Header, r *wire.Report) (Message, error) {
	p, err := resolutionLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return HandleResolution{Subscribe: h.Flag(flagSubscribe), Handle: p.Handle, Items: p.Items}, nil
}

func (m HandleResolution) write(w *wire.Writer) {
	w.Flag(flagSubscribe, m.Subscribe)
	w.Handle(m.Handle)
	if m.Items != 0 {
		w.Items(m.Items)
	}
}

func parseHandleResolutionResponse(h wire.Header, r *wire.Report) (Message, error) {
	p, err := resolutionResponseLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return HandleResolutionResponse{
		UpdatesAccepted: h.Flag(flagUpdatesAccepted),
		Handle:          p.Handle,
		Policy:          p.Policy,
		HasPolicy:       p.Has(wire.ParamPolicy),
		Elements:        p.Elements,
		Causes:          p.Causes,
	}, nil
}

func (m HandleResolutionResponse) write(w *wire.Writer) {
	w.Flag(flagUpdatesAccepted, m.UpdatesAccepted)
	w.Handle(m.Handle)
	if m.HasPolicy {
		w.Policy(m.Policy)
	}
	for _, e := range m.Elements {
		w.Element(e)
	}
	w.Causes(m.Causes)
}

// Fit returns a response to resolution without the last elements that would
// make it longer than a message can be; a PU does not take the list for
// complete (ASAP-2.2.6-07).
func (m HandleResolutionResponse) Fit() HandleResolutionResponse {
	rest := m
	rest.Elements = nil
	w := wire.Begin(nil, uint8(m.Type()))
	rest.write(w)
	for i, e := range m.Elements {
		if w.Element(e); w.Len() > wire.MaxMessage {
			m.Elements = m.Elements[:i]
			break
		}
	}
	return m
}
