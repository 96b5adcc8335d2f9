package endpoint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// world answers an endpoint at random: registrars that refuse, hang, die, lie
// and come back, PEs that fail, and an application that changes its mind. After
// every step it checks what has to hold whatever happens.
type world struct {
	t   *testing.T
	r   *rand.Rand
	m   *Endpoint
	now time.Time
	log []entry

	lastAssoc assoc.ID
	dead      bool       // no registrar is there any more
	pending   []Token    // Connect without answer
	hunting   []assoc.ID // being set up with registrars
	up        []assoc.ID // with registrars
	strangers []assoc.ID // other associations
	owed      []Send     // messages that a registrar may answer

	lastSession SessionID
	sessions    []SessionID // open
	serving     map[SessionID]bool
	tokens      map[Token]bool // Resolve without answer
	lastToken   Token
	answers     map[reflect.Type]int
}

// entry is one thing that happened.
type entry struct {
	at    time.Duration
	arrow string
	what  any
}

func (e entry) String() string { return fmt.Sprintf("%v %s %T %v", e.at, e.arrow, e.what, e.what) }

func (w *world) fatal(format string, args ...any) {
	w.t.Helper()
	tail := w.log[max(0, len(w.log)-40):]
	for _, l := range tail {
		w.t.Log(l)
	}
	w.t.Fatalf(format, args...)
}

func (w *world) step(e Event) {
	w.log = append(w.log, entry{w.now.Sub(epoch), ">", e})
	w.m.Step(w.now, e)
	w.effects()
}

func remove[V comparable](list []V, v V) []V {
	var out []V
	for _, x := range list {
		if x != v {
			out = append(out, x)
		}
	}
	return out
}

func (w *world) effects() {
	w.t.Helper()
	for _, f := range w.m.Drain() {
		w.log = append(w.log, entry{w.now.Sub(epoch), "  <", f})
		w.effect(f)
	}
	w.check()
	for len(w.pending) > 0 {
		w.connectOutcome()
	}
}

func (w *world) effect(f Effect) {
	switch f := f.(type) {
	case Connect:
		if len(f.Addrs) == 0 {
			w.fatal("connects by %v", f)
		}
		w.pending = append(w.pending, f.Token)
	case Abort:
		w.gone(f.Assoc)
	case Shutdown:
		w.gone(f.Assoc)
	case Send:
		w.owed = append(w.owed, f)
		if len(w.owed) > 20 {
			w.owed = w.owed[1:]
		}
	case UsePE:
		if !w.isOpen(f.Session) {
			w.fatal("uses a PE for closed session %d", f.Session)
		}
		w.serving[f.Session] = true
	case SessionFailed:
		if !w.isOpen(f.Session) {
			w.fatal("session %d fails twice", f.Session)
		}
		w.end(f.Session)
	case Resolved:
		w.resolved(f.Token)
	case ResolveFailed:
		w.resolved(f.Token)
	}
	w.answers[reflect.TypeOf(f)]++
}

func (w *world) gone(id assoc.ID) {
	w.hunting, w.up, w.strangers = remove(w.hunting, id), remove(w.up, id), remove(w.strangers, id)
}

func (w *world) resolved(t Token) {
	if !w.tokens[t] {
		w.fatal("token %d is answered although nobody asks", t)
	}
	delete(w.tokens, t)
}

func (w *world) isOpen(id SessionID) bool {
	for _, s := range w.sessions {
		if s == id {
			return true
		}
	}
	return false
}

func (w *world) end(id SessionID) {
	w.sessions = remove(w.sessions, id)
	delete(w.serving, id)
}

// check holds the invariants.
func (w *world) check() {
	w.t.Helper()
	h, u := w.m.hunt, w.m.user
	// SH1: never more than three associations with registrars (ASAP-3.6-10).
	if n := len(w.hunting) + len(w.up); n > 3 {
		w.fatal("%d associations with registrars", n)
	}
	at, due := w.m.Next()
	if due && at.Before(w.now) {
		w.fatal("was due %v ago", w.now.Sub(at))
	}
	needs := w.m.element.needsHome() || u.needsHome()
	if needs && h.homeAssoc() == 0 && !due {
		w.fatal("needs a home and does nothing for it")
	}
	if h.homeAssoc() != 0 && (len(w.tokens) > 0 || u.outstanding(h.homeAssoc()) > 0) && !due {
		w.fatal("waits for an answer without a timer")
	}
	if len(w.tokens) > 0 && !needs {
		w.fatal("%d resolutions are forgotten", len(w.tokens))
	}
	for _, id := range w.sessions {
		if !w.serving[id] && !due {
			w.fatal("session %d is forgotten", id)
		}
	}
}

func pickOf[V any](r *rand.Rand, list []V) (v V, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	return list[r.IntN(len(list))], true
}

