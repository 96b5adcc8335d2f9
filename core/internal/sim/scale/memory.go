package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/sim"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// memoryElements is how many PEs are looked at.
const memoryElements = 1_000_000

// memory returns the bytes that a PE takes in a registrar that owns it, and in
// one that was told of it.
func memory() (owner, other int) {
	owner = perElement(func(r *registrar.Registrar, i int, h protocol.PoolHandle, e protocol.Element) {
		link := registrar.Link{Channel: registrar.ASAPOverSCTP, Assoc: assoc.ID(i + 1)}
		r.Step(sim.Epoch, registrar.AssocUp{Link: link, Peer: e.User.AddrPorts()})
		step(r, registrar.ASAPReceived{Link: link, Message: asap.Registration{Handle: h, Element: e}})
	})
	link := registrar.Link{Channel: registrar.ENRPOverSCTP, Assoc: 1}
	other = perElement(func(r *registrar.Registrar, i int, h protocol.PoolHandle, e protocol.Element) {
		if i == 0 {
			r.Step(sim.Epoch, registrar.AssocUp{Link: link, Peer: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:9901")}})
		}
		e.Home, e.ASAP = 1, e.User
		step(r, registrar.ENRPReceived{Link: link, Message: enrp.HandleUpdate{Route: enrp.Route{Sender: 1}, Action: enrp.AddPE, Handle: h, Element: e}})
	})
	return owner, other
}

func step(r *registrar.Registrar, ev registrar.Event) {
	r.Step(sim.Epoch, ev)
	r.Drain()
}

func perElement(add func(*registrar.Registrar, int, protocol.PoolHandle, protocol.Element)) int {
	r, err := registrar.New(registrar.Config{Rand: rand.New(rand.NewPCG(1, 1)), Limits: registrar.Limits{Links: memoryElements, Pools: memoryElements}})
	if err != nil {
		panic(err)
	}
	step(r, registrar.Start{})
	before := heap()
	for i := range memoryElements {
		ip := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		add(r, i, protocol.PoolHandle(fmt.Sprint("pool", i/10)), protocol.Element{
			ID: protocol.PEID(i + 1), Life: 300, Policy: protocol.Policy{Type: protocol.RoundRobin},
			User: protocol.Transport{Protocol: protocol.SCTP, Port: 7000, Addrs: []netip.Addr{ip}},
		})
	}
	after := heap()
	elements := 0
	for _, p := range r.Snapshot(sim.Epoch.Add(time.Second)).Pools {
		elements += len(p.Elements)
	}
	if elements != memoryElements {
		panic(fmt.Sprintf("%d of %d PEs registered", elements, memoryElements))
	}
	return int(after-before) / memoryElements
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
