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
	go e.runReadable()
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

// runReadable calls the readable hook when there is something to read, and
// again only after Recv has found nothing.
func (e *Endpoint) runReadable() {
	isReadable := func(fd uintptr) bool { return ready(fd, unix.POLLIN) }
	for e.conn.Read(isReadable) == nil {
		e.hook(e.readable)
		select {
		case <-e.hungry:
		case <-e.done:
			return
		}
	}
}

// runWritable calls the writable hook for associations that had to wait.
func (e *Endpoint) runWritable() {
	waited := false
	isWritable := func(fd uintptr) bool {
		if ready(fd, unix.POLLOUT) {
			return true
		}
		waited = true
		return false
	}
	var ids []assoc.ID
	for {
		select {
		case <-e.full:
		case <-e.done:
			return
		}
		waited = false
		if e.conn.Write(isWritable) != nil {
			return
		}
		if !waited {
			time.Sleep(respite)
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
