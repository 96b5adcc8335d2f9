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
	// crowdBatch is how many sockets one system call may name as readable.
	crowdBatch = 64
	// crowdPatience is how long one socket of a crowd keeps the others waiting,
	// at most twice: a hook should be brief but may not be.
	crowdPatience = 10 * time.Millisecond
)

// crowd is many sockets that one goroutine reads, one after the other: to switch
// goroutines for each packet costs as much as the engine's work on it, and the
// runtime's poller looks at a socket whenever something was sent, too.
//
// Should a hook keep the goroutine for long, another takes its place.
type crowd struct {
	epoll *os.File // of the sockets; waits with all else in the runtime's poller
	conn  syscall.RawConn

	mu       sync.Mutex
	sockets  []*socket // by descriptor
	ready    []*socket // readable and not yet read, the first one last
	rest     []*socket // read in part: others have their turn first
	charge   *shift    // the goroutine in charge
	reading  bool      // it is at a socket
	visits   uint      // how many sockets it has gone on to
	seen     uint      // visits when the watch last looked
	watching bool      // the watch is set
	watch    *time.Timer
}

// crowds are those of the process: as many as can run at the same time.
var crowds struct {
	mu   sync.Mutex
	all  []*crowd
	next int
}

// joinCrowd finds a crowd for a socket.
func joinCrowd(s *socket) error {
	crowds.mu.Lock()
	defer crowds.mu.Unlock()
	if len(crowds.all) < runtime.GOMAXPROCS(0) {
		c, err := newCrowd()
		if err != nil {
			return fmt.Errorf("make a poller for UDP sockets: %w", err)
		}
		crowds.all = append(crowds.all, c)
	}
	crowds.next = (crowds.next + 1) % len(crowds.all)
	return crowds.all[crowds.next].join(s)
}

// newCrowd makes a crowd of none, which lasts as long as the process.
func newCrowd() (*crowd, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, err
	}
	c := &crowd{epoll: os.NewFile(uintptr(fd), "sctp-udp-crowd")}
	if c.conn, err = c.epoll.SyscallConn(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = time.AfterFunc(crowdPatience, c.look)
	c.relieve()
	return c, nil
}

// join makes s one of the crowd.
func (c *crowd) join(s *socket) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.control(s, func(epoll, fd int) {
		if fd >= len(c.sockets) {
			c.sockets = append(c.sockets, make([]*socket, fd+1-len(c.sockets))...)
		}
		s.crowd, c.sockets[fd] = c, s
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

// leave takes s out of the crowd, before its descriptor stands for anything
// else.
func (c *crowd) leave(s *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.control(s, func(epoll, fd int) {
		_ = unix.EpollCtl(epoll, unix.EPOLL_CTL_DEL, fd, nil)
		c.sockets[fd] = nil
	})
}

// control calls f with both descriptors, which stay open meanwhile.
func (c *crowd) control(s *socket, f func(epoll, fd int)) (err error) {
	closed := c.conn.Control(func(epoll uintptr) {
		err = s.conn.Control(func(fd uintptr) { f(int(epoll), int(fd)) })
	})
	if closed != nil {
		return closed
	}
	return err
}

// relieve puts another goroutine in charge.
func (c *crowd) relieve() {
	c.charge, c.reading = &shift{crowd: c}, false
	go c.charge.run()
}

// look puts another goroutine in charge if the present one has been at one
// socket since the last look.
func (c *crowd) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watching = c.reading
	if !c.reading {
		return
	}
	if c.visits == c.seen {
		c.relieve()
	}
	c.seen = c.visits
	c.watch.Reset(crowdPatience)
}

// report makes the sockets ready that events are about.
func (c *crowd) report(events []unix.EpollEvent) {
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
		c.watch.Reset(crowdPatience)
	}
}

// next returns the socket to read after s, which may have more; nil if none is
// ready or if another goroutine is in charge now. failed says that the system
// reports an error.
func (c *crowd) next(w *shift, s *socket, more bool) (next *socket, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inCharge := w == c.charge
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
func (c *crowd) pop() *socket {
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
func (c *crowd) mayWait() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ready)+len(c.rest) == 0
}

func (c *crowd) inCharge(w *shift) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return w == c.charge
}

// shift is one goroutine's time in charge of a crowd.
type shift struct {
	crowd  *crowd
	events [crowdBatch]unix.EpollEvent
	n      int    // of events
	in     *inbox // nil while waiting
}

func (w *shift) run() {
	c, ask := w.crowd, w.ask
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
func (w *shift) ask(epoll uintptr) bool {
	w.n = readySockets(epoll, w.events[:])
	if w.n == 0 && w.crowd.mayWait() {
		w.release()
		return false
	}
	if w.in == nil {
		w.in = inboxes.Get().(*inbox)
	}
	return true
}

func (w *shift) release() {
	if w.in != nil {
		inboxes.Put(w.in)
		w.in = nil
	}
}
