package registrar

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// peer is another registrar.
type peer struct {
	id      protocol.ServerID
	server  protocol.Transport // where it serves ENRP
	link    *link              // nil while there is no association
	attempt *connectAttempt    // the association being set up

	here         bool      // it is on this host
	since        time.Time // when it became known
	refusedUntil time.Time // it is offered no PEs before
	offered      int       // PEs that it is offered and has not announced

	returned  time.Time              // when it came back after it was taken over
	lastHeard time.Time              // peer_last_heard (RFC 5353 section 4.1)
	silence   timerq.Timer[deadline] // its silence, or the reply to a probe
	probing   bool
	ended     bool // it has shut its association down, and was not heard since
	inactive  bool // another registrar is taking it over: we leave it alone (ENRP-3.5-07)

	takeover *takeover // ours, of this peer
	download *download // its handle table on the way to us
	session  *session  // ours on the way to it
	audit    backoff
}

// addrs returns where to reach a peer.
func (p *peer) addrs() []netip.AddrPort { return p.server.AddrPorts() }

// at returns where a peer is, for a log.
func (p *peer) at() []netip.AddrPort {
	if p.link != nil && len(p.addrs()) == 0 {
		return p.link.addrs
	}
	return p.addrs()
}

// active says that a peer is not thought dead, by us or another.
func (p *peer) active() bool { return !p.inactive && p.takeover == nil }
