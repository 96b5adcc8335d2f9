package socket

import (
	"context"
	"log/slog"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// perform does what the machine wants, with the socket locked.
func (s *Socket) perform(f endpoint.Effect) {
	if w, waits := f.(endpoint.Waits); waits {
		s.observe(Event{Kind: Waiting, Err: s.publicError(w.Err, w.Handle)})
	}
	if s.performTCP(f) || s.table.Perform(time.Now(), f) {
		return
	}
	switch f := f.(type) {
	case endpoint.LookUp:
		s.startLookUp()
	case endpoint.Resolved:
		s.resolved(f.Token, f.Elements, nil)
	case endpoint.ResolveFailed:
		s.resolved(f.Token, nil, s.publicError(f.Err, f.Handle))
	case endpoint.Waits:
		s.resolutionWaits(f)
	case endpoint.PoolChanged:
		s.pools.fire()
	case endpoint.Log:
		s.log.Log(context.Background(), levels[f.Level], f.Text)
	default:
		s.performRegistration(f)
	}
}

// performRegistration does the rest: what concerns the home and the
// registration.
func (s *Socket) performRegistration(f endpoint.Effect) {
	switch f := f.(type) {
	case endpoint.HomeFound:
		s.home = joinStrs(f.Addrs)
		s.log.Debug("registrar found", "registrar", s.home)
		s.observe(Event{Kind: RegistrarFound, Registrar: s.home})
		s.pools.fire() // what was subscribed to at the last one comes no more
		s.embedderDone()
		s.hereHome = homeHere(f)
		s.watchHome()
	case endpoint.HomeLost:
		s.log.Info("registrar lost", "registrar", s.home, "err", f.Err)
		s.observe(Event{Kind: RegistrarLost, Registrar: s.home, Err: f.Err})
		s.home, s.hereHome = "", hereHome{}
		s.embedderStart()
	case endpoint.Registered:
		s.becomeRegistered(f)
	case endpoint.RegistrationFailed:
		if !f.StillRegistered {
			s.name = Name{}
			s.setRegistered(false)
		}
		s.registrationEnds(s.publicError(f.Err, f.Handle))
	case endpoint.RegistrationLost:
		s.setRegistered(false)
		s.lastErr = s.publicError(f.Err, f.Handle)
		s.log.Warn("the registration is lost for now", "pool", string(f.Handle), "err", f.Err)
		s.embedderStart()
	case endpoint.Deregistered:
		err := s.publicError(f.Err, f.Handle)
		if s.name.Pool == "" && s.registerEnd == nil {
			err = nil // there was nothing to end: the socket closes after Register has failed
		}
		s.name, s.leaving = Name{}, false
		s.setRegistered(false)
		s.registrationEnds(err)
	}
}

func (s *Socket) becomeRegistered(f endpoint.Registered) {
	s.setRegistered(true)
	s.name = Name{Pool: string(f.Handle), PE: f.Element.ID}
	for _, w := range f.Warnings {
		s.log.Warn("the registrar changed the registration", "pool", s.name.Pool, "cause", w.Code)
	}
	s.observe(Event{Kind: Registered, Peer: s.name})
	s.log.Info("registered", "pool", s.name.Pool, "pe", s.name.PE, "registrar", s.home, "at", f.Element.User.AddrPorts())
	s.registrationEnds(nil)
}

// registrationEnds tells the call that waits for the outcome, or else
// remembers what went wrong.
func (s *Socket) registrationEnds(err error) {
	if s.registerEnd != nil {
		s.registerEnd(err)
	} else if err != nil {
		s.lastErr = err
		s.log.Warn("the registration ended", "err", err)
	}
	s.changed.fire()
}

// levels are those of the log for what the machines say.
var levels = [...]slog.Level{endpoint.Debug: slog.LevelDebug, endpoint.Info: slog.LevelInfo, endpoint.Warn: slog.LevelWarn}

// setRegistered notes whether a registrar has granted the registration.
func (s *Socket) setRegistered(yes bool) {
	service := s.table.Service()
	service.Registered = yes
	s.table.SetService(service)
}
