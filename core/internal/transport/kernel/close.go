package kernel

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
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
		e.letCome(a)
	}
	for _, s := range e.sockets() {
		e.abortAll(s)
	}
	// What is unread at close would make the kernel abort the others too.
	e.keep()
	e.closed = true
	close(e.done)
	e.arrival.close()
	e.room.close()
	for _, a := range e.assocs {
		if a.timeout != nil {
			a.timeout.Stop()
		}
	}
	for _, s := range e.sockets() {
		_ = s.control(func(fd uintptr) error { return abortOnClose(fd, false) })
	}
	for _, s := range e.sockets()[1:] {
		s.file.Close()
	}
	if e.peeled.epoll != nil {
		e.peeled.epoll.file.Close()
	}
	return e.main.file.Close()
}

// abortOnClose says what the kernel does with the associations of a socket that
// is closed. It closes them also where a process ends by itself or is killed: then
// the peers have to learn that nobody was there to end them in peace, which is what
// a SHUTDOWN would tell (RFC 6458 section 8.1.4).
func abortOnClose(fd uintptr, on bool) error {
	linger := unix.Linger{}
	if on {
		linger.Onoff = 1
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &linger))
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
