package asap

import "fmt"

// Cookie gives a PU the state of its session to keep (RFC 5352 section
// 2.2.11). Only the pool's own PEs understand Data.
type Cookie struct {
	Data []byte
}

// CookieEcho hands the newest Cookie, unchanged, to the PE a PU fails over to
// (RFC 5352 section 2.2.12).
type CookieEcho struct {
	Data []byte
}

// Type returns TypeCookie.
func (Cookie) Type() Type { return TypeCookie }

// Type returns TypeCookieEcho.
func (CookieEcho) Type() Type { return TypeCookieEcho }

func (m Cookie) String() string { return fmt.Sprintf("%v %d bytes", m.Type(), len(m.Data)) }

func (m CookieEcho) String() string { return fmt.Sprintf("%v %d bytes", m.Type(), len(m.Data)) }
