package endpoint

import (
	"bytes"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// handleCookie keeps the newest cookie of a session (ASAP-3.8-02). One that
// comes where no control channel is, is ignored (ASAP-5-06).
func (u *user) handleCookie(from assoc.ID, m asap.Cookie) {
	s := u.byAssoc[from]
	if s == nil || !hasControlChannel(s.pe.User) {
		return
	}
	s.cookie = bytes.Clone(m.Data)
	if s.cookie == nil {
		s.cookie = []byte{}
	}
	u.effects.add(CookieReceived{Session: s.id, Data: s.cookie})
}
