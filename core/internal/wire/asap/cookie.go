package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/wire"
)

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

var cookieLayout = wire.Layout{Need: wire.SetOf(wire.ParamCookie)}

func parseCookie(h wire.Header, r *wire.Report) (Message, error) {
	p, err := cookieLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return Cookie{Data: p.Cookie}, nil
}

func (m Cookie) write(w *wire.Writer) { w.Cookie(m.Data) }

func parseCookieEcho(h wire.Header, r *wire.Report) (Message, error) {
	p, err := cookieLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return CookieEcho{Data: p.Cookie}, nil
}

func (m CookieEcho) write(w *wire.Writer) { w.Cookie(m.Data) }
