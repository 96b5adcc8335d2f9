package sim

import (
	"net/netip"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// registrarProgram is a registrar's machine in a shell like loop.Registrar.
type registrarProgram struct {
	driver.Driver[registrar.Event, registrar.Effect]
	host       *Host
	machine    *registrar.Registrar
	links      driver.Registrar
	asap, enrp *driver.Channel
	announces  bool
	discovers  bool
	handsOver  bool
	began      time.Time
	calmly     bool                           // nothing had happened for some time when it began
	downloaded bool                           // it has had a table of another one
	serves     time.Time                      // since when; zero = not yet
	consents   map[protocol.ServerID]*consent // to takeovers, by target
	leavers    map[registrar.Link]bool        // whose PE has asked to be deregistered
}

// AddRegistrar adds a host for a registrar; it does not run yet. Rand, ASAP and
// ENRP of cfg are filled in, and Peers with the addresses of peers.
func (w *World) AddRegistrar(name string, cfg registrar.Config, peers func() []*Host) *Host {
	return w.addHost(name, func(h *Host) program {
		cfg := cfg
		cfg.Rand = h.newRand()
		cfg.ASAP = []protocol.Transport{h.transport(protocol.SCTP, protocol.PortASAP), h.transport(protocol.TCP, portTCP)}
		cfg.ENRP = h.transport(protocol.SCTP, protocol.PortENRP)
		for _, p := range peers() {
			cfg.Peers = append(cfg.Peers, []netip.AddrPort{netip.AddrPortFrom(p.ip, protocol.PortENRP)})
		}
		cfg.Restored = h.readState()
		return h.newRegistrar(cfg)
	})
}

func (h *Host) transport(p protocol.TransportProtocol, number uint16) protocol.Transport {
	return protocol.Transport{Protocol: p, Port: number, Addrs: []netip.Addr{h.ip}}
}

func (h *Host) newRegistrar(cfg registrar.Config) *registrarProgram {
	m, err := registrar.New(cfg)
	if err != nil {
		panic(err)
	}
	r := &registrarProgram{host: h, machine: m, leavers: map[registrar.Link]bool{}, consents: map[protocol.ServerID]*consent{}, began: h.w.now, calmly: h.w.checks != nil && h.w.checks.calm(10*time.Second), announces: cfg.Announce, discovers: cfg.Multicast, handsOver: cfg.Handover}
	r.Driver = driver.Driver[registrar.Event, registrar.Effect]{Machine: m, Now: h.now, Perform: r.perform}
	return r
}

func (r *registrarProgram) begin() {
	r.asap = r.open(registrar.ASAPOverSCTP, protocol.PortASAP, protocol.PPIDASAP)
	r.enrp = r.open(registrar.ENRPOverSCTP, protocol.PortENRP, protocol.PPIDENRP)
	// What cannot be sent needs no event: the end of the association tells.
	r.links = driver.Registrar{ASAP: r.asap, ENRP: r.enrp, TCP: r.openTCP(), Failed: func(registrar.Link, error) {}}
	r.joinGroups()
	r.Post(registrar.Start{})
	r.keepState()
}

func (r *registrarProgram) open(name registrar.Channel, number uint16, ppid uint32) *driver.Channel {
	ch := &driver.Channel{Name: name, PPID: ppid, Post: func(e registrar.Event) { r.Post(e) }}
	ch.Endpoint = r.host.proc.listen(number, func(info assoc.RecvInfo, b []byte) {
		if info.Kind == assoc.Message {
			r.handleMessage(ch, info, b)
		} else {
			ch.Notify(&info)
		}
	})
	return ch
}

func (r *registrarProgram) handleMessage(ch *driver.Channel, info assoc.RecvInfo, b []byte) {
	h, l := r.host, ch.Link(info.Assoc)
	if ch == r.asap {
		r.received(l, b)
		return
	}
	h.Traffic.ReceivedENRP.add(b)
	m, report, err := enrp.Parse(b)
	h.parsed(m, report, err)
	r.hears(m)
	r.Post(registrar.ENRPReceived{Link: l, Message: m, Report: report, Err: err})
}

// received passes on an ASAP message, over SCTP or TCP.
func (r *registrarProgram) received(l registrar.Link, b []byte) {
	r.host.Traffic.ReceivedASAP.add(b)
	m, report, err := asap.Parse(b)
	r.host.parsed(m, report, err)
	if _, ok := m.(asap.Deregistration); ok {
		r.leavers[l] = true
	}
	r.Post(registrar.ASAPReceived{Link: l, Message: m, Report: report, Err: err})
}

func (r *registrarProgram) perform(f registrar.Effect) {
	r.check(f)
	if r.links.Perform(f) {
		return
	}
	switch f := f.(type) {
	case registrar.SendAnnounce:
		r.sendAnnounce(f.Message)
	case registrar.SendPresence:
		r.sendPresence(f.Message)
	case registrar.Left:
		r.host.w.left(r)
		p := r.host.proc
		r.host.w.after(0, func() { p.exit() })
	case registrar.Log:
		r.log(f)
	}
}

// check checks what is about to be sent.
func (r *registrarProgram) check(f registrar.Effect) {
	switch f := f.(type) {
	case registrar.SendASAP:
		r.host.checkASAP(f.Message)
		if r.answers(f) && !r.machine.Serving() {
			r.host.w.fail("%s answers before it has a table: %v", r.host.name, f.Message)
		}
	case registrar.SendASAPTo:
		r.host.checkASAP(f.Message)
	case registrar.SendENRP:
		r.checkENRP(f.Message)
	case registrar.SendENRPTo:
		r.checkENRP(f.Message)
	}
}

// answers says whether a message says what there is, or was not. A
// DEREGISTRATION_RESPONSE that nobody asked for is none: it tells a PE what a peer
// has said of it.
func (r *registrarProgram) answers(f registrar.SendASAP) bool {
	switch f.Message.(type) {
	case asap.HandleResolutionResponse, asap.RegistrationResponse:
		return true
	case asap.DeregistrationResponse:
		asked := r.leavers[f.Link]
		delete(r.leavers, f.Link)
		return asked
	}
	return false
}

// Leave makes a registrar hand its PEs over and end, as SIGTERM does.
func (h *Host) Leave() {
	if r := h.registrar(); r != nil {
		h.proc.do(func() { r.Post(registrar.Leave{}) })
	}
}

func (r *registrarProgram) log(f registrar.Log) {
	switch {
	case f.Msg == silentPeer:
		r.beginsTakeover(f.Server)
	case strings.HasPrefix(f.Msg, "handle table received"):
		r.downloaded = true
	}
	if f.Level < registrar.Info || r.host.w.Trace == nil {
		return
	}
	text := f.Msg
	if f.Handle != "" {
		text += " (pool " + string(f.Handle) + ", PE " + f.PE.String() + ")"
	} else if f.Server != 0 {
		text += " (registrar " + f.Server.String() + ")"
	}
	r.host.w.trace(r.host, nil, "%s", text)
}

// servedSince says whether the registrar serves since then.
func (r *registrarProgram) servedSince(t time.Time) bool {
	return !r.serves.IsZero() && r.serves.Before(t)
}
