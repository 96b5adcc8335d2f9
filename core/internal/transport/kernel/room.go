package kernel

import (
	"net"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// All associations of a socket share its send buffer, and one whose peer does not
// read would fill it for all of them. When it is full, the one that has most in it
// gets a socket of its own, with what it has there, as one does that is held.

// crampedFor is for how long no room is looked for after none could be made.
const crampedFor = time.Second

// makeRoom moves an association to a socket of its own. It returns false when that
// would help nobody, or cannot be done.
func (e *Endpoint) makeRoom() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if e.closed || now.Before(e.cramped) {
		return false
	}
	a, several := e.largest()
	if a == nil || !several || e.peelOff(a) != nil {
		e.cramped = now.Add(crampedFor)
		return false
	}
	return true
}

// largest returns the association with most in the common send buffer, in chunks;
// several says that there are others.
func (e *Endpoint) largest() (largest *association, several bool) {
	most, count := 0, 0
	_ = e.main.control(func(fd uintptr) error {
		for id, a := range e.assocs {
			if a.sock != e.main || !a.up || a.closing {
				continue
			}
			count++
			b, err := rawStatus(fd, id)
			if err != nil {
				continue
			}
			if n := int(native.Uint16(b[12:])) + int(native.Uint16(b[14:])); n > most {
				largest, most = a, n
			}
		}
		return nil
	})
	return largest, count > 1
}

// socketOf returns the socket that an association has now.
func (e *Endpoint) socketOf(a *association) (*socket, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, net.ErrClosed
	case e.assocs[a.id] != a:
		return nil, assoc.ErrNotConnected
	}
	return a.sock, nil
}
