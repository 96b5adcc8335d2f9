package session

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Perform does what the machine of ASAP wants if it concerns associations or
// sessions; false means that it is something else.
func (t *Table) Perform(now time.Time, f endpoint.Effect) (done bool) {
	t.now = now
	switch f := f.(type) {
	case endpoint.Connect:
		t.connectRegistrar(f)
	case endpoint.Send:
		t.sendControl(f.Assoc, f.Message)
	case endpoint.Shutdown:
		_ = t.port.Shutdown(f.Assoc) // gone already: as wished
	case endpoint.Abort:
		_ = t.port.Abort(f.Assoc, f.Reason) // as above
	default:
		return t.performForSession(f)
	}
	return true
}

func (t *Table) performForSession(f endpoint.Effect) (done bool) {
	switch f := f.(type) {
	case endpoint.UsePE:
		t.useElement(f)
	case endpoint.LeavePE:
		t.leavePE(f)
	case endpoint.CookieReceived:
		t.cookieReceived(f)
	case endpoint.CookieEchoReceived:
		t.cookieEchoed(f)
	case endpoint.BusinessCardReceived:
		t.cardReceived(f)
	case endpoint.SessionFailed:
		t.failed(f)
	case endpoint.Waits:
		t.waitsFor(f)
		return f.Session != 0
	case endpoint.Resolved:
		return t.preferredFound(f.Token, nil)
	case endpoint.ResolveFailed:
		return t.preferredFound(f.Token, f.Err)
	default:
		return false
	}
	return true
}

// connectRegistrar opens an association with a registrar, or finds the one that
// stands.
func (t *Table) connectRegistrar(f endpoint.Connect) {
	id, err := t.port.Connect(f.Addrs, towardsRegistrar())
	exists := errors.Is(err, assoc.ErrAlreadyExists)
	if err != nil && !exists {
		t.cfg.Post(endpoint.ConnectFailed{Token: f.Token, Err: err})
		return
	}
	t.cfg.Post(endpoint.Connecting{Token: f.Token, Assoc: id})
	if a := t.assocs[id]; exists && a != nil && a.up {
		t.postUp(id)
	}
}

func (t *Table) sendControl(id assoc.ID, m asap.Message) {
	b, err := t.cfg.Encode(id, m)
	if err == nil {
		err = t.port.SendControl(id, protocol.PPIDASAP, b)
	}
	if errors.Is(err, driver.ErrNotRead) {
		_ = t.port.Abort(id, "control messages are not read") // gone already: as wished
	}
	if err != nil {
		t.cfg.Post(endpoint.SendFailed{Assoc: id, Err: err})
	}
}
