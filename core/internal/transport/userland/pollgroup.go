package userland

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// pollBatch is how many sockets one system call may name as readable.
	pollBatch = 64
	// pollGroupPatience is how long one socket of a poll group keeps the others waiting,
	// at most twice: a hook should be brief but may not be.
	pollGroupPatience = 10 * time.Millisecond
)

// pollGroup is many sockets that one goroutine reads, one after the other: to switch
// goroutines for each packet costs as much as the engine's work on it, and the
// runtime's poller looks at a socket whenever something was sent, too.
//
// Should a hook keep the goroutine for long, another takes its place.
type pollGroup struct {
	epoll *os.File // of the sockets; waits with all else in the runtime's poller
	conn  syscall.RawConn
	fd    int // its descriptor

	mu       sync.Mutex
	sockets  []*socket // by descriptor
	ready    []*socket // readable and not yet read, the first one last
	rest     []*socket // read in part: others have their turn first
	owner    *worker   // the goroutine in charge
	reading  bool      // it is at a socket
	visits   uint      // how many sockets it has gone on to
	seen     uint      // visits when the watch last looked
	watching bool      // the watch is set
	watch    *time.Timer
}

// pollGroups are those of the process: as many as can run at the same time.
var pollGroups struct {
	mu   sync.Mutex
	all  []*pollGroup
	next int
}

// joinPollGroup finds a poll group for a socket.
func joinPollGroup(s *socket) error {
	pollGroups.mu.Lock()
	defer pollGroups.mu.Unlock()
	if len(pollGroups.all) < runtime.GOMAXPROCS(0) {
		g, err := newPollGroup()
		if err != nil {
			return fmt.Errorf("make a poller for UDP sockets: %w", err)
		}
		pollGroups.all = append(pollGroups.all, g)
	}
	pollGroups.next = (pollGroups.next + 1) % len(pollGroups.all)
	return pollGroups.all[pollGroups.next].join(s)
}

// newPollGroup makes a poll group of none, which lasts as long as the process.
func newPollGroup() (*pollGroup, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, err
	}
	g := &pollGroup{epoll: os.NewFile(uintptr(fd), "sctp-udp-group"), fd: fd}
	if g.conn, err = g.epoll.SyscallConn(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watch = time.AfterFunc(pollGroupPatience, g.look)
	g.handOff()
	return g, nil
}

// join makes s one of the poll group.
func (g *pollGroup) join(s *socket) (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.control(s, func(epoll, fd int) {
		if fd >= len(g.sockets) {
			g.sockets = append(g.sockets, make([]*socket, fd+1-len(g.sockets))...)
		}
		s.group, g.sockets[fd] = g, s
		s.fd = fd
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: readable, Fd: int32(fd)})
	})
	if e != nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("watch the UDP socket of %v: %w", s.local, err)
	}
	return nil
}

// readable is what is asked of the system: to be told of each arrival once.
const readable = unix.EPOLLIN | unix.EPOLLET

// watchSocket says whether the group is to be told of what arrives at s, which is open.
// Of errors it is told all the same.
func (g *pollGroup) watchSocket(s *socket, on bool) {
	event := unix.EpollEvent{Events: unix.EPOLLET, Fd: int32(s.fd)}
	if on {
		event.Events = readable
	}
	_ = unix.EpollCtl(g.fd, unix.EPOLL_CTL_MOD, s.fd, &event)
}

// leave takes s out of the poll group, before its descriptor stands for anything
// else.
func (g *pollGroup) leave(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.control(s, func(epoll, fd int) {
		_ = unix.EpollCtl(epoll, unix.EPOLL_CTL_DEL, fd, nil)
		g.sockets[fd] = nil
	})
}

// control calls f with both descriptors, which stay open meanwhile.
func (g *pollGroup) control(s *socket, f func(epoll, fd int)) (err error) {
	closed := g.conn.Control(func(epoll uintptr) {
		err = s.conn.Control(func(fd uintptr) { f(int(epoll), int(fd)) })
	})
	if closed != nil {
		return closed
	}
	return err
}

// handOff puts another goroutine in charge.
func (g *pollGroup) handOff() {
	g.owner, g.reading = &worker{group: g}, false
	go g.owner.run()
}

// look puts another goroutine in charge if the present one has been at one
// socket since the last look.
func (g *pollGroup) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watching = g.reading
	if !g.reading {
		return
	}
	if g.visits == g.seen {
		g.handOff()
	}
	g.seen = g.visits
	g.watch.Reset(pollGroupPatience)
}

// report makes the sockets ready that events are about.
func (g *pollGroup) report(events []unix.EpollEvent) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ready, g.rest = append(g.ready, g.rest...), g.rest[:0]
	for i := range events {
		e := &events[len(events)-1-i]
		if s := g.sockets[e.Fd]; s != nil {
			s.failed = s.failed || e.Events&unix.EPOLLERR != 0
			g.ready = append(g.ready, s)
		}
	}
	if !g.watching {
		g.watching, g.seen = true, g.visits
		g.watch.Reset(pollGroupPatience)
	}
}

// next returns the socket to read after s, which may have more; nil if none is
// ready or if another goroutine is in charge now. failed says that the system
// reports an error.
func (g *pollGroup) next(w *worker, s *socket, more bool) (next *socket, failed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	inCharge := w == g.owner
	switch {
	case s == nil:
	case !inCharge && (more || s.again):
		next, s.again = s, false // nobody else will
	case more:
		g.rest = append(g.rest, s)
		fallthrough
	default:
		s.busy = false
	}
	if inCharge {
		next = g.pop()
		g.reading = next != nil
		g.visits++
	}
	if next != nil {
		failed, next.failed = next.failed, false
	}
	return next, failed
}

// pop takes the first of the ready sockets. One that is being read by who was
// in charge before is left to him.
func (g *pollGroup) pop() *socket {
	for n := len(g.ready); n > 0; n = len(g.ready) {
		s := g.ready[n-1]
		g.ready = g.ready[:n-1]
		if !s.busy {
			s.busy = true
			return s
		}
		s.again = true
	}
	return nil
}

// mayWait says that there is nothing to read until a socket becomes readable.
func (g *pollGroup) mayWait() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.ready)+len(g.rest) == 0
}

func (g *pollGroup) inCharge(w *worker) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return w == g.owner
}

// worker is one goroutine's time in charge of a poll group.
type worker struct {
	group  *pollGroup
	events [pollBatch]unix.EpollEvent
	n      int    // of events
	in     *inbox // nil while waiting
}

func (w *worker) run() {
	g, ask := w.group, w.ask
	for g.inCharge(w) {
		w.n = 0
		_ = g.conn.Read(ask) // never closed
		g.report(w.events[:w.n])
		more := false
		for s, failed := g.next(w, nil, false); s != nil; s, failed = g.next(w, s, more) {
			more = s.rx.readNext(w.in, failed)
		}
	}
	w.release()
}

// ask fetches the sockets that have become readable. It returns false to be
// called again when there are some: every one that becomes so from now on
// wakes it.
func (w *worker) ask(epoll uintptr) bool {
	w.n = readySockets(epoll, w.events[:])
	if w.n == 0 && w.group.mayWait() {
		w.release()
		return false
	}
	if w.in == nil {
		w.in = inboxes.Get().(*inbox)
	}
	return true
}

func (w *worker) release() {
	if w.in != nil {
		inboxes.Put(w.in)
		w.in = nil
	}
}
