package sim

import (
	"errors"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/shell"
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
}

// endpointProgram is the machine of a PE or PU in a shell like
// rserpool.Socket, with an application that does not give up.
type endpointProgram struct {
	shell.Driver[endpoint.Event, endpoint.Effect]
	host   *Host
	port   *port
	conns  map[assoc.ID]*port // over TCP; nil without any
	role   Role
	assocs map[assoc.ID]*association

	discovers  bool
	heard      map[*Host]time.Time // registrars that announced themselves: when last
	home       []netip.AddrPort
	element    protocol.Element // as registered
	registered bool
	since      time.Time // when it became registered
	asked      bool      // Register has no answer yet
	leaving    bool

	session endpoint.SessionID
	looking time.Time // since when the session looks for a PE
	at      assoc.ID  // of the session
	serving *Host     // who serves it
	served  bool

	token   endpoint.Token
	waiting map[endpoint.Token]bool // Resolve has no answer yet
}

// association is what the shell knows of one.
type association struct {
	up      bool
	session endpoint.SessionID // 0: none
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
			heard: map[*Host]time.Time{}, assocs: map[assoc.ID]*association{}, waiting: map[endpoint.Token]bool{},
		}
		e.Driver = shell.Driver[endpoint.Event, endpoint.Effect]{Machine: endpoint.New(cfg), Now: h.now, Perform: e.perform}
		return e
	})
}

func (e *endpointProgram) begin() {
	e.port = e.host.proc.listen(portEndpoint, e.handle)
	if e.discovers {
		e.listen()
	}
	if e.role.Handle != "" {
		e.register()
	}
	if e.role.Session != "" {
		e.openSession()
	}
	if e.role.Resolve != "" {
		e.resolve()
	}
}

// later does something in a while, if the process still runs then.
func (e *endpointProgram) later(d time.Duration, do func()) {
	p := e.host.proc
	e.host.w.after(d, func() { p.do(do) })
}

func (e *endpointProgram) register() {
	if e.leaving {
		return
	}
	e.asked = true
	e.Post(endpoint.Register{Handle: e.role.Handle, Element: e.role.Element})
}

func (e *endpointProgram) openSession() {
	e.session++
	e.looking = e.host.w.now
	e.at, e.served, e.serving = 0, false, nil
	e.Post(endpoint.OpenSession{Session: e.session, Handle: e.role.Session})
}

func (e *endpointProgram) resolve() {
	e.token++
	e.waiting[e.token] = true
	e.host.w.asks(e, e.token)
	e.Post(endpoint.Resolve{Token: e.token, Handle: e.role.Resolve, MaxAge: -1})
}

// resolved: err is why there is no answer.
func (e *endpointProgram) resolved(t endpoint.Token, err error) {
	delete(e.waiting, t)
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
		h.proc.do(func() { do(e) })
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
	a := e.assocs[info.Assoc]
	if a == nil {
		a = &association{}
		e.assocs[info.Assoc] = a
	}
	switch info.Kind {
	case assoc.Message:
		e.host.Traffic.ReceivedASAP.add(b)
		m, report, err := asap.Parse(b)
		e.host.parsed(m, report, err)
		e.Post(endpoint.Received{Assoc: info.Assoc, Message: m})
	case assoc.CommUp:
		e.handleUp(info.Assoc, a)
	case assoc.Restart:
		if a.session != 0 {
			_ = e.port.Abort(info.Assoc, "")
			return
		}
		e.Post(endpoint.AssocRestarted{Assoc: info.Assoc})
	default:
		e.handleDown(info, a)
	}
}

func (e *endpointProgram) handleUp(id assoc.ID, a *association) {
	a.up = true
	if a.session != 0 {
		e.served = true
		e.host.w.trace(e.host, nil, "session is served by %s", e.serving.name)
		e.Post(endpoint.SessionUp{Session: a.session, Assoc: id})
		return
	}
	e.postUp(id)
}

func (e *endpointProgram) postUp(id assoc.ID) {
	p, at := e.portOf(id)
	local, peer, _ := p.AssocAddrs(at) // gone already: the end follows
	e.Post(endpoint.AssocUp{Assoc: id, Local: local, Peer: peer})
}

