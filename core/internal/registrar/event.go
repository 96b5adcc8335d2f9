package registrar

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Channel says which of the registrar's endpoints something belongs to.
type Channel uint8

// The endpoints of a registrar (section 1.9 of the RFCs' summary: ASAP over
// SCTP for PEs and PUs, ASAP over TCP for PUs only, ENRP over SCTP).
const (
	ASAPOverSCTP Channel = iota + 1
	ASAPOverTCP
	ENRPOverSCTP
)

func (c Channel) String() string {
	switch c {
	case ASAPOverSCTP:
		return "ASAP/SCTP"
	case ASAPOverTCP:
		return "ASAP/TCP"
	case ENRPOverSCTP:
		return "ENRP/SCTP"
	}
	return "none"
}

// Link names one association of one endpoint, or one TCP connection. A shell
// never uses the same Link for two associations that the registrar could
// confuse: it says AssocLost for the first before AssocUp for the second.
type Link struct {
	Channel Channel
	Assoc   assoc.ID
}

// Token ties a SendASAPTo or SendENRPTo to its outcome. Zero is no token.
type Token uint64

// Event is something that happened to a registrar. The shell passes events to
// Step in the order in which they happened on their link.
type Event interface{ event() }

// Start begins the registrar's work: announcements, and asking its peers for
// what they know. It is the first event.
type Start struct{}

// AssocUp says that an association (or TCP connection) is established, opened
// by either side. For one that a SendASAPTo or SendENRPTo opened it carries
// that effect's token. When the endpoint finds that an association with that
// peer exists already (assoc.ErrAlreadyExists), the shell sends the message
// there and reports AssocUp for it once more, with the token.
type AssocUp struct {
	Link  Link
	Token Token
	// Local and Peer are the two ends as transport.Endpoint.AssocAddrs gives
	// them. Peer is what becomes the ASAP Transport of PEs that register over
	// the link (ASAP-3.1-24), and what their user transports must be a subset
	// of (ASAP-2.2.1-02). The registrar keeps both slices.
	Local, Peer []netip.AddrPort
	// Here: the other end is on this host. PEs there may register at the
	// addresses of Host, those of this host, beside loopback.
	Here bool
	Host []netip.Addr
}

// AssocRestarted says that the peer of an established association restarted
// it (assoc.Restart): what it had told us before may be void.
type AssocRestarted struct {
	Link        Link
	Local, Peer []netip.AddrPort
}

// AssocLost says that an established association ended, for whatever reason
// (assoc.CommLost, assoc.ShutdownComplete, end of a TCP connection).
type AssocLost struct {
	Link Link
	Err  error // why; nil after a graceful end
}

// ConnectFailed is the other outcome of a SendASAPTo or SendENRPTo: no
// association came to be and the message was not delivered.
type ConnectFailed struct {
	Token Token
	Err   error
}

// ASAPReceived is one ASAP message as asap.Parse returned it. Message is nil
// when nothing is to be processed: Report then may still have to be sent, and
// Err says what was wrong for the log.
type ASAPReceived struct {
	Link    Link
	Message asap.Message
	Report  []protocol.Cause // for an ASAP_ERROR to the sender
	Err     error
}

// ENRPReceived is one ENRP message as enrp.Parse returned it; see
// ASAPReceived.
type ENRPReceived struct {
	Link    Link
	Message enrp.Message
	Report  []protocol.Cause // for an ENRP_ERROR to the sender
	Err     error
}

// AnnounceReceived is an ASAP_SERVER_ANNOUNCE heard on the multicast group.
// The registrar's own are recognised and ignored.
type AnnounceReceived struct {
	From    netip.AddrPort
	Message asap.ServerAnnounce
}

// PeerNamesChanged says that peers are configured by other names than before, or
// by names at all: they are looked up.
type PeerNamesChanged struct{}

// Misdirected is an ENRP message at the ASAP endpoint, or an ASAP message at the
// ENRP endpoint.
type Misdirected struct{ Link Link }

// PeersLookedUp answers LookUpPeers: Found are the registrars behind the names,
// one for each address, Failed the names that have none.
type PeersLookedUp struct {
	Found  []netip.AddrPort
	Failed []Unresolved
}

// Unresolved is a name without address.
type Unresolved struct {
	Name string
	Err  error
}

// PresenceHeard is an ENRP_PRESENCE heard on the multicast group. The
// registrar's own are recognised and ignored.
type PresenceHeard struct{ Message enrp.Presence }

// Leave begins to hand over all PEs, before the registrar is closed. Left is the
// effect when that is done, or given up.
type Leave struct{}

func (Start) event()            {}
func (AssocUp) event()          {}
func (AssocRestarted) event()   {}
func (AssocLost) event()        {}
func (ConnectFailed) event()    {}
func (ASAPReceived) event()     {}
func (ENRPReceived) event()     {}
func (AnnounceReceived) event() {}
func (Misdirected) event()      {}
func (PeersLookedUp) event()    {}
func (PeerNamesChanged) event() {}
func (PresenceHeard) event()    {}
func (Leave) event()            {}
