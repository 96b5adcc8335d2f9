package main

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// hangups tells when a program closed its end of a signal with close(2), or
// lost it by execve, so that the socket behind it does not live for ever.
//
// Its epoll descriptor waits with all else in the runtime's poller, and costs no thread.
type hangups struct {
	file  *os.File
	conn  syscall.RawConn
	epoll int
	mu    sync.Mutex
	next  int32
	calls map[int32]func()
}

func newHangups() (*hangups, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(epoll, true)
	}
	if err != nil {
		return nil, err
	}
	h := &hangups{file: os.NewFile(uintptr(epoll), "hangups"), epoll: epoll, calls: make(map[int32]func())}
	if h.conn, err = h.file.SyscallConn(); err != nil {
		return nil, err
	}
	go h.runWatch()
	return h, nil
}

// watch calls f once when the other end of fd is gone; the key is for forget.
func (h *hangups) watch(fd int, f func()) (key int32, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	h.calls[h.next] = f
	// No event is asked for: EPOLLHUP is always reported.
	event := unix.EpollEvent{Events: unix.EPOLLONESHOT, Fd: h.next}
	if err := unix.EpollCtl(h.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		delete(h.calls, h.next)
		return 0, err
	}
	return h.next, nil
}

// forget ends a watch whose fd is about to be closed.
func (h *hangups) forget(key int32) {
	h.mu.Lock()
	delete(h.calls, key)
	h.mu.Unlock()
}

func (h *hangups) take(key int32) func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.calls[key]
	delete(h.calls, key)
	return f
}

func (h *hangups) runWatch() {
	events := make([]unix.EpollEvent, 16)
	for {
		var n int
		err := h.conn.Read(func(epoll uintptr) bool {
			n, _ = unix.EpollWait(int(epoll), events, 0)
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			if f := h.take(e.Fd); f != nil {
				go f()
			}
		}
	}
}