func (w *world) act() {
	handles := []protocol.PoolHandle{"a", "b", "c"}
	h := handles[w.r.IntN(3)]
	failures := []error{nil, assoc.ErrRefused, assoc.ErrTimeout, assoc.ErrAborted}
	err := failures[w.r.IntN(4)]
	switch w.r.IntN(19) + 3 {
	case 3, 4:
		w.advance()
	case 5, 6:
		if id, ok := pickOf(w.r, w.hunting); ok {
			w.hunting = remove(w.hunting, id)
			if w.r.IntN(3) == 0 {
				w.step(AssocLost{id, err})
				return
			}
			w.up = append(w.up, id)
			w.step(AssocUp{Assoc: id, Local: []netip.AddrPort{local}, Peer: []netip.AddrPort{regA}})
		}
	case 7:
		if id, ok := pickOf(w.r, w.up); ok && w.r.IntN(3) == 0 {
			w.gone(id)
			w.step(AssocLost{id, err})
		}
	case 8, 9, 10, 11:
		w.answer()
	case 12:
		w.step(Register{Handle: h, Element: protocol.Element{Life: protocol.Life(w.r.IntN(400) - 1)}, Wait: w.patience()})
	case 13:
		if w.r.IntN(4) == 0 {
			w.step(Deregister{})
		}
	case 14, 15:
		w.lastSession++
		w.sessions = append(w.sessions, w.lastSession)
		w.step(OpenSession{Session: w.lastSession, Handle: h, Wait: w.patience()})
	case 16:
		if id, ok := pickOf(w.r, w.sessions); ok {
			w.end(id)
			w.step(CloseSession{id})
		}
	case 17, 18:
		if id, ok := pickOf(w.r, w.sessions); ok && w.serving[id] {
			if w.r.IntN(2) == 0 {
				w.lastAssoc++
				w.step(SessionUp{id, w.lastAssoc})
				return
			}
			delete(w.serving, id)
			w.step(SessionLost{Session: id, Err: err, ByUser: w.r.IntN(4) == 0})
		}
	case 19:
		w.lastToken++
		w.tokens[w.lastToken] = true
		w.step(Resolve{Token: w.lastToken, Handle: h, MaxAge: time.Duration(w.r.IntN(3)-1) * time.Second, Items: uint32(w.r.IntN(50)), Wait: w.patience()})
	case 20:
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(w.r.IntN(6))}), 3863)
		w.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(a)}}, a})
	case 21:
		w.stranger(h)
	}
}

// patience is how long somebody waits for what is not there yet.
func (w *world) patience() time.Duration {
	return []time.Duration{0, 300 * time.Millisecond, 2 * time.Second, -1}[w.r.IntN(4)]
}

// connectOutcome answers a Connect as transports do: at once.
func (w *world) connectOutcome() {
	t := w.pending[0]
	w.pending = w.pending[1:]
	if w.dead || w.r.IntN(4) == 0 {
		w.step(ConnectFailed{t, assoc.ErrRefused})
		return
	}
	w.lastAssoc++
	w.hunting = append(w.hunting, w.lastAssoc)
	w.step(Connecting{t, w.lastAssoc})
}

// answer lets a registrar answer one of the last messages, rightly or not.
func (w *world) answer() {
	f, ok := pickOf(w.r, w.owed)
	if !ok {
		return
	}
	var causes []protocol.Cause
	if w.r.IntN(4) == 0 {
		causes = []protocol.Cause{{Code: protocol.CauseCode(w.r.IntN(11))}}
	}
	var m asap.Message
	switch q := f.Message.(type) {
	case asap.Registration:
		m = asap.RegistrationResponse{Rejected: causes != nil, Handle: q.Handle, ID: q.Element.ID, Causes: causes}
		if w.r.IntN(10) == 0 {
			m = asap.DeregistrationResponse{Handle: q.Handle, ID: q.Element.ID}
		}
		if w.r.IntN(10) == 0 {
			m = asap.EndpointKeepAlive{NewHome: w.r.IntN(2) == 0, Server: 1, Handle: q.Handle}
		}
	case asap.Deregistration:
		m = asap.DeregistrationResponse{Handle: q.Handle, ID: q.ID, Causes: causes}
	case asap.HandleResolution:
		m = asap.HandleResolutionResponse{Handle: q.Handle, Elements: pes(w.r.IntN(4)), Causes: causes, UpdatesAccepted: q.Subscribe}
	default:
		m = asap.Error{Causes: []protocol.Cause{{}}}
	}
	w.step(Received{f.Assoc, m})
}

