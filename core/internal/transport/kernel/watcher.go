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
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	event := unix.EpollEvent{Events: events, Fd: int32(of)}
	if err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, of, &event); err == nil {
		err = unix.SetNonblock(fd, true) // for the runtime's poller
	}
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	epoll, err := adopt(fd, nil)
	if err != nil {
		return nil, err
	}
	return &watcher{epoll, of}, nil
}

// watch changes what is watched for. Of errors it is always told.
func (w *watcher) watch(events uint32) {
	_ = w.epoll.control(func(fd uintptr) error {
		return unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, w.of, &unix.EpollEvent{Events: events, Fd: int32(w.of)})
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
