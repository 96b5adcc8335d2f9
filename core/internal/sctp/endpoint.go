// Package sctp is the SCTP engine: RFC 9260, 3758 and 8260 over the UDP
// encapsulation of RFC 6951, as a pure machine. Packets, API calls and the time go
// in; packets, messages, notifications and the next deadline come out. It has no
// socket, goroutine, lock, clock or global random source, so the code that ships is
// the code that is fuzzed and simulated.
//
// An Endpoint is not safe for concurrent use; its owner serialises the calls.
// After any call the owner drains Output, then looks at Next.
//
// Where to look: a packet comes in through lookup.go, which finds the
// association (peers.go) or the rule for packets out of the blue (ootb.go), and
// dispatch.go, which hands every chunk to its handler. handshake.go, accept.go,
// cookie.go, restart.go, shutdown.go and abort.go change the state of an association.
// inbound.go, reassembly.go, interleave.go and sackout.go receive data, within the
// bounds of memory.go and stall.go; outbound.go, schedule.go, sackin.go, transmit.go,
// congestion.go and rto.go send it; abandon.go gives it up when its lifetime is
// over. path.go, local.go, heartbeat.go and mtu.go look after the
// paths to the peer's addresses. output.go builds packets when the owner asks
// for them. events.go holds what Recv returns.
package sctp

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// Endpoint is one SCTP endpoint with its associations.
type Endpoint struct {
	cfg      Config
	params   assoc.Params // of associations that start later
	rand     random
	keys     cookieKeys
	closed   bool
	counters Counters

	byTag     map[uint32]*association
	byID      map[assoc.ID]*association
	byPeer    map[peerKey]*path // first of those with one address and SCTP port
	lastID    assoc.ID
	sources   map[netip.Addr]*source
	initRate  bucket
	replyRate bucket
	bySource  [sourceBuckets]bucket
	recent    recentTags

	timers   timerq.Queue[timerRef]
	stray    ring[strayPacket] // packets that belong to no association
	ready    readyQueue        // associations that may have something to send
	events   eventQueue
	writable []assoc.ID
	received int64 // bytes of user data held, with overhead
	lends    bool  // Lend was called

	buffers   buffers
	fragments freeList[fragment]
	gaps      []chunk.Gap  // of the SACK being built
	skips     []chunk.Skip // of the FORWARD TSN being built
	nodes     freeList[event]
	messages  freeList[outMessage]
}

// New makes an endpoint.
func New(cfg Config) *Endpoint {
	cfg.applyLimits()
	e := &Endpoint{
		cfg:     cfg,
		params:  cfg.Params.OrDefault(),
		rand:    random{src: cfg.Rand},
		byTag:   make(map[uint32]*association),
		byID:    make(map[assoc.ID]*association),
		byPeer:  make(map[peerKey]*path),
		sources: make(map[netip.Addr]*source),
	}
	e.initRate = bucket{rate: initsPerSecond, tokens: initsPerSecond}
	e.replyRate = bucket{rate: repliesPerSecond, tokens: repliesPerSecond}
	for i := range e.bySource {
		e.bySource[i] = bucket{rate: repliesPerSource, tokens: repliesPerSource}
	}
	return e
}

// Counters returns what was counted so far.
func (e *Endpoint) Counters() Counters { return e.counters }

// Idle says that no association is left and nothing waits to be sent.
func (e *Endpoint) Idle() bool { return len(e.byID) == 0 && e.stray.len() == 0 }