// stranger is a registrar that contacts a PE by itself. It may make itself
// home; its association counts from then on.
func (w *world) stranger(h protocol.PoolHandle) {
	id, ok := pickOf(w.r, w.strangers)
	if !ok {
		w.lastAssoc++
		w.strangers = append(w.strangers, w.lastAssoc)
		w.step(AssocUp{Assoc: w.lastAssoc, Local: []netip.AddrPort{local}, Peer: []netip.AddrPort{regB}})
		return
	}
	before := w.m.hunt.homeAssoc()
	w.step(Received{id, asap.EndpointKeepAlive{NewHome: true, Server: 2, Handle: h}})
	if w.m.hunt.homeAssoc() == id && before != id {
		w.strangers = remove(w.strangers, id)
		w.up = append(w.up, id)
	}
}

func (w *world) advance() {
	at, ok := w.m.Next()
	if !ok {
		at = w.now.Add(time.Second)
	}
	if w.r.IntN(3) == 0 { // a busy machine is late
		at = at.Add(time.Duration(w.r.IntN(5000)) * time.Millisecond)
	}
	if at.After(w.now) {
		w.now = at
	}
	w.m.Advance(w.now)
	w.effects()
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t: t, r: rand.New(rand.NewPCG(seed, 99)), now: epoch, lastAssoc: 100,
		m: New(Config{
			Rand: rand.New(rand.NewPCG(seed, 1)), Registrars: registrars(int(seed % 6)),
			Subscribe: seed%2 == 0, HuntRounds: []int{0, -1, 2}[seed%3],
		}),
		serving: map[SessionID]bool{}, tokens: map[Token]bool{}, answers: map[reflect.Type]int{},
	}
}

// The invariants of ASAP-3.6-10 and of every wait: always a timer or an
// outstanding association when work is pending, every question gets exactly
// one answer.
func TestRandomEvents(t *testing.T) {
	answers := map[reflect.Type]int{}
	for seed := range uint64(60) {
		w := newWorld(t, seed)
		for range 1500 {
			w.act()
		}
		w.settleDown()
		for k, n := range w.answers {
			answers[k] += n
		}
	}
	for _, f := range []Effect{Connect{}, Send{}, Shutdown{}, Abort{}, HomeFound{}, HomeLost{}, Registered{}, RegistrationFailed{},
		RegistrationLost{}, Deregistered{}, Resolved{}, ResolveFailed{}, UsePE{}, SessionFailed{}, Waits{}} {
		if answers[reflect.TypeOf(f)] == 0 {
			t.Errorf("no %T happened: the test is worth less than it seems", f)
		}
	}
}

// settleDown closes everything: then nothing may be left to do.
func (w *world) settleDown() {
	for _, id := range w.sessions {
		w.end(id)
		w.step(CloseSession{id})
	}
	for len(w.tokens) > 0 {
		for t := range w.tokens {
			delete(w.tokens, t)
			w.step(CancelResolve{t})
		}
	}
	w.step(Deregister{})
	for i := 0; w.m.element.needsHome() || w.m.user.needsHome(); i++ {
		if i > 1000 {
			w.fatal("never comes to rest")
		}
		w.dead = true
		w.advance()
	}
	for range 100 {
		w.advance() // T7 of announcements, delayed refreshes
	}
	if at, ok := w.m.Next(); ok || len(w.m.user.known("none")) > 0 {
		w.fatal("something is left to do at %v", at)
	}
}

// The same seed gives the same conversation.
func TestRandomEventsReplay(t *testing.T) {
	run := func() (lines []string) {
		w := newWorld(t, 42)
		for range 1500 {
			w.act()
		}
		for _, l := range w.log {
			lines = append(lines, l.String())
		}
		return lines
	}
	if diff := cmp.Diff(run(), run()); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

// Errors say what, why and what to do.
func TestErrorTexts(t *testing.T) {
	for _, err := range []error{
		&NoRegistrarError{}, ErrTimeout, ErrUnknownPool, ErrTooMany, ErrRegistered, ErrNotRegistered, ErrNoAddress, ErrExpired,
		&RejectedError{Handle: pool}, &NoElementError{Handle: pool, Err: assoc.ErrRefused},
	} {
		if s := err.Error(); len(s) < 30 {
			t.Errorf("%T says %q", err, s)
		}
	}
	err := error(&NoElementError{Handle: pool, Err: assoc.ErrRefused})
	if !errors.Is(err, assoc.ErrRefused) {
		t.Error("the last failure is not in the chain")
	}
	got := (&NoRegistrarError{Tried: nil}).Error()
	if got == (&NoRegistrarError{Tried: registrarsTried()}).Error() {
		t.Error("what was tried is not named")
	}
}

func registrarsTried() (out []Tried) {
	for _, a := range registrars(2) {
		out = append(out, Tried{Addrs: a, Err: assoc.ErrRefused})
	}
	return out
}
