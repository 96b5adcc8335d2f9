package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/session"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// portEndpoint is where all PEs and PUs are.
const portEndpoint = 7000

// Role is what the application of an ASAP endpoint does.
type Role struct {
	// Handle of the pool that it serves in; empty: it is no PE. Element is the
	// template of its registrations.
	Handle  protocol.PoolHandle
	Element protocol.Element
	// Session keeps a session with an element of this pool; empty: none.
	Session protocol.PoolHandle
	// Resolve asks for this pool, again and again after a pause of Every.
	Resolve protocol.PoolHandle
	Every   time.Duration
	// TCP makes a PU ask registrars over TCP.
	TCP bool
	// App is what the sessions are for.
	App App
}

// endpointProgram is a PE or PU: the machine of ASAP and the sessions, as in
// rserpool.Socket, with an application that does not give up.
type endpointProgram struct {
	driver.Driver[endpoint.Event, endpoint.Effect]
	host  *Host
	port  *port
	conns map[assoc.ID]*port // over TCP; nil without any
	role  Role
	table *session.Table
	app   application

	running bool     // something is being done
	waiting []func() // until that is done

	discovers  bool
	heard      map[*Host]time.Time // registrars that announced themselves: when last
	home       []netip.AddrPort
	element    protocol.Element // as registered
	registered bool
	since      time.Time // when it became registered
	asked      bool      // Register has no answer yet
	leaving    bool

	session *session.Session // of the PU; nil between two
	looking time.Time        // since when the session looks for a PE
	served  bool
	stood   bool // it was served once

	token    endpoint.Token
	resolves map[endpoint.Token]bool // Resolve has no answer yet
}

// AddEndpoint adds a host for a PE or PU; it does not run yet. It knows the
// registrars at the hosts, and with Discover those that announce themselves.
func (w *World) AddEndpoint(name string, role Role, cfg endpoint.Config, registrars ...*Host) *Host {
	at := uint16(protocol.PortASAP)
	if role.TCP {
		at = portTCP
	}
	for _, r := range registrars {
		cfg.Registrars = append(cfg.Registrars, []netip.AddrPort{netip.AddrPortFrom(r.ip, at)})
	}
	return w.addHost(name, func(h *Host) program {
		cfg := cfg
		cfg.Rand = h.newRand()
		e := &endpointProgram{
			host: h, role: role, discovers: cfg.Discover > 0,
			heard: map[*Host]time.Time{}, resolves: map[endpoint.Token]bool{},
		}
		e.Driver = driver.Driver[endpoint.Event, endpoint.Effect]{Machine: endpoint.New(cfg), Now: h.now, Perform: e.perform}
		e.table = newTable(e)
		e.app.e = e
		return e
	})
}

func newTable(e *endpointProgram) *session.Table {
	var salts *rand.Rand
	return session.New(session.Config{
		Options: e.role.options(), MaxMessage: 1 << 20, CookieLife: 24 * time.Hour, PerSession: true,
		Post:   func(event endpoint.Event) { e.Post(event) },
		Encode: e.encode, Decode: e.decode,
		Random: func(b []byte) {
			if salts == nil {
				salts = e.host.newRand()
			}
			for i := range b {
				b[i] = byte(salts.Uint32())
			}
		},
	})
}

func (e *endpointProgram) begin() {
	e.port = e.host.proc.listen(portEndpoint, e.handle)
	e.port.carriesData, e.port.lends, e.port.writable = true, !e.role.App.Kernel, e.hasRoom
	_ = e.port.SetParams(0, e.table.EndpointParams())
	e.table.Attach(controlPort{e.port, e}, e.port, e.port.lends)
	e.do(func() {
		if e.discovers {
			e.listen()
		}
		if e.role.Handle != "" {
			e.table.SetService(session.Service{Serving: true, Pool: string(e.role.Handle), PoolKey: e.role.App.PoolKey})
			e.register()
		}
		if e.role.Session != "" {
			e.openSession()
		}
		if e.role.Resolve != "" {
			e.resolve()
		}
	})
}

