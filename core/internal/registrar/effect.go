package registrar

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Effect is something the shell is to do. Effects are performed in the order
// in which Drain returns them; messages go on stream 0, ordered (ASAP-5-07).
// Messages inside effects are read-only and never change afterwards.
type Effect interface{ effect() }

// SendASAP sends a message over an established link. A shell whose send
// buffer for the link stays full aborts the association: the registrar holds
// no queue for peers that do not read. No event tells of a message that cannot
// be sent: the end of its association does.
type SendASAP struct {
	Link    Link
	Message asap.Message
}

// SendASAPTo sends a message to a PE that has no live association: the shell
// connects the ASAP endpoint to the PE's SCTP addresses and sends at once.
// The outcome is AssocUp or ConnectFailed with the token.
type SendASAPTo struct {
	Token   Token
	Peer    []netip.AddrPort
	Message asap.Message
}

// SendENRP sends a message to a peer registrar over an established link.
type SendENRP struct {
	Link    Link
	Message enrp.Message
}

// SendENRPTo is SendASAPTo for the ENRP endpoint and a peer registrar.
type SendENRPTo struct {
	Token   Token
	Peer    []netip.AddrPort
	Message enrp.Message
}

// LookUpPeers asks for the addresses of the peers that are configured by name.
// It appears only with Config.LookUp. The answer is PeersLookedUp, always and
// soon: a registrar that starts waits for it.
type LookUpPeers struct{}

// SendAnnounce multicasts an ASAP_SERVER_ANNOUNCE (UDP, to the ASAP group and
// port). It appears only with Config.Announce.
type SendAnnounce struct{ Message asap.ServerAnnounce }

// SendPresence multicasts an ENRP_PRESENCE (UDP, to the ENRP group and port).
// It appears only with Config.Multicast.
type SendPresence struct{ Message enrp.Presence }

// Shutdown ends a link gracefully.
type Shutdown struct{ Link Link }

// Abort ends a link at once; Reason is for the peer and the log.
type Abort struct {
	Link   Link
	Reason string
}

// Left says that a registrar that leaves has nobody to wait for any more.
type Left struct{}

// Level is the severity of a Log.
type Level int8

// Levels, from the least to the most severe.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Log is a line for the operator. Fields that are zero say nothing.
type Log struct {
	Level  Level
	Msg    string
	Handle protocol.PoolHandle
	PE     protocol.PEID
	Server protocol.ServerID
	At     []netip.AddrPort // where that PE, registrar or peer of the link is
	PEs    int              // how many it is about
	Link   Link
	Peer   string // as it was configured
	Err    error
}

func (SendASAP) effect()     {}
func (SendASAPTo) effect()   {}
func (SendENRP) effect()     {}
func (SendENRPTo) effect()   {}
func (LookUpPeers) effect()  {}
func (SendAnnounce) effect() {}
func (SendPresence) effect() {}
func (Shutdown) effect()     {}
func (Abort) effect()        {}
func (Left) effect()         {}
func (Log) effect()          {}