func (e *endpointProgram) handleDown(info assoc.RecvInfo, a *association) {
	delete(e.assocs, info.Assoc)
	if a.session != 0 {
		e.sessionLost(a.session, info.Err)
	}
	e.Post(endpoint.AssocLost{Assoc: info.Assoc, Err: info.Err})
}

func (e *endpointProgram) sessionLost(id endpoint.SessionID, err error) {
	e.host.w.trace(e.host, nil, "session lost %s: %v", e.serving.name, err)
	if e.served {
		e.looking = e.host.w.now
	}
	e.at, e.served = 0, false
	e.Post(endpoint.SessionLost{Session: id, Err: err})
}

// sessionFailed: the application tries again.
func (e *endpointProgram) sessionFailed(f endpoint.SessionFailed) {
	w := e.host.w
	w.trace(e.host, nil, "session failed: %v", f.Err)
	w.sessionFailed(e, f.Err)
	if a := e.assocs[e.at]; a != nil {
		a.session = 0
		_ = e.port.Abort(e.at, "")
	}
	e.later(time.Second, e.openSession)
}

func (e *endpointProgram) perform(f endpoint.Effect) {
	switch f := f.(type) {
	case endpoint.Connect:
		e.connect(f)
	case endpoint.Send:
		e.send(f)
	case endpoint.Shutdown:
		p, at := e.portOf(f.Assoc)
		_ = p.Shutdown(at)
	case endpoint.Abort:
		e.abort(f.Assoc)
	case endpoint.HomeFound:
		e.home = f.Addrs
		e.host.w.trace(e.host, nil, "home is %s", e.host.w.nameAt(f.Addrs))
	case endpoint.HomeLost:
		e.home = nil
		e.host.w.trace(e.host, nil, "home lost: %v", f.Err)
	case endpoint.UsePE:
		e.usePE(f)
	default:
		e.inform(f)
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
	case endpoint.SessionFailed:
		e.sessionFailed(f)
	case endpoint.Resolved:
		e.resolved(f.Token, nil)
	case endpoint.ResolveFailed:
		e.resolved(f.Token, f.Err)
	}
}

func (e *endpointProgram) abort(id assoc.ID) {
	p, at := e.portOf(id)
	_ = p.Abort(at, "")
}

func (e *endpointProgram) connect(f endpoint.Connect) {
	if e.role.TCP {
		e.connectTCP(f)
		return
	}
	id, err := e.port.Connect(f.Addrs, nil)
	exists := errors.Is(err, assoc.ErrAlreadyExists)
	if err != nil && !exists {
		e.Post(endpoint.ConnectFailed{Token: f.Token, Err: err})
		return
	}
	e.Post(endpoint.Connecting{Token: f.Token, Assoc: id})
	if a := e.assocs[id]; exists && a != nil && a.up {
		e.postUp(id)
	}
}

func (e *endpointProgram) send(f endpoint.Send) {
	e.host.checkASAP(f.Message)
	b, err := asap.Append(nil, f.Message)
	if err == nil {
		p, at := e.portOf(f.Assoc)
		err = p.SendControl(at, protocol.PPIDASAP, b)
	}
	if errors.Is(err, shell.ErrOutbox) {
		e.abort(f.Assoc)
	}
	if err != nil {
		e.Post(endpoint.SendFailed{Assoc: f.Assoc, Err: err})
	}
}

func (e *endpointProgram) usePE(f endpoint.UsePE) {
	e.serving = e.host.w.byIP[f.Element.User.Addrs[0]]
	id, err := e.port.Connect(f.Element.User.AddrPorts(), nil)
	if err != nil {
		e.Post(endpoint.SessionLost{Session: f.Session, Err: err})
		return
	}
	e.at = id
	e.assocs[id] = &association{session: f.Session}
}

// Home returns the registrar that is the home of the PE or PU at a host; nil
// without one.
func (h *Host) Home() *Host {
	if e := h.endpoint(); e != nil && len(e.home) > 0 {
		return h.w.byIP[e.home[0].Addr()]
	}
	return nil
}
