package user

import (
	"bytes"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// HandleCookie keeps the newest cookie of a session (ASAP-3.8-02). One that
// comes where no control channel is, is ignored (ASAP-5-06).
func (u *User) HandleCookie(from assoc.ID, m asap.Cookie) {
	s := u.byAssoc[from]
	if s == nil || !control(s.pe) {
		return
	}
	s.cookie = bytes.Clone(m.Data)
	if s.cookie == nil {
		s.cookie = []byte{}
	}
	u.out.CookieReceived(s.id, s.cookie)
}

// maxCardRequests bounds how many pools are asked for at a time because cards
// name them: whoever makes cards up keeps nobody busy.
const maxCardRequests = 16

// HandleBusinessCard takes the card of a session's PE: a newer one replaces
// the older (ASAP-3.9-04). A card for another pool than the session's cannot
// guide its failover. served says that the endpoint is a PE with a control
// channel: then the card may be one of a PU of its. The pool of the card gets
// into the cache if it is not there; if it is, what the card says of the session's
// PE counts (BC1, ASAP-3.9-05).
func (u *User) HandleBusinessCard(now time.Time, from assoc.ID, m asap.BusinessCard, served bool) {
	s := u.byAssoc[from]
	if s == nil && !served || s != nil && !control(s.pe) {
		return
	}
	if s != nil && m.Handle == s.handle {
		s.card = slices.DeleteFunc(slices.Clone(m.Elements), func(e protocol.Element) bool {
			return e.ID == s.pe.ID
		})
		if i := slices.IndexFunc(m.Elements, func(e protocol.Element) bool { return e.ID == s.pe.ID }); i >= 0 {
			u.cache.renew(m.Handle, m.Elements[i])
		}
	}
	if u.cache.get(m.Handle) == nil && u.cfg.StaleCache >= 0 && len(u.requests) < maxCardRequests {
		u.refresh(now, m.Handle)
	}
}
