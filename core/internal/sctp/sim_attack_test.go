package sctp_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

// TestSimBlindAttacker lets somebody who does not see the traffic shoot at an
// association in all its phases: wrong tags, broken checksums, forged ICMP.
// Every shot must leave the victim bit-identical, timers included (SCTP-7-08,
// 8-01).
func TestSimBlindAttacker(t *testing.T) {
	for seed := range uint64(5) {
		s := drawScenario(seed)
		s.hosts, s.chaos, s.nat, s.slow = 2, false, false, false
		s.params.ReceiveBuffer, s.params.SendBuffer, s.params.MaxMessage = 32<<10, 32<<10, 16<<10
		w := newWorld(seed)
		w.calm = true
		loaders := s.populate(w)
		for _, l := range loaders {
			l.plan = func(a *simAssoc) []*job {
				return []*job{{left: 60, size: between(1, 9000), streams: 3, every: 20 * time.Millisecond, unordered: 0.3}}
			}
		}
		s.script(w, loaders)
		shots := 0
		var shoot func()
		shoot = func() {
			if w.now.Sub(w.start) < 2*time.Second {
				w.after(time.Duration(w.rng.IntN(20_000))*time.Microsecond, shoot)
			}
			victim := w.hosts[w.rng.IntN(2)]
			victim.shot(w.hosts[1-victim.index], w.rng)
			shots++
		}
		w.after(0, shoot)
		w.run(s.length, nil)
		s.finish(w, loaders)
		if w.err != nil {
			t.Errorf("seed %d: %v\nscenario: %v", seed, w.err, s)
		}
		if shots < 50 {
			t.Errorf("only %d shots", shots)
		}
	}
}

// shot fires one forgery at the host in the name of its peer.
func (h *host) shot(peer *host, r *rand.Rand) {
	w := h.w
	if len(h.order) == 0 || h.order[0].terminal != 0 {
		return // without an association it is out of the blue
	}
	if _, err := h.ep.Status(h.order[0].id); err != nil {
		return
	}
	from := peer.addr
	if r.IntN(3) == 0 {
		from = netip.AddrPortFrom(from.Addr(), from.Port()+1)
	}
	chunks := allChunks()
	tag := r.Uint32() | 1
	packet := buildPacket(peer.addr.Port(), h.addr.Port(), tag, chunks[3+r.IntN(len(chunks)-3)])
	before := fingerprint(h.ep)
	kind := r.IntN(4)
	switch kind {
	case 0:
		packet = buildPacket(peer.addr.Port(), h.addr.Port(), tag, chunks[0])
	case 1: // the right tag would not help with a wrong checksum
		packet[8+r.IntN(4)] ^= 1 << r.IntN(8)
	case 2:
		h.ep.Unreachable(w.now, peer.addr, buildPacket(h.addr.Port(), peer.addr.Port(), tag, chunks[0])[:8+r.IntN(30)])
		packet = nil
	}
	if packet != nil {
		h.ep.Input(w.now, sctp.Packet{Peer: from, Local: h.addr.Addr(), Data: packet})
	}
	if what := changed(before, fingerprint(h.ep)); what != "" && !answeredInSetup(packet) {
		w.fail("%s: shot %d % x leaves a trace: %s", h.name, kind, packet, what)
	}
	var p sctp.Packet
	for h.ep.Output(w.now, &p) {
		q, err := parseStrict(bytes.Clone(p.Data))
		stranger := p.Peer != peer.addr && q.has(ctAbort) // out of the blue, says the UDP port
		if err != nil || !q.has(ctShutdownComplete) && !stranger {
			w.fail("%s: answers a shot with %v %v", h.name, q, err)
		}
	}
}

// answeredInSetup: a SHUTDOWN ACK of an earlier association is answered
// whatever its tag (SCTP-2-12).
func answeredInSetup(packet []byte) bool { return len(packet) > 12 && packet[12] == ctShutdownAck }

// TestSimPartitionHeals: when the path comes back before the failure limit,
// data moves again within two RTO.Max (SCTP-7-03).
func TestSimPartitionHeals(t *testing.T) {
	for seed := range uint64(12) {
		s := drawScenario(500 + seed)
		s.hosts, s.chaos, s.nat, s.slow, s.collide = 2, false, false, false, false
		s.params.SackDelay = 20 * time.Millisecond
		length := time.Duration(100+400*seed) * time.Millisecond
		away := window{500 * time.Millisecond, 500*time.Millisecond + length}
		for i := range s.model {
			s.model[i] = linkModel{delay: 5 * time.Millisecond}
		}
		s.model[seed%2].partitions = []window{away} // one way, or the other
		if seed%3 == 0 {
			s.model[1-seed%2].partitions = []window{away}
		}
		w := newWorld(seed)
		w.calm = true
		loaders := s.populate(w)
		for _, l := range loaders {
			l.plan = func(a *simAssoc) []*job {
				return []*job{{left: 400, size: between(1, 2000), streams: 2, every: 2 * time.Millisecond}}
			}
		}
		s.script(w, loaders)
		w.run(away.to, nil)
		healed := w.start.Add(away.to)
		bound := 2*s.params.RTOMax + s.params.SackDelay + 20*time.Millisecond
		moved := func() bool { return w.lastMove.After(healed) }
		if w.run(bound, moved); w.err == nil && !moved() {
			t.Errorf("seed %d: nothing moves within %v after a partition of %v", seed, bound, length)
		}
		s.finish(w, loaders)
		if w.err != nil {
			t.Errorf("seed %d: %v", seed, w.err)
		}
	}
}
