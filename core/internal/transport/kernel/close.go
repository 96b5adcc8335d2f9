package kernel

import (
	"net"
)

// Close implements transport.Endpoint. Associations that are shutting down are
// the kernel's to finish.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	_ = e.control(func(fd uintptr) error {
		for _, id := range assocIDs(fd) {
			if a := e.assocs[id]; a == nil || !a.closing || !a.up {
				_ = sendControl(fd, id, flagAbort, []byte("endpoint closed"))
			}
		}
		return nil
	})
	// What is unread at close would make the kernel abort the others too.
	e.keep()
	e.closed = true
	close(e.done)
	for _, a := range e.assocs {
		if a.timeout != nil {
			a.timeout.Stop()
		}
	}
	return e.file.Close()
}