// do does something and all that follows from it, one thing after the other: what the
// transport has to tell meanwhile waits, as it does for a lock.
func (e *endpointProgram) do(f func()) {
	e.waiting = append(e.waiting, f)
	if e.running {
		return
	}
	e.running = true
	for len(e.waiting) > 0 {
		f := e.waiting[0]
		e.waiting = e.waiting[1:]
		f()
		e.settle()
	}
	e.running = false
}

// settle lets the application do what it can do now.
func (e *endpointProgram) settle() {
	e.table.Hungry()
	e.table.Changed(e.app.changed)
	for _, l := range e.table.Logs() {
		if l.Level == endpoint.Warn {
			e.host.w.trace(e.host, nil, "%s %v", l.Text, l.Args)
		}
	}
	e.table.Moved()
	e.table.Failure()
}

// Next returns the earliest deadline of the machine and the sessions.
func (e *endpointProgram) Next() (time.Time, bool) {
	at, ok := e.Driver.Next()
	if t, is := e.table.Next(); is && (!ok || t.Before(at)) {
		return t, true
	}
	return at, ok
}

// Advance lets their deadlines pass.
func (e *endpointProgram) Advance() {
	e.do(func() {
		e.Driver.Advance()
		e.table.Advance(e.host.now())
	})
}

// later does something in a while, if the process still runs then.
func (e *endpointProgram) later(d time.Duration, do func()) {
	p := e.host.proc
	e.host.w.after(d, func() { p.do(func() { e.do(do) }) })
}

func (e *endpointProgram) register() {
	if e.leaving {
		return
	}
	e.asked = true
	e.Post(endpoint.Register{Handle: e.role.Handle, Element: e.role.Element})
}

func (e *endpointProgram) openSession() {
	e.looking, e.served, e.stood = e.host.w.now, false, false
	ss, err := e.table.Open(e.host.now(), string(e.role.Session), 0)
	if err != nil {
		e.host.w.fail("%s cannot open a session: %v", e.host.name, err)
		return
	}
	e.session = ss
	e.app.opened(ss)
}

func (e *endpointProgram) resolve() {
	e.token++
	e.resolves[e.token] = true
	e.host.w.asks(e, e.token)
	e.Post(endpoint.Resolve{Token: e.token, Handle: e.role.Resolve, MaxAge: -1})
}

// resolved: err is why there is no answer.
func (e *endpointProgram) resolved(t endpoint.Token, err error) {
	delete(e.resolves, t)
	e.host.w.resolved(e, t, err)
	e.later(e.role.Every, e.resolve)
}

// Deregister makes the PE of a host leave its pool.
func (h *Host) Deregister() {
	h.endpointDo(func(e *endpointProgram) {
		e.leaving = true
		e.Post(endpoint.Deregister{})
	})
}

// Change registers the PE of a host with another load or weight.
func (h *Host) Change(p protocol.Policy) {
	h.endpointDo(func(e *endpointProgram) {
		e.role.Element.Policy = p
		e.register()
	})
}

func (h *Host) endpointDo(do func(*endpointProgram)) {
	if e := h.endpoint(); e != nil {
		h.proc.do(func() { e.do(func() { do(e) }) })
	}
}

// endpoint returns what runs on a host if that is an ASAP endpoint.
func (h *Host) endpoint() *endpointProgram {
	if h.proc == nil {
		return nil
	}
	e, _ := h.proc.program.(*endpointProgram)
	return e
}

func (e *endpointProgram) handle(info assoc.RecvInfo, b []byte) {
	e.do(func() {
		if info.Kind == assoc.Message && info.PPID == protocol.PPIDASAP {
			e.host.Traffic.ReceivedASAP.add(b)
		}
		if e.app.talk != nil {
			e.app.talk.arrives(&info, b)
		}
		e.table.Handle(e.host.now(), &info, b)
	})
}

