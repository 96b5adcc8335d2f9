package endpoint

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// wants are the three things for which one may wait for what is not there yet.
var wants = map[string]func(wait time.Duration) Event{
	"session":    func(wait time.Duration) Event { return OpenSession{Session: 1, Handle: pool, Wait: wait} },
	"resolution": func(wait time.Duration) Event { return Resolve{Token: 1, Handle: pool, Wait: wait} },
	"registration": func(wait time.Duration) Event {
		return Register{Handle: pool, Element: protocol.Element{ID: 0x1234}, Wait: wait}
	},
}

// patient is what became of something that one waits for.
type patient struct {
	*script
	registrar, pool time.Duration // from when on they are there
	silent          bool          // the registrar does not answer from the second attempt on

	at           time.Duration // of the outcome
	err          error         // nil: success
	tries, asked int
	waits        []error // of Waits effects
}

const never = 24 * time.Hour

// waitFor begins something and answers the endpoint for an hour.
func (p *patient) waitFor(e Event) *patient {
	p.t.Helper()
	p.step(e)
	p.run(p.start.Add(time.Hour), p.answer)
	return p
}

func (p *patient) answer(f Effect) {
	now := p.now.Sub(p.start)
	switch f := f.(type) {
	case Connect:
		p.tries++
		switch id := p.connecting(f); {
		case p.silent && p.tries > 1:
		case now < p.registrar:
			p.step(AssocLost{id, assoc.ErrRefused})
		default:
			p.up(id, f.Addrs[0])
		}
	case Send:
		p.asked++
		switch _, joins := f.Message.(asap.Registration); {
		case joins:
			p.receive(f.Assoc, granted())
		case now < p.pool:
			p.receive(f.Assoc, refusal(protocol.CauseUnknownPoolHandle))
		default:
			p.receive(f.Assoc, answer(pes(1)...))
		}
	case Waits:
		p.waits = append(p.waits, f.Err)
	case UsePE, Resolved, Registered:
		p.end(now, nil)
	case SessionFailed:
		p.end(now, f.Err)
	case ResolveFailed:
		p.end(now, f.Err)
	case RegistrationFailed:
		p.end(now, f.Err)
	}
}

func (p *patient) end(now time.Duration, err error) {
	if p.at != 0 {
		p.t.Fatalf("ended twice, at %v and %v", p.at, now)
	}
	p.at, p.err = max(now, 1), err
}

// within checks when something ended.
func (p *patient) within(from, to time.Duration) {
	p.t.Helper()
	if p.at < from || p.at > max(to, 1) {
		p.t.Errorf("ended at %v with %v, want from %v to %v", p.at, p.err, from, to)
	}
}

func newPatient(t *testing.T) *patient {
	return &patient{script: newScript(t, Config{Registrars: only(regA)})}
}

// A registrar that comes while somebody waits is found soon; one that does not
// come is missed when the time is over, and not before.
func TestWaitForRegistrar(t *testing.T) {
	for name, want := range wants {
		t.Run(name, func(t *testing.T) {
			var none *NoRegistrarError
			for _, comes := range []time.Duration{0, 10 * time.Millisecond, time.Second, 1800 * time.Millisecond} {
				p := newPatient(t)
				p.registrar = comes
				if p.waitFor(want(2 * time.Second)); p.err != nil {
					t.Errorf("comes after %v: %v", comes, p.err)
				}
				p.within(comes, comes+comes/4+100*time.Millisecond)
			}
			p := newPatient(t)
			p.registrar = never
			p.waitFor(want(2*time.Second)).within(2*time.Second, 2*time.Second)
			if !errors.As(p.err, &none) || len(none.Tried) != 1 || none.Tried[0].Err != assoc.ErrRefused || p.tries > 40 {
				t.Errorf("never comes: %v after %d attempts", p.err, p.tries)
			}
			p = newPatient(t)
			p.registrar = never
			p.waitFor(want(0)).within(0, 0)
			if !errors.As(p.err, &none) || len(p.waits) > 0 {
				t.Errorf("is not waited for: %v, told %v", p.err, p.waits)
			}
			p = newPatient(t)
			p.registrar = 50 * time.Minute
			if p.waitFor(want(-1)); p.err != nil || p.tries > 4000 {
				t.Errorf("is waited for for ever: %v after %d attempts", p.err, p.tries)
			}
			p.within(50*time.Minute, 50*time.Minute+time.Second)
		})
	}
}

// The time is over when it is over, whatever attempt is under way.
func TestWaitDoesNotWaitForSilence(t *testing.T) {
	for name, want := range wants {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			p.registrar, p.silent = never, true
			p.waitFor(want(2*time.Second)).within(2*time.Second, 2*time.Second)
		})
	}
}

