package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// respite is the pause before the writable hook when the socket has room but
// an association has not: where the host gives each its own share
// (net.sctp.sndbuf_policy) there is nothing to wait for.
const respite = time.Millisecond

// Notify implements transport.Endpoint. No two hooks run at the same time, and
// none starts after Close.
func (e *Endpoint) Notify(readable func(), writable func(assoc.ID)) {
	e.readable, e.writable = readable, writable
	go e.runReadable(e.arrival.wait, e.hungry)
	go e.runWritable()
}

// ready says whether the socket has one of the events. It must be asked by the
// system: the runtime's poller forgets what came before it was told to wait.
func ready(fd uintptr, events int16) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(fds[:], 0)
		if err != unix.EINTR {
			return err != nil || n > 0
		}
	}
}

func readable(fd uintptr) bool { return ready(fd, unix.POLLIN) }

// runReadable calls the readable hook when there is something to read, and
// again only after Recv has found nothing.
func (e *Endpoint) runReadable(wait func() error, hungry chan struct{}) {
	for wait() == nil {
		e.hook(e.readable)
		select {
		case <-hungry:
		case <-e.done:
			return
		}
	}
}

// awaitRoom waits until the common socket is writable.
func (e *Endpoint) awaitRoom() error {
	if e.main.writable() {
		time.Sleep(respite)
		return nil
	}
	e.room.watch(unix.EPOLLOUT | unix.EPOLLONESHOT)
	return e.room.wait()
}

func (s *socket) writable() (yes bool) {
	_ = s.control(func(fd uintptr) error {
		yes = ready(fd, unix.POLLOUT)
		return nil
	})
	return yes
}

// awaitRoom waits until a socket that was peeled off is writable.
func (s *socket) awaitRoom() error {
	waited := false
	err := s.conn.Write(func(fd uintptr) bool {
		if ready(fd, unix.POLLOUT) {
			return true
		}
		waited = true
		return false
	})
	if err == nil && !waited {
		time.Sleep(respite)
	}
	return err
}

// runWritable calls the writable hook for associations that had to wait.
func (e *Endpoint) runWritable() {
	var ids []assoc.ID
	for {
		select {
		case <-e.full:
		case <-e.done:
			return
		}
		if e.awaitRoom() != nil {
			return
		}
		e.mu.Lock()
		ids = append(ids[:0], e.blocked...)
		e.blocked = e.blocked[:0]
		e.mu.Unlock()
		for _, id := range ids {
			e.hook(func() { e.writable(id) })
		}
	}
}

func (e *Endpoint) hook(call func()) {
	e.hooking.Lock()
	defer e.hooking.Unlock()
	select {
	case <-e.done:
	default:
		call()
	}
}