func (e *endpointProgram) hasRoom(id assoc.ID) {
	e.do(func() { e.table.Writable(e.host.now(), id) })
}

// decode reads an ASAP message; all here can be read.
func (e *endpointProgram) decode(_ *assoc.RecvInfo, b []byte) (asap.Message, []protocol.Cause) {
	m, report, err := asap.Parse(b)
	e.host.parsed(m, report, err)
	return m, report
}

func (e *endpointProgram) encode(_ assoc.ID, m asap.Message) ([]byte, error) {
	e.host.checkASAP(m)
	return asap.Append(nil, m)
}

func (e *endpointProgram) perform(f endpoint.Effect) {
	if c, is := f.(endpoint.Connect); is && e.role.TCP {
		e.connectTCP(c)
		return
	}
	switch f := f.(type) {
	case endpoint.HomeFound:
		e.home = f.Addrs
		e.host.w.trace(e.host, nil, "home is %s", e.host.w.nameAt(f.Addrs))
	case endpoint.HomeLost:
		e.home = nil
		e.host.w.trace(e.host, nil, "home lost: %v", f.Err)
	case endpoint.SessionFailed:
		e.host.w.trace(e.host, nil, "session failed: %v", f.Err)
		e.host.w.sessionFailed(e, f.Err)
		e.table.Perform(e.host.now(), f)
	case endpoint.CookieReceived:
		e.app.talk.keepsCookie(f.Data)
		e.table.Perform(e.host.now(), f)
	default:
		if !e.table.Perform(e.host.now(), f) {
			e.inform(f)
		}
	}
}

func (w *World) nameAt(addrs []netip.AddrPort) string {
	if len(addrs) > 0 && w.byIP[addrs[0].Addr()] != nil {
		return w.byIP[addrs[0].Addr()].name
	}
	return "nobody"
}

// inform does what concerns the application: it tries again what failed.
func (e *endpointProgram) inform(f endpoint.Effect) {
	w := e.host.w
	switch f := f.(type) {
	case endpoint.Registered:
		if !e.registered {
			e.since = w.now
		}
		e.asked, e.registered, e.element = false, true, f.Element
		w.trace(e.host, nil, "registered in pool %s", f.Handle)
	case endpoint.RegistrationFailed:
		e.asked, e.registered = false, f.StillRegistered
		w.trace(e.host, nil, "registration failed: %v", f.Err)
		e.later(time.Second, e.register)
	case endpoint.RegistrationLost:
		e.registered = false
		w.trace(e.host, nil, "registration lost: %v", f.Err)
	case endpoint.Deregistered:
		e.asked, e.registered = false, false
		w.trace(e.host, nil, "not registered any more: %v", f.Err)
	case endpoint.Resolved:
		e.resolved(f.Token, nil)
	case endpoint.ResolveFailed:
		e.resolved(f.Token, f.Err)
	}
}

// sessionChanged follows who serves the session of the PU, and opens a new one when it
// has failed.
func (e *endpointProgram) sessionChanged(ss *session.Session) {
	w := e.host.w
	served := ss.State() == session.Established
	switch {
	case ss != e.session:
	case ss.Ended():
		e.session, e.served = nil, false
		e.app.ended(ss)
		e.later(time.Second, e.openSession)
	case served && !e.served && !e.stood:
		e.stood = true
		w.trace(e.host, nil, "session is served by %s", e.serving())
	case !served && e.served:
		e.looking = w.now
	}
	if ss == e.session {
		e.served = served
	}
}

// serving names the host of the PE that serves the session.
func (e *endpointProgram) serving() string {
	_, peer := e.table.Ends(e.session)
	return e.host.w.nameAt(peer)
}

// Home returns the registrar that is the home of the PE or PU at a host; nil
// without one.
func (h *Host) Home() *Host {
	if e := h.endpoint(); e != nil && len(e.home) > 0 {
		return h.w.byIP[e.home[0].Addr()]
	}
	return nil
}
