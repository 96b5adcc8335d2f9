package loop

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/registrar"
)

// partTime is how long shutdowns are waited for.
const partTime = 2 * time.Second

// parting is how a registrar leaves the others: their associations are shut down, and
// that takes until the answer is there. A shutdown that is under way when the process
// ends is no end in order for the other side, but our death. The registrar's lock guards
// it.
type parting struct {
	ending map[registrar.Link]bool // associations with others that are being shut down
	ready  bool                    // the machine waits for nobody any more
	done   chan struct{}           // closed when it does not, and they have ended
}

func newParting() parting {
	return parting{ending: map[registrar.Link]bool{}, done: make(chan struct{})}
}

// ended is told of an association that is not there any more.
func (p *parting) ended(l registrar.Link) {
	delete(p.ending, l)
	p.look()
}

func (p *parting) look() {
	if p.ready && len(p.ending) == 0 {
		p.ready = false // once
		close(p.done)
	}
}

// shutDown notes that an association is about to be shut down.
func (r *Registrar) shutDown(l registrar.Link) {
	if r.enrp == nil || l.Channel != r.enrp.Name {
		return
	}
	if _, err := r.enrp.port.Status(l.Assoc); err == nil {
		r.parting.ending[l] = true
	}
}

// part performs Left.
func (r *Registrar) part() {
	r.parting.ready = true
	r.parting.look()
	time.AfterFunc(partTime, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		clear(r.parting.ending)
		r.parting.look()
	})
}
