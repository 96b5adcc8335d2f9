package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

// watcher waits for one socket, by an epoll instance that lies in the runtime's poller in
// the socket's place: that one would wake a thread for each packet, also when somebody
// else reads.
type watcher struct {
	epoll *socket
	of    int // the socket
}

// newWatcher watches for events of a socket that stays open as long.
func newWatcher(of int, events uint32) (*watcher, error) {
	epoll, err := newEpoll()
	if err != nil {
		return nil, err
	}
	w := &watcher{epoll, of}
	if err := w.control(unix.EPOLL_CTL_ADD, events); err != nil {
		w.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return w, nil
}

// newEpoll makes an epoll instance that lies in the runtime's poller.
func newEpoll() (*socket, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return adopt(fd, nil)
}

// watch changes what is watched for. Of errors it is always told.
func (w *watcher) watch(events uint32) { _ = w.control(unix.EPOLL_CTL_MOD, events) }

func (w *watcher) control(op int, events uint32) error {
	return w.epoll.control(func(fd uintptr) error {
		return unix.EpollCtl(int(fd), op, w.of, &unix.EpollEvent{Events: events, Fd: int32(w.of)})
	})
}

// wait waits until there is something; the error is that of a watcher that was closed.
func (w *watcher) wait() error {
	return w.epoll.conn.Read(func(fd uintptr) bool {
		var event [1]unix.EpollEvent
		n, err := unix.EpollWait(int(fd), event[:], 0)
		return err != unix.EINTR && n != 0
	})
}

func (w *watcher) close() {
	if w != nil {
		w.epoll.file.Close()
	}
}
