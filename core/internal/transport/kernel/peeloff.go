package kernel

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// peeled is the set of associations that have sockets of their own. It exists
// from the first one on.
type peeled struct {
	epoll  *socket       // over their sockets
	hungry chan struct{} // Recv returned ErrWouldBlock
	all    map[assoc.ID]*association
}

// open makes the set and lets the readable hook be called for it.
func (p *peeled) open(e *Endpoint) error {
	if p.epoll != nil {
		return nil
	}
	epoll, err := newEpoll()
	if err != nil {
		return err
	}
	p.epoll = epoll
	p.hungry, p.all = make(chan struct{}, 1), map[assoc.ID]*association{}
	go e.runReadable(func() error { return p.epoll.conn.Read(readable) }, p.hungry)
	return nil
}

// peelOff gives an association a socket of its own.
func (e *Endpoint) peelOff(a *association) error {
	if err := e.peeled.open(e); err != nil {
		return err
	}
	fd := -1
	err := e.main.control(func(main uintptr) (err error) {
		fd, err = peelOff(main, a.id)
		return err
	})
	if err != nil {
		return err
	}
	s, err := adopt(fd, a)
	if err != nil {
		return err
	}
	a.sock, e.peeled.all[a.id] = s, a
	if err := e.peeled.control(a, unix.EPOLL_CTL_ADD); err != nil {
		e.giveUp(a, fmt.Errorf("%w: %w", assoc.ErrNoResources, err))
		e.round = append(e.round, s) // nobody else tells that there is its end to read
		go e.hook(e.readable)
	}
	return nil
}

// peelOff is sctp_peeloff (RFC 6458 section 9.2).
func peelOff(fd uintptr, id assoc.ID) (int, error) {
	param := struct {
		id, fd int32
		flags  uint32
	}{id: int32(id), flags: unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK}
	size := uint32(unsafe.Sizeof(param))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, sctp.SOL_SCTP, optPeelOffFlags,
		uintptr(unsafe.Pointer(&param)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return -1, os.NewSyscallError("peeloff", errno)
	}
	return int(param.fd), nil
}

// control changes what an association's socket is watched for.
func (p *peeled) control(a *association, op int) error {
	return p.epoll.control(func(epfd uintptr) error {
		return a.sock.control(func(fd uintptr) error {
			ev := unix.EpollEvent{Events: events(a), Fd: int32(a.id)}
			return unix.EpollCtl(int(epfd), op, int(fd), &ev)
		})
	})
}

// watch renews what an association's socket is watched for.
func (p *peeled) watch(a *association) { _ = p.control(a, unix.EPOLL_CTL_MOD) }

// remove closes the socket of an association that has ended.
func (p *peeled) remove(a *association) {
	_ = p.control(a, unix.EPOLL_CTL_DEL) // a send under way may keep it open
	delete(p.all, a.id)
	a.sock.file.Close()
}

// ready appends the sockets that have something to read. An association that
// has ended is not held any longer.
func (p *peeled) ready(e *Endpoint, round []*socket) []*socket {
	if len(p.all) == 0 {
		return round
	}
	var evs [epollEvents]unix.EpollEvent
	n := 0
	_ = p.epoll.control(func(fd uintptr) (err error) {
		n, err = unix.EpollWait(int(fd), evs[:], 0)
		return err
	})
	for _, ev := range evs[:max(n, 0)] {
		a := p.all[assoc.ID(ev.Fd)]
		if a == nil {
			continue
		}
		if a.held && !a.sock.has(a.id) {
			e.letCome(a)
		}
		if !a.held {
			round = append(round, a.sock)
		}
	}
	return round
}
