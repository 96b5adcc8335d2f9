package main

import (
	"sync"

	"golang.org/x/sys/unix"
)

// signal is what makes a socket's descriptor a real one: a pair of connected
// local sockets, of which the program holds one end and the core the other. The
// program's end is readable while a byte lies in it, and not writable while
// bytes that nobody takes out fill it; so poll, select and epoll see the state
// of the SCTP socket without knowing of it. Only the core reads and writes here.
type signal struct {
	mu     sync.Mutex
	app    int    // the program's descriptor, by its latest known number
	ino    uint64 // of the program's end; never reused
	core   int
	closed bool
	held   bool // what has arrived is not shown for now

	arrived, blocked bool // what the descriptor is to show: readable, not writable
	readable, full   bool // what it shows
}

func newSignal() (*signal, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &signal{app: pair[0], core: pair[1]}
	if s.ino, err = inode(pair[0]); err == nil {
		// The smaller the buffer, the sooner it is full.
		err = unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_SNDBUF, 1)
	}
	if err != nil {
		unix.Close(pair[0])
		unix.Close(pair[1])
		return nil, err
	}
	return s, nil
}

func inode(fd int) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return 0, err
	}
	return stat.Ino, nil
}

// knownAs notes the number under which the program used the descriptor last: it
// may have been duplicated, and the first one closed.
func (s *signal) knownAs(fd int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fd != s.app {
		s.app = fd
		s.show()
	}
}

// appOpen says whether the number still is the program's end: a program that
// used close(2) may have another file there by now.
func (s *signal) appOpen() bool {
	ino, err := inode(s.app)
	return err == nil && ino == s.ino
}

func (s *signal) setReadable(readable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived = readable
	s.show()
}

func (s *signal) setWritable(writable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked = !writable
	s.show()
}

// hold is for a thread that reads and takes at once what it has read: nobody is woken
// for that. With release the descriptor shows what is left.
func (s *signal) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

func (s *signal) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	s.show()
}

// show has the descriptor show what it is to show. Where that takes the program's end and
// its number is not known, it waits until the program uses one.
func (s *signal) show() {
	if s.closed {
		return
	}
	if s.arrived != s.readable && !s.held {
		s.showReadable()
	}
	if s.blocked != s.full {
		s.showFull()
	}
}

func (s *signal) showReadable() {
	var b [1]byte
	switch {
	case s.arrived:
		unix.Send(s.core, b[:], unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	case s.appOpen():
		unix.Recvfrom(s.app, b[:], unix.MSG_DONTWAIT)
	default:
		return
	}
	s.readable = s.arrived
}

func (s *signal) showFull() {
	switch {
	case !s.blocked:
		s.drain()
	case s.appOpen():
		s.fill()
	default:
		return
	}
	s.full = s.blocked
}

// fill writes until the program's end takes no more.
func (s *signal) fill() {
	var b [2048]byte
	for unix.Send(s.app, b[:], unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) == nil {
	}
}

func (s *signal) drain() {
	var b [4096]byte
	for {
		n, _, err := unix.Recvfrom(s.core, b[:], unix.MSG_DONTWAIT)
		if n <= 0 || err != nil {
			return
		}
	}
}

// close wakes everybody who waits for the program's end, with POLLHUP. To close
// does not do that as long as a forked child has the descriptor as well; to shut
// down does.
func (s *signal) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		unix.Shutdown(s.core, unix.SHUT_RDWR)
		unix.Close(s.core)
	}
}
