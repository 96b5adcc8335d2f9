package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Reason says in which way a message was bad.
type Reason uint8

// The reasons to drop a message.
const (
	Framing          Reason = iota + 1 // the lengths do not fit; a stream is lost (COM-4-07)
	UnknownMessage                     // a type nobody has defined
	UnknownParameter                   // one that forbids to process the message
	Invalid                            // a known parameter is missing, or has impossible contents
)

// Error says why a received message has to be dropped.
//
// What the sender gets to hear of it is in the report beside the error, except
// for Reason Invalid: there the receiver chooses, because a request with an
// answer of its own is refused by that answer. A registrar answers an invalid
// ASAP_REGISTRATION with R=1 and Cause() if Handle and ID could be read
// (HasID), and anything else not at all or with an ERROR message that carries
// Cause().
type Error struct {
	Reason  Reason
	Type    uint8  // message type; 0 for Framing
	Message string // its name, for people
	Detail  string // what is wrong

	TLV []byte // Invalid: the innermost parameter with the bad value; nil if none is to blame

	Handle protocol.PoolHandle // Invalid: the pool the message is about; empty if unreadable
	ID     protocol.PEID       // Invalid: the PE the message is about
	HasID  bool                // ID could be read

	Sender protocol.ServerID // ENRP: who sent it; 0 if unreadable
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Detail
	}
	return e.Message + ": " + e.Detail
}

// Cause returns the Invalid Values cause with the offending parameter (RFC
// 5354 section 3.12.4, COM-3.12-04). One so long that an answer which also
// repeats Handle could not be encoded is left out.
func (e *Error) Cause() protocol.Cause {
	c := protocol.Cause{Code: protocol.CauseInvalidValues}
	if len(e.Handle)+len(e.TLV) <= MaxMessage-64 {
		c.Info = e.TLV
	}
	return c
}

func framing(format string, args ...any) error {
	return &Error{Reason: Framing, Detail: fmt.Sprintf(format, args...)}
}

// Invalidf returns an Invalid error. Inside of Walk it blames the parameter
// being visited.
func Invalidf(format string, args ...any) error {
	return &Error{Reason: Invalid, Detail: fmt.Sprintf(format, args...)}
}

// within adds to an error where it happened: t was being read.
func within(err error, t TLV) error {
	var e *Error
	if errors.As(err, &e) {
		e.Detail = t.Type.String() + ": " + e.Detail
		if e.Reason == Invalid && e.TLV == nil {
			e.TLV = bytes.Clone(t.Raw)
		}
	}
	return err
}
