package sim

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

type question struct {
	who   *endpointProgram
	token endpoint.Token
}

func (w *World) asks(e *endpointProgram, t endpoint.Token) {
	if w.checks != nil {
		w.checks.asked[question{e, t}] = w.now
	}
}

// resolved checks a resolution that failed: in calm none may, and never one
// whose PU could use a registrar all the time.
func (w *World) resolved(e *endpointProgram, t endpoint.Token, err error) {
	c := w.checks
	if c == nil {
		return
	}
	q := question{e, t}
	asked := c.asked[q]
	delete(c.asked, q)
	if err == nil {
		return
	}
	populated := c.populated(e.role.Resolve, asked)
	if (c.bounds.Strict || c.calm(c.bounds.Resolves)) && populated {
		w.fail("%s cannot resolve %s, nor should that fail: %v", e.host.name, e.role.Resolve, err)
	}
	if c.bounds.Honest && errors.Is(err, endpoint.ErrUnknownPool) && populated {
		w.fail("%s was told that there is no %s", e.host.name, e.role.Resolve)
	}
	if errors.Is(err, endpoint.ErrUnknownPool) {
		return // a registrar may have been alone and know no better
	}
	if errors.Is(err, endpoint.ErrTimeout) && w.hungRegistrars() >= maxRetransmits {
		return // it asked as many as it is to ask (MAX-REQUEST-RETRANSMIT, RFC 5352 section 7.3)
	}
	for _, h := range w.hosts {
		if !e.knows(h) {
			continue
		}
		if since, ok := c.good[[2]*Host{e.host, h}]; ok && since.Before(asked.Add(-huntRound)) && h.registrar().servedSince(asked) {
			w.fail("%s cannot resolve %s though %s was there all the time: %v", e.host.name, e.role.Resolve, h.name, err)
		}
	}
}

// maxRetransmits is MAX-REQUEST-RETRANSMIT.
const maxRetransmits = 2

func (w *World) hungRegistrars() (n int) {
	for _, h := range w.hosts {
		if h.registrar() != nil && h.hung {
			n++
		}
	}
	return n
}

// knows says whether a PE or PU knows a registrar: one that discovers them forgets
// each T7-ENRPoutdate after it was heard last (RFC 5352 section 3.6.1).
func (e *endpointProgram) knows(h *Host) bool {
	return !e.discovers || e.host.w.now.Sub(e.heard[h]) < outdate
}

// outdate is T7-ENRPoutdate.
const outdate = 5 * time.Second

// sessionFailed checks a session that failed.
func (w *World) sessionFailed(e *endpointProgram, err error) {
	c := w.checks
	if c != nil && (c.bounds.Strict || c.calm(c.bounds.Resolves)) && c.populated(e.role.Session, e.looking) {
		w.fail("%s has its session failed, nor should it: %v", e.host.name, err)
	}
}

// huntRound is how long a hunt takes that finds nobody. Who asks while one goes
// on shares its result, though a registrar that it tried may be back.
const huntRound = 10 * time.Second
