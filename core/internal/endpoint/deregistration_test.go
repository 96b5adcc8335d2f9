package endpoint

import (
	"errors"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

var (
	deregistration = asap.Deregistration{Handle: pool, ID: 0x1234}
	deregistered   = asap.DeregistrationResponse{Handle: pool, ID: 0x1234}
)

// ASAP-3.2-01 to -04, -06: same handle, identifier and association; T3 stops.
func TestDeregister(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{})
	s.want(Send{id, deregistration})
	s.receive(id, deregistered)
	s.want(Deregistered{pool, nil})
	s.wait(time.Hour)
	s.want() // neither T3 nor T4 nor a hunt
	s.step(Deregister{})
	s.want(Deregistered{"", ErrNotRegistered})
}

// ASAP-3.2-05, ASAP-3.2-04: T3 is 30 s; then hunt and do it again there.
func TestT3(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{})
	s.drain()
	for range 2 {
		s.wait(30 * time.Second)
		s.want(Abort{id, "no answer to a request"}, HomeLost{errDropped(t, s)})
		s.wait(2 * time.Second)
		id = s.home()
		s.want(homeFound(id, regA), Send{id, deregistration})
	}
	s.wait(30 * time.Second)
	got := s.drain()
	if d, is := got[0].(Deregistered); !is || !errors.Is(d.Err, ErrTimeout) {
		t.Fatalf("got %v", got)
	}
	s.wait(time.Hour)
	s.want()
}

// errDropped is whatever HomeLost says: the text is for humans.
func errDropped(t *testing.T, s *script) error {
	t.Helper()
	effects := s.m.effects.list
	for _, f := range effects {
		if lost, is := f.(HomeLost); is {
			return lost.Err
		}
	}
	t.Fatalf("no home was lost: %v", effects)
	return nil
}

// ASAP-3.2-05 for a send failure: the home crashes meanwhile.
func TestHomeLostWhileDeregistering(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{})
	s.drain()
	s.step(AssocLost{id, assoc.ErrAborted})
	got := s.drain()
	id = s.connecting(got[1].(Connect))
	s.up(id, regA)
	s.want(homeFound(id, regA), Send{id, deregistration})
	s.receive(id, deregistered)
	s.want(Deregistered{pool, nil})
}

// The user is not kept waiting when there is no registrar any more.
func TestDeregisterWithoutRegistrar(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, assoc.ErrAborted})
	c := s.drain()[1].(Connect)
	s.step(ConnectFailed{c.Token, assoc.ErrRefused})
	s.want()
	s.step(Deregister{})
	c = take[Connect](s) // tried once more, at once
	s.step(ConnectFailed{c.Token, assoc.ErrRefused})
	d := take[Deregistered](s)
	var none *NoRegistrarError
	if !errors.As(d.Err, &none) {
		t.Errorf("got %v", d.Err)
	}
	s.wait(time.Hour)
	s.want()
}

// ASAP-2.2.4-02, ASAP-3.2-10: a refusal is shown by the causes alone.
func TestRefusedDeregistration(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{})
	s.drain()
	r := deregistered
	r.Causes = []protocol.Cause{{Code: protocol.CauseUnspecified}}
	s.receive(id, r)
	var rejected *RejectedError
	if d := take[Deregistered](s); !errors.As(d.Err, &rejected) {
		t.Errorf("got %v", d)
	}
}

// A registration that is still in flight is undone: the deregistration follows
// it on the same association and stream.
func TestDeregisterWhileRegistering(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := s.home()
	s.drain()
	s.step(Deregister{})
	s.want(Send{id, deregistration})
	s.receive(id, granted())
	s.want()
	s.receive(id, deregistered)
	s.want(Deregistered{pool, nil})
}

func TestDeregisterBeforeAnyRegistrarWasFound(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	c := take[Connect](s)
	id := s.connecting(c)
	s.step(Deregister{})
	s.want(Deregistered{pool, nil}, Abort{id, "no longer needed"})
	s.step(AssocLost{id, nil})
	s.wait(time.Hour)
	s.want()
}

func TestRegisterWhileDeregistering(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{}, Register{Handle: "next", Element: protocol.Element{ID: 5}})
	s.want(Send{id, deregistration})
	s.receive(id, deregistered)
	next := mine()
	next.ID = 5
	s.want(Deregistered{pool, nil}, Send{id, asap.Registration{Handle: "next", Element: next}})
}
