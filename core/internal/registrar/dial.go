package registrar

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// dial is an association being set up to the ASAP endpoint of one or more PEs.
type dial struct {
	token   Token
	to      netip.AddrPort
	watches []*watch // who waits; the first one's KEEP_ALIVE goes with the set-up
}

// dialPE connects to the PE's recorded ASAP Transport and sends m there. PEs
// of one endpoint share an attempt.
func (r *Registrar) dialPE(w *watch, m asap.EndpointKeepAlive) {
	peer := w.el.ASAP.AddrPorts()
	if d := r.dialsTo[peer[0]]; d != nil {
		d.watches = append(d.watches, w)
		w.dial = d
		return
	}
	r.token++
	d := &dial{token: r.token, to: peer[0], watches: []*watch{w}}
	r.dials[d.token], r.dialsTo[d.to] = d, d
	w.dial = d
	r.emit(SendASAPTo{Token: d.token, Peer: peer, Message: m})
}

// endDial forgets an attempt and returns who still waits for it.
func (r *Registrar) endDial(t Token) (waiting []*watch, first *watch) {
	d := r.dials[t]
	if d == nil {
		return nil, nil
	}
	delete(r.dials, t)
	delete(r.dialsTo, d.to)
	for i, w := range d.watches {
		if w.dial != d {
			continue
		}
		w.dial = nil
		waiting = append(waiting, w)
		if i == 0 {
			first = w
		}
	}
	return waiting, first
}

// completeDial sends the KEEP_ALIVEs that waited for the association.
func (r *Registrar) completeDial(now time.Time, t Token, l *link) {
	waiting, first := r.endDial(t)
	for _, w := range waiting {
		r.ask(w, l)
		if w != first {
			r.emit(SendASAP{Link: l.Link, Message: r.keepAlive(w)})
		}
		r.setProbe(w, now.Add(r.probeTimeout()))
	}
}

func (r *Registrar) handleConnectFailed(now time.Time, ev ConnectFailed) {
	r.failDial(now, ev.Token, ev.Err)
	r.failCall(now, ev.Token, ev.Err)
}

func (r *Registrar) failDial(now time.Time, t Token, err error) {
	waiting, _ := r.endDial(t)
	for _, w := range waiting {
		r.probeFailed(now, w, conclusive(err))
	}
}
