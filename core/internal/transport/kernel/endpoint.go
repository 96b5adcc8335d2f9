package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/lead"
)

var (
	_ transport.Endpoint = (*Endpoint)(nil)
	_ transport.Holder   = (*Endpoint)(nil)
	_ transport.Led      = (*Endpoint)(nil)
)

// Endpoint implements transport.Endpoint.
type Endpoint struct {
	main    *socket
	fds     []int    // main's, for who leads
	arrival *watcher // of main: there is something to read
	room    *watcher // or room in the send buffer
	local   []netip.AddrPort

	hungry chan struct{} // Recv returned ErrWouldBlock and main may be read
	full   chan struct{} // Send did
	done   chan struct{} // closed by Close

	hooking  sync.Mutex // held while a hook runs: one at a time
	readable func()
	writable func(assoc.ID)

	mu      sync.Mutex // guards the rest, and the order of what is read
	params  assoc.Params
	assocs  map[assoc.ID]*association
	blocked []assoc.ID // associations whose Send returned ErrWouldBlock
	reader  reader     // read.go
	inbox   inbox      // notification.go
	peeled  peeled     // peeloff.go
	stalls  int        // associations that are held without a socket of their own
	current *socket    // hold.go: whose turn it is to be read,
	turn    int        // what it has given so far,
	round   []*socket  // whose turn comes next,
	idle    bool       // and whether none since the round began had anything
	cramped time.Time  // room.go: until then there is no room to be made
	closed  bool
	lead    lead.Lead // who reads main
}

// association is what the kernel does not keep for us.
type association struct {
	id         assoc.ID
	sock       *socket
	held       bool
	parked     []item // read before it was held
	waiting    bool   // for room in the send buffer of a socket of its own
	outgoing   bool   // by Connect
	up         bool   // CommUp has been told
	early      bool   // something was sent before
	closing    bool   // Shutdown was called
	failing    bool   // its path does not answer
	aborted    error
	maxMessage int
	partials   []partial     // messages that are being received
	tooLong    bool          // one of them was
	primary    netip.Addr    // to become so when the association is up
	timeout    *time.Timer   // Params.ConnectTimeout, then ShutdownGuard
	guard      time.Duration // Params.ShutdownGuard
	left       int           // what was queued when guard ended last
	patience   time.Time     // before this, no set-up fails for want of an answer
	contexts   contexts
}

// lookup returns an association, with the lock held.
func (e *Endpoint) lookup(id assoc.ID) (*association, error) {
	if e.closed {
		return nil, net.ErrClosed
	}
	a := e.assocs[id]
	if a == nil || a.aborted != nil {
		return nil, assoc.ErrNotConnected
	}
	return a, nil
}

// translate finds the error of package assoc for one of the system.
func translate(err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	var is error
	switch errno {
	case unix.EAGAIN:
		return assoc.ErrWouldBlock
	case unix.ENOTCONN:
		is = assoc.ErrNotConnected
	case unix.EPIPE, unix.ESHUTDOWN:
		is = assoc.ErrPipe
	case unix.EMSGSIZE:
		is = assoc.ErrMessageSize
	case unix.EINVAL:
		is = assoc.ErrInvalid
	case unix.ECONNREFUSED:
		is = assoc.ErrRefused
	case unix.ETIMEDOUT:
		is = assoc.ErrTimeout
	case unix.ECONNRESET, unix.ECONNABORTED:
		is = assoc.ErrAborted
	case unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EADDRNOTAVAIL, unix.EAFNOSUPPORT:
		is = assoc.ErrUnreachable
	case unix.ENOBUFS, unix.ENOMEM:
		is = assoc.ErrNoResources
	case unix.EBADF:
		return net.ErrClosed
	default:
		return err
	}
	return fmt.Errorf("%w: %w", is, errno)
}

// SetParams implements transport.Endpoint.
func (e *Endpoint) SetParams(id assoc.ID, p assoc.Params) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	sock := e.main
	if id == 0 {
		if p.Primary.IsValid() {
			return assoc.ErrInvalid // of which association?
		}
		e.params = overlay(e.params, p)
	} else if a, err := e.lookup(id); err != nil {
		return err
	} else {
		sock = a.sock
		a.maxMessage = cmp.Or(p.MaxMessage, a.maxMessage)
		a.guard = cmp.Or(p.ShutdownGuard, a.guard)
	}
	return translate(sock.control(func(fd uintptr) error { return setParams(fd, id, p) }))
}

// LocalAddrs implements transport.Endpoint.
func (e *Endpoint) LocalAddrs() []netip.AddrPort {
	return append([]netip.AddrPort(nil), e.local...)
}
