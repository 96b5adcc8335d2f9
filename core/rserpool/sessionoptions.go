package rserpool

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// SessionOptions are the settings of a session. Those in a Config are what the
// sessions of a socket begin with; SetOptions and SetSessionOptions change them
// later. A zero field means the default, also when it is set later: to change
// one, take what Options or SessionOptions returns and change that.
type SessionOptions struct {
	// FailoverLimit is how long a session looks for another element, and a new
	// one for its first, before it fails with ErrNoElement; negative: for ever.
	// RSERPOOL_FAILOVER, in seconds or like 1m30s; 15 s.
	FailoverLimit time.Duration
	// SendBuffer and ReceiveBuffer bound what a session keeps to send (with
	// Replay: and to send again) and to be received, in bytes; 4 MiB, and at least
	// 4096: less is raised to that. The first counts what the peer's library has not
	// acknowledged, with 64 bytes more for each message; when it is full, sending
	// returns ErrWouldBlock. The second counts what the program has not received;
	// when it is full the peer of this session has to wait, for as long as this
	// process answers. An empty one has room for one message, however long.
	// Bookkeeping, 256 bytes for each message, may take as much memory as
	// ReceiveBuffer once more where messages are small. The traffic with registrars
	// has buffers of its own. The kernel's SCTP has one send buffer, of 1 MiB or
	// more, for all sessions of a socket, and keeps one half of ReceiveBuffer
	// itself, at least 64 KiB.
	SendBuffer, ReceiveBuffer int
	// SendLimit is how long the peer of a session that has no room for a message, which
	// was refused with ErrWouldBlock, or waits, may take nothing: then that session
	// fails with ErrSendLimit, and no other one. It is looked at once in that time, so up
	// to twice as much may pass.
	// It does not run while the session looks for an element. Negative: for ever,
	// which is the default.
	SendLimit time.Duration
	// Notifications are what is told in band; none.
	Notifications Notifications
	// Replay keeps what a pool user sends until a cookie covers it, and sends
	// it again after a failover, behind the echo of that cookie. Elements need
	// it too: it makes their cookies say what they cover. It is chosen before
	// the session begins. See the package documentation.
	Replay bool
	// NoFailover ends a session of a pool user with the element that serves it,
	// instead of looking for another one (RFC 5352 section 6.5.5). What that one
	// did not get is given back: see NotifyUndelivered.
	NoFailover bool
	// HoldFailover keeps everything but the cookie back after a failover. The
	// program is told FailoverCompleted in any case; what it sends after it has
	// received that goes ahead of all messages that wait, until it calls Resume:
	// so it can tell the new element what that has to know before (RFC 5351
	// section 4.2). Nothing else is sent before Resume. One goroutine receives.
	HoldFailover bool
	// FailBack lets a session of a pool element outlive its pool user, if that is
	// an element of a pool itself, which it says with a business card (RFC 5351
	// section 4.2): when it fails, another element of its pool takes its place, as
	// the card recommends or else as that pool's policy says. The session goes on
	// like one of a pool user: what was not delivered is sent to the new peer, as a
	// new session there.
	FailBack bool

	// DSCP is the differentiated services codepoint of the packets that this side
	// sends, 0 to 63 (RFC 2474). Those of the option of a socket also go to registrars.
	DSCP int

	// The rest tunes SCTP's failure detection (RFC 9260 section 16). Where none
	// of it is set a session of a pool user follows the round trip that it
	// measures: on a short path an element is given up that has not acknowledged
	// anything for about 0.8 s. Elements have more patience with pool users. RTO is the retransmission timeout,
	// Heartbeat the pause between heartbeats (negative: none), PathRetransmits
	// and AssocRetransmits how often in a row a path or a peer may fail to
	// answer.
	RTOInitial, RTOMin, RTOMax        time.Duration
	Heartbeat                         time.Duration
	PathRetransmits, AssocRetransmits int
}

// resolve fills in the defaults and looks for nonsense.
func (o SessionOptions) resolve() (SessionOptions, error) {
	r, err := session.Options(o).Resolve()
	return SessionOptions(r), err
}

// Options returns what sessions of the socket begin with.
func (s *Socket) Options() SessionOptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SessionOptions(s.table.Options())
}

// SetOptions changes what sessions of the socket begin with. Those that have
// begun keep theirs. It returns ErrInvalid when a value makes no sense.
func (s *Socket) SetOptions(o SessionOptions) error {
	o, err := o.resolve()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	if err := s.table.SetDefaults(session.Options(o)); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// SessionOptions returns the options of a session; session zero is the one
// that Connect made. ErrNotConnected means that there is no such session.
func (s *Socket) SessionOptions(id SessionID) (SessionOptions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return SessionOptions{}, err
	}
	return SessionOptions(ss.Options()), nil
}

// SetSessionOptions changes the options of a session. It returns ErrInvalid
// when a value makes no sense, or when Replay changes: that is chosen before
// the session begins.
func (s *Socket) SetSessionOptions(id SessionID, o SessionOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return err
	}
	return s.setOptions(ss, o)
}

func (s *Socket) setOptions(ss *session.Session, o SessionOptions) error {
	o, err := o.resolve()
	if err != nil {
		return err
	}
	if o.Replay != ss.Options().Replay {
		return fmt.Errorf("%w: Replay cannot change within a session; set it in the socket's options before", ErrInvalid)
	}
	if err := s.table.SetOptions(time.Now(), ss, session.Options(o)); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// Options returns the options of the session.
func (c *Conn) Options() SessionOptions {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return SessionOptions(c.ss.Options())
}

// SetOptions is Socket.SetSessionOptions for this session.
func (c *Conn) SetOptions(o SessionOptions) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.ended(); err != nil {
		return err
	}
	return c.s.setOptions(c.ss.Session, o)
}
