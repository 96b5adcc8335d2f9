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
	for _, a := range e.assocs {
		e.letGo(a)
	}
	for _, s := range e.sockets() {
		e.abortAll(s)
	}
	// What is unread at close would make the kernel abort the others too.
	e.keep()
	e.closed = true
	close(e.done)
	for _, a := range e.assocs {
		if a.timeout != nil {
			a.timeout.Stop()
		}
	}
	for _, s := range e.sockets()[1:] {
		s.file.Close()
	}
	if e.peeled.epoll != nil {
		e.peeled.epoll.file.Close()
	}
	return e.main.file.Close()
}

// abortAll ends the associations of a socket, except those that are shutting
// down.
func (e *Endpoint) abortAll(s *socket) {
	for _, id := range s.associations() {
		if a := e.assocs[id]; a == nil || !a.closing || !a.up {
			_ = s.control(func(fd uintptr) error { return sendControl(fd, id, flagAbort, []byte("endpoint closed")) })
		}
	}
}
