package sctp

import "net/netip"

// Memory for received data is shared by all associations of the endpoint
// (SCTP-6-07, SCTP-6-08), so that a few can receive much at a time. But nobody
// can take all of it:
//
//   - What an association holds within its share it holds whatever the others do.
//     All shares together are one half of the memory.
//   - The other half is for who comes first, up to a cap for each source address;
//     programs of this host have none.
//   - Data that cannot be delivered is not kept for ever (stall.go).
//
// Beyond that the window that is advertised closes to what is left of the share,
// and what comes all the same is dropped.
const (
	maxShare     = 128 << 10 // of an association: the longest ASAP message, in packets of any size
	minShare     = 4 << 10   // where there are very many of them
	sourcesShare = 8         // sources that fill the common half hold an eighth of the memory each, at most
)

// source is a peer's address, as far as it counts for limits.
type source struct {
	addr     netip.Addr
	assocs   int
	incoming int   // of these, opened by the peer
	held     int64 // bytes of their data, also of those that have ended, with overhead
}

// sourceOf returns the account of an address.
func (e *Endpoint) sourceOf(addr netip.Addr) *source {
	s := e.sources[addr]
	if s == nil {
		s = &source{addr: addr}
		e.sources[addr] = s
	}
	return s
}

// incoming is how many associations an address has opened.
func (e *Endpoint) incoming(addr netip.Addr) int {
	if s := e.sources[addr]; s != nil {
		return s.incoming
	}
	return 0
}

// part ends the association's part in its source's account.
func (a *association) part() {
	s := a.source
	s.assocs--
	if a.incoming {
		s.incoming--
	}
	a.e.close(s)
}

// close forgets an account that nothing is on.
func (e *Endpoint) close(s *source) {
	if s.assocs == 0 && s.held == 0 {
		delete(e.sources, s.addr)
	}
}

// account counts memory that data takes from now on, or with a negative n no longer
// takes.
func (a *association) account(n int) {
	a.in.memory += n
	a.e.received += int64(n)
	a.source.held += int64(n)
	if n < 0 && a.dead {
		a.e.close(a.source)
	}
}

// share is what every association may hold in any case.
func (e *Endpoint) share() int {
	return int(min(max(e.cfg.MaxReceiveMemory/2/int64(max(len(e.byID), 1)), minShare), maxShare))
}

// plenty says that the association may hold more than its share.
func (a *association) plenty() bool {
	e := a.e
	limit := e.cfg.MaxReceiveMemory / 2
	return e.received < limit && (a.source.addr.IsLoopback() || a.source.held < min(limit, e.cfg.MaxReceiveMemory/sourcesShare))
}

// hasMemory says that the association may hold another chunk. Its own limit
// counts all overhead: tiny messages cost many times their size (SCTP-3-43).
func (a *association) hasMemory() bool {
	m := a.in.memory
	return m < a.memoryLimit() && (m < minShare || a.plenty() || m < a.e.share()) // the dearest comes last
}

func (a *association) memoryLimit() int { return 2*a.capacity() + 64<<10 }

// frugal is the window that what is left of the share allows, where there is no
// plenty: packets that are not full cost twice their size.
func (a *association) frugal(window int) int {
	if a.plenty() {
		return window
	}
	return max(0, min(window, (a.e.share()-a.in.memory)/2))
}