// The same for a name that has an address late. It is not looked up each time that
// the registrars are tried.
func TestWaitForName(t *testing.T) {
	for name, want := range wants {
		t.Run(name, func(t *testing.T) {
			for comes, static := range map[time.Duration][][]netip.AddrPort{time.Second: nil, 1100 * time.Millisecond: only(regB)} {
				p := &patient{script: newScript(t, Config{LookUp: true, Registrars: static})}
				lookUps := 0
				p.registrar = comes
				p.step(want(2 * time.Second))
				p.run(p.start.Add(time.Hour), func(f Effect) {
					if _, is := f.(LookUp); !is {
						p.answer(f)
						return
					}
					lookUps++
					if p.now.Sub(p.start) < comes {
						p.step(LookedUp{Failed: []Tried{{Name: "registrar.example:3863", Err: errNoHost}}})
					} else {
						p.step(LookedUp{Found: only(regA)})
					}
				})
				p.within(comes, comes+700*time.Millisecond)
				if p.err != nil || lookUps > 6 {
					t.Errorf("name comes after %v: %v after %d look-ups", comes, p.err, lookUps)
				}
			}
		})
	}
}

// The same for a pool, which the registrar knows late or never.
func TestWaitForPool(t *testing.T) {
	for _, name := range []string{"session", "resolution"} {
		want := wants[name]
		t.Run(name, func(t *testing.T) {
			for _, comes := range []time.Duration{time.Millisecond, time.Second, 1800 * time.Millisecond} {
				p := newPatient(t)
				p.registrar, p.pool = comes/2, comes
				if p.waitFor(want(2 * time.Second)); p.err != nil {
					t.Errorf("comes after %v: %v", comes, p.err)
				}
				p.within(comes, comes+comes/4+100*time.Millisecond)
			}
			p := newPatient(t)
			p.pool = never
			p.waitFor(want(2*time.Second)).within(2*time.Second, 2*time.Second)
			if !errors.Is(p.err, ErrUnknownPool) || p.asked > 40 {
				t.Errorf("never comes: %v after %d questions", p.err, p.asked)
			}
			p = newPatient(t)
			p.pool = never
			if p.waitFor(want(0)).within(0, 0); !errors.Is(p.err, ErrUnknownPool) {
				t.Errorf("is not waited for: %v", p.err)
			}
			p = newPatient(t)
			p.registrar, p.pool = time.Second, 50*time.Minute
			if p.waitFor(want(-1)); p.err != nil || p.asked > 4000 {
				t.Errorf("is waited for for ever: %v after %d questions", p.err, p.asked)
			}
			p.within(50*time.Minute, 50*time.Minute+time.Second)
			var none *NoRegistrarError
			if len(p.waits) != 2 || !errors.As(p.waits[0], &none) || !errors.Is(p.waits[1], ErrUnknownPool) {
				t.Errorf("told %v, want first that there is no registrar and then no pool", p.waits)
			}
		})
	}
}

// What a registrar refuses is final.
func TestRefusalIsNotWaitedFor(t *testing.T) {
	s, id := newScript(t, Config{Registrars: only(regA)}), assoc.ID(0)
	s.step(Resolve{Token: 1, Handle: pool, Wait: -1})
	id = s.home()
	s.drain()
	s.receive(id, refusal(protocol.CauseRejectedForSecurity))
	var rejected *RejectedError
	if f := take[ResolveFailed](s); !errors.As(f.Err, &rejected) {
		t.Errorf("got %v", f.Err)
	}
}

// Somebody who does not want to wait joins those who do: the registrar is asked
// for it at once, and its answer is for all.
func TestImpatientAmongPatient(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool, Wait: -1})
	id := s.home()
	s.drain()
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
	take[Waits](s)
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(Send{id, question})
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
	if f := take[ResolveFailed](s); f.Token != 2 {
		t.Errorf("resolution %d failed", f.Token)
	}
	s.step(OpenSession{Session: 7, Handle: pool, Wait: time.Minute}, CancelResolve{1})
	s.want(Send{id, question})
	s.receive(id, answer(pes(1)...))
	if f := take[UsePE](s); f.Session != 7 {
		t.Errorf("session %d is served", f.Session)
	}
	if u := s.m.user; u.outstanding(id) != 0 || !reflect.DeepEqual(u.known(pool), pes(1)) {
		t.Errorf("%d questions are left", u.outstanding(id))
	}
}

// A session that has had an element searches on as long as its failover limit
// says, not as long as it would have waited at first.
func TestFailoverDoesNotWait(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), FailoverLimit: 5 * time.Second})
	s.step(OpenSession{Session: 1, Handle: pool, Wait: -1})
	id := s.home()
	s.drain()
	s.receive(id, answer(pes(1)...))
	take[UsePE](s)
	s.step(SessionLost{Session: 1, Err: assoc.ErrTimeout})
	var failed []time.Duration
	s.run(s.start.Add(time.Hour), func(f Effect) {
		switch f := f.(type) {
		case Send:
			s.receive(f.Assoc, refusal(protocol.CauseUnknownPoolHandle))
		case SessionFailed:
			failed = append(failed, s.now.Sub(s.start))
			// The pool has lost its only element by then: that is not the reason.
			if errors.Is(f.Err, ErrUnknownPool) || !errors.Is(f.Err, assoc.ErrTimeout) {
				t.Errorf("failed with %v, want what happened to the element", f.Err)
			}
		}
	})
	if len(failed) != 1 || failed[0] != 5*time.Second {
		t.Errorf("failed at %v, want once, at 5 s", failed)
	}
}
