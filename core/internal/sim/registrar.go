package sim

import (
	"errors"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// registrarProgram is a registrar's machine in a shell like loop.Registrar.
type registrarProgram struct {
	driver[registrar.Event, registrar.Effect]
	host       *Host
	machine    *registrar.Registrar
	asap, enrp *channel
	serves     time.Time // since when; zero = not yet
}

// channel is one endpoint of a registrar.
type channel struct {
	name  registrar.Channel
	port  *port
	links map[assoc.ID]*link
}

type link struct {
	up     bool
	tokens []registrar.Token // whose outcome is open
}

func (ch *channel) link(id assoc.ID) *link {
	l := ch.links[id]
	if l == nil {
		l = &link{}
		ch.links[id] = l
	}
	return l
}

func (ch *channel) named(id assoc.ID) registrar.Link {
	return registrar.Link{Channel: ch.name, Assoc: id}
}

// AddRegistrar adds a host for a registrar; it does not run yet. Rand, ASAP and
// ENRP of cfg are filled in, and Peers with the addresses of peers.
func (w *World) AddRegistrar(name string, cfg registrar.Config, peers func() []*Host) *Host {
	return w.addHost(name, func(h *Host) program {
		cfg := cfg
		cfg.Rand = h.newRand()
		cfg.ASAP = []protocol.Transport{h.transport(protocol.PortASAP)}
		cfg.ENRP = h.transport(protocol.PortENRP)
		for _, p := range peers() {
			cfg.Peers = append(cfg.Peers, []netip.AddrPort{netip.AddrPortFrom(p.ip, protocol.PortENRP)})
		}
		cfg.Restored = h.readState()
		return h.newRegistrar(cfg)
	})
}

func (h *Host) transport(number uint16) protocol.Transport {
	return protocol.Transport{Protocol: protocol.SCTP, Port: number, Addrs: []netip.Addr{h.ip}}
}

func (h *Host) newRegistrar(cfg registrar.Config) *registrarProgram {
	m, err := registrar.New(cfg)
	if err != nil {
		panic(err)
	}
	r := &registrarProgram{host: h, machine: m}
	r.driver = driver[registrar.Event, registrar.Effect]{machine: m, now: h.now, perform: r.perform}
	return r
}

func (r *registrarProgram) begin() {
	r.asap = r.open(registrar.ASAPOverSCTP, protocol.PortASAP)
	r.enrp = r.open(registrar.ENRPOverSCTP, protocol.PortENRP)
	r.post(registrar.Start{})
	r.keepState()
}

func (r *registrarProgram) open(name registrar.Channel, number uint16) *channel {
	ch := &channel{name: name, links: map[assoc.ID]*link{}}
	ch.port = r.host.proc.listen(number, func(info assoc.RecvInfo, b []byte) { r.handle(ch, info, b) })
	return ch
}

func (r *registrarProgram) handle(ch *channel, info assoc.RecvInfo, b []byte) {
	switch info.Kind {
	case assoc.Message:
		r.handleMessage(ch, info, b)
	case assoc.CommUp:
		r.becomeUp(ch, info.Assoc)
	case assoc.Restart:
		local, peer := ch.ends(info.Assoc)
		r.post(registrar.AssocRestarted{Link: ch.named(info.Assoc), Local: local, Peer: peer})
	default:
		r.becomeDown(ch, info)
	}
}

// ends returns the addresses of an association, nothing if it is gone already.
func (ch *channel) ends(id assoc.ID) (local, peer []netip.AddrPort) { return ch.port.addrs(id) }

func (p *port) addrs(id assoc.ID) (local, peer []netip.AddrPort) {
	e := p.ends[id]
	if e == nil {
		return nil, nil
	}
	return []netip.AddrPort{p.addr}, []netip.AddrPort{e.peer}
}

func (r *registrarProgram) becomeUp(ch *channel, id assoc.ID) {
	l := ch.link(id)
	l.up = true
	tokens := l.tokens
	l.tokens = nil
	if len(tokens) == 0 {
		tokens = []registrar.Token{0}
	}
	for _, token := range tokens {
		r.postUp(ch, id, token)
	}
}

func (r *registrarProgram) postUp(ch *channel, id assoc.ID, token registrar.Token) {
	local, peer := ch.ends(id)
	r.post(registrar.AssocUp{Link: ch.named(id), Token: token, Local: local, Peer: peer})
}

func (r *registrarProgram) becomeDown(ch *channel, info assoc.RecvInfo) {
	l := ch.link(info.Assoc)
	delete(ch.links, info.Assoc)
	if l.up {
		r.post(registrar.AssocLost{Link: ch.named(info.Assoc), Err: info.Err})
	}
	for _, token := range l.tokens {
		r.post(registrar.ConnectFailed{Token: token, Err: info.Err})
	}
}

func (r *registrarProgram) handleMessage(ch *channel, info assoc.RecvInfo, b []byte) {
	h, l := r.host, ch.named(info.Assoc)
	if ch == r.asap {
		h.Traffic.ReceivedASAP.add(b)
		m, report, err := asap.Parse(b)
		h.parsed(m, report, err)
		r.post(registrar.ASAPReceived{Link: l, Message: m, Report: report, Err: err})
		return
	}
	h.Traffic.ReceivedENRP.add(b)
	m, report, err := enrp.Parse(b)
	h.parsed(m, report, err)
	r.post(registrar.ENRPReceived{Link: l, Message: m, Report: report, Err: err})
}

func (r *registrarProgram) perform(f registrar.Effect) {
	switch f := f.(type) {
	case registrar.SendASAP:
		r.send(f.Link, r.host.encodeASAP(f.Message))
	case registrar.SendENRP:
		r.send(f.Link, r.encodeENRP(f.Message))
	case registrar.SendASAPTo:
		r.sendTo(r.asap, f.Token, f.Peer, r.host.encodeASAP(f.Message))
	case registrar.SendENRPTo:
		r.sendTo(r.enrp, f.Token, f.Peer, r.encodeENRP(f.Message))
	case registrar.Shutdown:
		r.channel(f.Link).port.shutdown(f.Link.Assoc)
	case registrar.Abort:
		r.channel(f.Link).port.abort(f.Link.Assoc)
	case registrar.Left:
		p := r.host.proc
		r.host.w.after(0, func() { p.exit() })
	case registrar.Log:
		r.log(f)
	}
}

// Leave makes a registrar hand its PEs over and end, as SIGTERM does.
func (h *Host) Leave() {
	if r := h.registrar(); r != nil {
		h.proc.do(func() { r.post(registrar.Leave{}) })
	}
}

func (r *registrarProgram) log(f registrar.Log) {
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

func (r *registrarProgram) channel(l registrar.Link) *channel {
	if l.Channel == registrar.ENRPOverSCTP {
		return r.enrp
	}
	return r.asap
}

func (r *registrarProgram) send(l registrar.Link, b []byte) {
	ch := r.channel(l)
	if err := ch.send(r.host, l.Assoc, b); errors.Is(err, errOutbox) {
		ch.port.abort(l.Assoc)
	}
}

func (ch *channel) send(h *Host, id assoc.ID, b []byte) error {
	ppid, sent := protocol.PPIDASAP, &h.Traffic.SentASAP
	if ch.name == registrar.ENRPOverSCTP {
		ppid, sent = protocol.PPIDENRP, &h.Traffic.SentENRP
	}
	err := ch.port.send(id, ppid, b)
	if err == nil {
		sent.add(b)
		h.traceSent(ch.port, id, ppid, b)
	}
	return err
}

func (r *registrarProgram) sendTo(ch *channel, token registrar.Token, peer []netip.AddrPort, b []byte) {
	id, err := ch.port.connect(peer)
	if err == nil || errors.Is(err, assoc.ErrAlreadyExists) {
		err = ch.send(r.host, id, b)
	}
	if err != nil {
		r.post(registrar.ConnectFailed{Token: token, Err: err})
		return
	}
	if l := ch.link(id); l.up {
		r.postUp(ch, id, token)
	} else {
		l.tokens = append(l.tokens, token)
	}
}

// servedSince says whether the registrar serves since then.
func (r *registrarProgram) servedSince(t time.Time) bool {
	return !r.serves.IsZero() && r.serves.Before(t)
}
