package endpoint

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// outbox collects the effects of the sub-states in order: it is the Out of all
// three.
type outbox struct {
	effects []Effect
	card    func(to assoc.ID, prefer []protocol.PEID)
	self    func() (protocol.PoolHandle, protocol.Element, bool)
}

func (o *outbox) add(e Effect) { o.effects = append(o.effects, e) }

func (o *outbox) log(l Level, text string) { o.add(Log{Level: l, Text: text}) }

func (o *outbox) Connect(t Token, addrs []netip.AddrPort) { o.add(Connect{t, addrs}) }

func (o *outbox) LookUp() { o.add(LookUp{}) }

func (o *outbox) Shutdown(id assoc.ID) { o.add(Shutdown{id}) }

func (o *outbox) Abort(id assoc.ID, reason string) { o.add(Abort{id, reason}) }

func (o *outbox) Send(to assoc.ID, m asap.Message) { o.add(Send{to, m}) }

func (o *outbox) SendBusinessCard(to assoc.ID) { o.card(to, nil) }

func (o *outbox) IsSelf(h protocol.PoolHandle, id protocol.PEID) bool {
	own, self, ok := o.self()
	return ok && own == h && self.ID == id
}

func (o *outbox) Registered(h protocol.PoolHandle, e protocol.Element, warnings []protocol.Cause) {
	o.add(Registered{h, e, warnings})
}

func (o *outbox) RegistrationFailed(h protocol.PoolHandle, err error, still bool) {
	o.add(RegistrationFailed{h, err, still})
}

func (o *outbox) RegistrationLost(h protocol.PoolHandle, err error) {
	o.add(RegistrationLost{h, err})
}

func (o *outbox) Deregistered(h protocol.PoolHandle, err error) { o.add(Deregistered{h, err}) }

func (o *outbox) Resolved(t Token, h protocol.PoolHandle, p protocol.PolicyType, es []protocol.Element) {
	o.add(Resolved{t, h, p, es})
}

func (o *outbox) ResolveFailed(t Token, h protocol.PoolHandle, err error) {
	o.add(ResolveFailed{t, h, err})
}

func (o *outbox) UsePE(s SessionID, h protocol.PoolHandle, e protocol.Element, failover bool) {
	o.add(UsePE{s, h, e, failover})
}

func (o *outbox) LeavePE(s SessionID) { o.add(LeavePE{s}) }

func (o *outbox) SessionFailed(s SessionID, h protocol.PoolHandle, err error) {
	o.add(SessionFailed{s, h, err})
}

func (o *outbox) Waits(s SessionID, t Token, h protocol.PoolHandle, why error) {
	o.add(Waits{s, t, h, why})
}

func (o *outbox) CookieReceived(s SessionID, data []byte) { o.add(CookieReceived{s, data}) }
