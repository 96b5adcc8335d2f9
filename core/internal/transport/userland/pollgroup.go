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

// crowds are those of the process: as many as can run at the same time.
var crowds struct {
	mu   sync.Mutex
	all  []*pollGroup
	next int
}

// joinPollGroup finds a poll group for a socket.
func joinPollGroup(s *socket) error {
	crowds.mu.Lock()
	defer crowds.mu.Unlock()
	if len(crowds.all) < runtime.GOMAXPROCS(0) {
		c, err := newPollGroup()
		if err != nil {
			return fmt.Errorf("make a poller for UDP sockets: %w", err)
		}
		crowds.all = append(crowds.all, c)
	}
	crowds.next = (crowds.next + 1) % len(crowds.all)
	return crowds.all[crowds.next].join(s)
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
	c := &pollGroup{epoll: os.NewFile(uintptr(fd), "sctp-udp-group")}
	if c.conn, err = c.epoll.SyscallConn(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = time.AfterFunc(pollGroupPatience, c.look)
	c.handOff()
	return c, nil
}

// join makes s one of the poll group.
func (c *pollGroup) join(s *socket) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.control(s, func(epoll, fd int) {
		if fd >= len(c.sockets) {
			c.sockets = append(c.sockets, make([]*socket, fd+1-len(c.sockets))...)
		}
		s.group, c.sockets[fd] = c, s
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)})
	})
	if e != nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("watch the UDP socket of %v: %w", s.local, err)
	}
	return nil
}

// leave takes s out of the poll group, before its descriptor stands for anything
// else.
func (c *pollGroup) leave(s *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.control(s, func(epoll, fd int) {
		_ = unix.EpollCtl(epoll, unix.EPOLL_CTL_DEL, fd, nil)
		c.sockets[fd] = nil
	})
}

// control calls f with both descriptors, which stay open meanwhile.
func (c *pollGroup) control(s *socket, f func(epoll, fd int)) (err error) {
	closed := c.conn.Control(func(epoll uintptr) {
		err = s.conn.Control(func(fd uintptr) { f(int(epoll), int(fd)) })
	})
	if closed != nil {
		return closed
	}
	return err
}

// handOff puts another goroutine in charge.
func (c *pollGroup) handOff() {
	c.owner, c.reading = &worker{group: c}, false
	go c.owner.run()
}

// look puts another goroutine in charge if the present one has been at one
// socket since the last look.
func (c *pollGroup) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watching = c.reading
	if !c.reading {
		return
	}
	if c.visits == c.seen {
		c.handOff()
	}
	c.seen = c.visits
	c.watch.Reset(pollGroupPatience)
}

// report makes the sockets ready that events are about.
func (c *pollGroup) report(events []unix.EpollEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.rest = append(c.ready, c.rest...), c.rest[:0]
	for i := range events {
		e := &events[len(events)-1-i]
		if s := c.sockets[e.Fd]; s != nil {
			s.failed = s.failed || e.Events&unix.EPOLLERR != 0
			c.ready = append(c.ready, s)
		}
	}
	if !c.watching {
		c.watching, c.seen = true, c.visits
		c.watch.Reset(pollGroupPatience)
	}
}

// next returns the socket to read after s, which may have more; nil if none is
// ready or if another goroutine is in charge now. failed says that the system
// reports an error.
func (c *pollGroup) next(w *worker, s *socket, more bool) (next *socket, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inCharge := w == c.owner
	switch {
	case s == nil:
	case !inCharge && (more || s.again):
		next, s.again = s, false // nobody else will
	case more:
		c.rest = append(c.rest, s)
		fallthrough
	default:
		s.busy = false
	}
	if inCharge {
		next = c.pop()
		c.reading = next != nil
		c.visits++
	}
	if next != nil {
		failed, next.failed = next.failed, false
	}
	return next, failed
}

// pop takes the first of the ready sockets. One that is being read by who was
// in charge before is left to him.
func (c *pollGroup) pop() *socket {
	for n := len(c.ready); n > 0; n = len(c.ready) {
		s := c.ready[n-1]
		c.ready = c.ready[:n-1]
		if !s.busy {
			s.busy = true
			return s
		}
		s.again = true
	}
	return nil
}

// mayWait says that there is nothing to read until a socket becomes readable.
func (c *pollGroup) mayWait() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ready)+len(c.rest) == 0
}

func (c *pollGroup) inCharge(w *worker) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return w == c.owner
}

// worker is one goroutine's time in charge of a poll group.
type worker struct {
	group  *pollGroup
	events [pollBatch]unix.EpollEvent
	n      int    // of events
	in     *inbox // nil while waiting
}

func (w *worker) run() {
	c, ask := w.group, w.ask
	for c.inCharge(w) {
		w.n = 0
		_ = c.conn.Read(ask) // never closed
		c.report(w.events[:w.n])
		more := false
		for s, failed := c.next(w, nil, false); s != nil; s, failed = c.next(w, s, more) {
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
