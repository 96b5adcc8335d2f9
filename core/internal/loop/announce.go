package loop

import (
	"sync"

	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// member is a registrar's place in a multicast group.
type member struct {
	receiver *GroupReceiver
	sender   *groupSender
	failing  bool
	running  sync.WaitGroup
}

// joinGroup enters a group, if there is one, for a registrar that serves at ep.
func joinGroup(g *Group, ep transport.Endpoint) (*member, error) {
	if g == nil {
		return nil, nil
	}
	port := ep.LocalAddrs()[0].Port()
	if s, ok := ep.(transport.Sharer); ok && port == g.Addr.Port() {
		if err := s.ShareWithGroups(); err != nil {
			return nil, err
		}
	}
	receiver, err := g.Listen()
	if err != nil {
		return nil, err
	}
	sender, err := g.speak(port)
	if err != nil {
		receiver.Close()
		return nil, err
	}
	return &member{receiver: receiver, sender: sender}, nil
}

// joinGroups enters the group for ASAP, where the registrar announces itself
// and hears the others (ASAP-3.6-02, ASAP-3.6-03), and that for ENRP.
func (r *Registrar) joinGroups(cfg RegistrarConfig) (err error) {
	if r.announcer, err = joinGroup(cfg.Announce, r.asap.port.Endpoint); err == nil && r.enrp != nil {
		r.discovery, err = joinGroup(cfg.Multicast, r.enrp.port.Endpoint)
	}
	return err
}

// listen begins to hear.
func (r *Registrar) listen() {
	if m := r.announcer; m != nil {
		m.running.Go(func() {
			for a, from, err := m.receiver.HearAnnounce(); err == nil; a, from, err = m.receiver.HearAnnounce() {
				r.post(registrar.AnnounceReceived{From: from, Message: a})
			}
		})
	}
	if m := r.discovery; m != nil {
		m.running.Go(func() {
			for p, _, err := m.receiver.HearPresence(); err == nil; p, _, err = m.receiver.HearPresence() {
				r.post(registrar.PresenceHeard{Message: p})
			}
		})
	}
}

func (r *Registrar) post(ev registrar.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.loop.Post(ev)
	}
}

// announce says something to a group. That it cannot is logged once.
func (r *Registrar) announce(m *member, b []byte, err error) {
	if err == nil {
		err = m.sender.say(b)
	}
	if err != nil && !m.failing {
		r.log.Warn("cannot announce this registrar", "group", m.sender.to, "err", err)
	}
	m.failing = err != nil
}

func (r *Registrar) sendAnnounce(m asap.ServerAnnounce) {
	b, err := asap.Append(nil, m)
	r.announce(r.announcer, b, err)
}

func (r *Registrar) sendPresence(m enrp.Presence) {
	b, err := enrp.Append(nil, m)
	r.announce(r.discovery, b, err)
}

func (m *member) leave() {
	if m != nil {
		m.receiver.Close()
		m.sender.close()
		m.running.Wait()
	}
}
