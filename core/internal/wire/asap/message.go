// Package asap encodes and decodes the messages between pool elements, pool
// users and registrars (ASAP, RFC 5352 section 2.2). Messages are plain
// structs without pointers into anything else.
package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Type is the message type. ASAP and ENRP number theirs separately.
type Type uint8

// The messages of RFC 5352 section 2.2; other types are unassigned (E-03).
const (
	TypeRegistration             Type = 0x01
	TypeDeregistration           Type = 0x02
	TypeRegistrationResponse     Type = 0x03
	TypeDeregistrationResponse   Type = 0x04
	TypeHandleResolution         Type = 0x05
	TypeHandleResolutionResponse Type = 0x06
	TypeEndpointKeepAlive        Type = 0x07
	TypeEndpointKeepAliveAck     Type = 0x08
	TypeEndpointUnreachable      Type = 0x09
	TypeServerAnnounce           Type = 0x0a
	TypeCookie                   Type = 0x0b
	TypeCookieEcho               Type = 0x0c
	TypeBusinessCard             Type = 0x0d
	TypeError                    Type = 0x0e
)

var typeNames = [...]string{
	TypeRegistration:             "ASAP_REGISTRATION",
	TypeDeregistration:           "ASAP_DEREGISTRATION",
	TypeRegistrationResponse:     "ASAP_REGISTRATION_RESPONSE",
	TypeDeregistrationResponse:   "ASAP_DEREGISTRATION_RESPONSE",
	TypeHandleResolution:         "ASAP_HANDLE_RESOLUTION",
	TypeHandleResolutionResponse: "ASAP_HANDLE_RESOLUTION_RESPONSE",
	TypeEndpointKeepAlive:        "ASAP_ENDPOINT_KEEP_ALIVE",
	TypeEndpointKeepAliveAck:     "ASAP_ENDPOINT_KEEP_ALIVE_ACK",
	TypeEndpointUnreachable:      "ASAP_ENDPOINT_UNREACHABLE",
	TypeServerAnnounce:           "ASAP_SERVER_ANNOUNCE",
	TypeCookie:                   "ASAP_COOKIE",
	TypeCookieEcho:               "ASAP_COOKIE_ECHO",
	TypeBusinessCard:             "ASAP_BUSINESS_CARD",
	TypeError:                    "ASAP_ERROR",
}

// String returns the RFC's name of the message.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("ASAP message type %#02x", uint8(t))
}

// Message is one of the fourteen message structs of this package, by value.
type Message interface {
	Type() Type
	String() string // one line for a log

	write(*wire.Writer) // everything behind the header, and the flags
}

// named is the beginning of most log lines. Handles can be long and hold any
// byte, hence the limit and the quotes.
func named(t Type, h protocol.PoolHandle) string { return fmt.Sprintf("%v %.40q", t, string(h)) }
