// Package enrp encodes and decodes the messages between registrars (ENRP,
// RFC 5353 section 2). Messages are plain structs without pointers into
// anything else.
package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Type is the message type. ASAP and ENRP number theirs separately.
type Type uint8

// The messages of RFC 5353 section 2; other types are unassigned.
const (
	TypePresence            Type = 0x01
	TypeHandleTableRequest  Type = 0x02
	TypeHandleTableResponse Type = 0x03
	TypeHandleUpdate        Type = 0x04
	TypeListRequest         Type = 0x05
	TypeListResponse        Type = 0x06
	TypeInitTakeover        Type = 0x07
	TypeInitTakeoverAck     Type = 0x08
	TypeTakeoverServer      Type = 0x09
	TypeError               Type = 0x0a
)

var typeNames = [...]string{
	TypePresence:            "ENRP_PRESENCE",
	TypeHandleTableRequest:  "ENRP_HANDLE_TABLE_REQUEST",
	TypeHandleTableResponse: "ENRP_HANDLE_TABLE_RESPONSE",
	TypeHandleUpdate:        "ENRP_HANDLE_UPDATE",
	TypeListRequest:         "ENRP_LIST_REQUEST",
	TypeListResponse:        "ENRP_LIST_RESPONSE",
	TypeInitTakeover:        "ENRP_INIT_TAKEOVER",
	TypeInitTakeoverAck:     "ENRP_INIT_TAKEOVER_ACK",
	TypeTakeoverServer:      "ENRP_TAKEOVER_SERVER",
	TypeError:               "ENRP_ERROR",
}

// String returns the RFC's name of the message.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("ENRP message type %#02x", uint8(t))
}

// Message is one of the ten message structs of this package, by value.
type Message interface {
	Type() Type
	IDs() Route     // who sent it to whom
	String() string // one line for a log

	write(*wire.Writer) // everything behind the route, and the flags
}

// Route is what every ENRP message begins with. Receiver is 0 when the message
// goes to all peers and may be 0 otherwise (ENRP-2.1-02).
type Route struct {
	Sender   protocol.ServerID
	Receiver protocol.ServerID
}

// IDs returns the route itself; it gives all messages that embed one the method.
func (r Route) IDs() Route { return r }

// routed is the beginning of every log line.
func (r Route) routed(t Type) string {
	if r.Receiver == 0 {
		return fmt.Sprintf("%v from %v", t, r.Sender)
	}
	return fmt.Sprintf("%v from %v to %v", t, r.Sender, r.Receiver)
}

func flag(set bool, text string) string {
	if set {
		return " " + text
	}
	return ""
}
