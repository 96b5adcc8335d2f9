// Package protocol holds the nouns of Reliable Server Pooling that every
// layer shares: handles, identifiers, policies, transports, pool elements and
// error causes, with the numbers RFC 5352 to 5356 give them. It has no
// behaviour beyond what follows from a value itself.
package protocol

import (
	"fmt"
	"strconv"
)

// PoolHandle names a pool. It is an opaque byte string: no terminator, no
// encoding, equal only if every byte is equal (RFC 5354 section 3.9,
// COM-3.9-01). A Go string holds it because it is immutable and comparable.
type PoolHandle string

// MaxPoolHandle is the longest handle, in bytes, that a registrar takes and
// that a user may name. The RFCs leave room for one that fills a message of 65,535
// bytes; but a registrar keeps the handles of 100,000 pools, so that a limit has
// to be, and it is the same everywhere. MaxPoolHandleRSPLIB is that of RSPLIB.
const (
	MaxPoolHandle       = 1024
	MaxPoolHandleRSPLIB = 32
)

// PEID identifies a pool element within its pool (RFC 5354 section 3.10).
// Zero is never chosen for a PE (ASAP-3.1-04).
type PEID uint32

func (id PEID) String() string { return fmt.Sprintf("%#08x", uint32(id)) }

// MarshalText writes what String does: an identifier looks the same in every log.
func (id PEID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes, and decimal numbers.
func (id *PEID) UnmarshalText(b []byte) error { return unmarshalID((*uint32)(id), b) }

func unmarshalID(id *uint32, b []byte) error {
	n, err := strconv.ParseUint(string(b), 0, 32)
	if err != nil {
		return fmt.Errorf("an identifier is a number like 0x0000002a: %w", err)
	}
	*id = uint32(n)
	return nil
}

// ServerID identifies a registrar until it reboots (RFC 5353 section 2.1).
// Zero means "undetermined".
type ServerID uint32

func (id ServerID) String() string { return fmt.Sprintf("%#08x", uint32(id)) }

// MarshalText writes what String does.
func (id ServerID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes, and decimal numbers.
func (id *ServerID) UnmarshalText(b []byte) error { return unmarshalID((*uint32)(id), b) }

// SCTP payload protocol identifiers (RFC 5352 section 5, RFC 5353 section
// 2.1). Application data never carries PPIDASAP (ASAP-5-03).
const (
	PPIDASAP uint32 = 11
	PPIDENRP uint32 = 12
)

// ResponseItems is how many PEs a registrar lists at most in an answer, unless it
// is told otherwise: who is given fewer than that and than were asked for knows
// the whole pool.
const ResponseItems = 128

// IANA's ports.
const (
	PortASAP    uint16 = 3863
	PortASAPTLS uint16 = 3864
	PortENRP    uint16 = 9901
	PortENRPTLS uint16 = 9902
)
