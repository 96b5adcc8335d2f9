package loop

import (
	"sync"

	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// announcer is a registrar's place in a multicast group: it announces itself
// and hears the others (ASAP-3.6-02, ASAP-3.6-03).
type announcer struct {
	ear     *Ear
	mouth   *mouth
	failing bool
	running sync.WaitGroup
}

func openAnnouncer(g *Group, port uint16) (*announcer, error) {
	if g == nil {
		return nil, nil
	}
	ear, err := g.Listen()
	if err != nil {
		return nil, err
	}
	mouth, err := g.open(port)
	if err != nil {
		ear.Close()
		return nil, err
	}
	return &announcer{ear: ear, mouth: mouth}, nil
}

func (a *announcer) start(r *Registrar) { a.running.Go(func() { a.runHear(r) }) }

func (a *announcer) runHear(r *Registrar) {
	for {
		m, from, err := a.ear.Hear()
		if err != nil {
			return
		}
		r.mu.Lock()
		if !r.closed {
			r.loop.Post(registrar.AnnounceReceived{From: from, Message: m})
		}
		r.mu.Unlock()
	}
}

// announce sends an announcement. That it cannot is said once.
func (r *Registrar) announce(m asap.ServerAnnounce) {
	a := r.announcer
	b, err := asap.Append(nil, m)
	if err == nil {
		err = a.mouth.say(b)
	}
	if err != nil && !a.failing {
		r.log.Warn("cannot announce this registrar", "group", a.mouth.to, "err", err)
	}
	a.failing = err != nil
}

func (a *announcer) close() {
	a.ear.Close()
	a.mouth.close()
	a.running.Wait()
}
