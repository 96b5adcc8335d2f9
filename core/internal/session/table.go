package session

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Port is the SCTP endpoint under the sessions: loop.Port, or one that is
// simulated. Its methods return at once and never call the Table; the errors are
// those of package assoc.
type Port interface {
	Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error)
	Shutdown(id assoc.ID) error
	Abort(id assoc.ID, reason string) error
	SetParams(id assoc.ID, p assoc.Params) error
	Status(id assoc.ID) (assoc.Status, error)
	AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error)

	// SendControl sends a message ordered on stream 0, now or when there is room;
	// Flush does it then, Waiting says that some wait, Forget drops those of an
	// association that has ended.
	SendControl(id assoc.ID, ppid uint32, b []byte) error
	Flush(id assoc.ID)
	Waiting(id assoc.ID) bool
	Forget(id assoc.ID)

	// PauseReceive leaves what comes on an association in the transport, until
	// ResumeReceive. They return false where the transport cannot do that for one.
	PauseReceive(id assoc.ID) (can bool)
	ResumeReceive(id assoc.ID) (can bool)

	// Return gives messages back which were received and lent.
	Return(id assoc.ID, bytes, messages int)
}

// Sender sends messages: the transport itself, for there is no layer between a
// session and its packets.
type Sender interface {
	Send(b []byte, info *assoc.SendInfo) error
}

// Config holds the settings of a Table and what it has to call.
type Config struct {
	Options    Options // that sessions begin with, resolved
	MaxMessage int
	CookieLife time.Duration // of sealed cookies
	PerSession bool          // sessions are received from one by one
	NoCards    bool          // peers cannot read business cards
	Observe    bool          // Observed tells what happens to sessions

	// Post passes an event to the machine of ASAP, and performs what follows.
	Post func(endpoint.Event)
	// Encode makes bytes of a control message; it is for the peer of an association.
	Encode func(to assoc.ID, m asap.Message) ([]byte, error)
	// Decode reads what came; m is nil if it makes no sense, and report what is to
	// be said to the sender.
	Decode func(info *assoc.RecvInfo, b []byte) (m asap.Message, report []protocol.Cause)
	// Explain translates what the machine of ASAP says of a pool; nil: not at all.
	Explain func(err error, pool protocol.PoolHandle) error
	// Here are the addresses of this host beside the local ones of an association
	// with somebody on it; nil: none.
	Here func(local []netip.AddrPort) []netip.AddrPort
	// Random fills in the salts of sealed cookies.
	Random func([]byte)
}

// Service is how the endpoint serves as a pool element.
type Service struct {
	Serving    bool // pool users may come
	Registered bool // a registrar has granted it
	Foreign    bool // the program serves elsewhere: nobody has a session here
	Pool       string
	DataOnly   bool            // there is no way for cookies and cards
	Preferred  []protocol.PEID // whom pool users are to move to
	PoolKey    []byte          // of cookies; none: they are not sealed
}

// Table holds the sessions of one endpoint. See the package for how it is used.
type Table struct {
	cfg     Config
	service Service
	port    Port
	sender  Sender
	lends   bool // what is in the inboxes counts against receive windows

	now     time.Time      // of the call under way
	out     assoc.SendInfo // of the message under way; here it need not be allocated
	closing bool
	assocs  map[assoc.ID]*association

	own        *Session // that of Open
	sessions   map[ID]*Session
	last       ID
	live       int            // sessions that have not ended
	fulls      int            // of these, that refused a message and have had no room since
	stuck      int            // full inboxes whose association the transport cannot hold alone
	arrivals   fifo[*Session] // whose message is next, unless PerSession
	accepting                 // of pool users
	draining   bool           // Drain: sessions are to move to other elements
	cardTokens                // look-ups for business cards

	deadlines timerq.Queue[deadline]
	output
}

// association is what an association of the endpoint is to its sessions.
type association struct {
	up      bool
	over    bool               // being shut down: what still arrives is dropped
	was     ID                 // over: whose it was
	session *Session           // nil: a registrar's, or not known yet
	next    *Session           // over: who wants one with the same peer
	peer    Name               // of the peer as an element, by its business card
	card    []protocol.Element // which it recommends
	owed    debt               // window.go
}

// New returns a Table without sessions.
func New(cfg Config) *Table {
	if cfg.Explain == nil {
		cfg.Explain = func(err error, _ protocol.PoolHandle) error { return err }
	}
	if cfg.Here == nil {
		cfg.Here = func([]netip.AddrPort) []netip.AddrPort { return nil }
	}
	return &Table{cfg: cfg, assocs: map[assoc.ID]*association{}, sessions: map[ID]*Session{}}
}

// Attach gives the Table its endpoint, before anything else but Listen. lends says
// that what is received counts against receive windows until it is returned.
func (t *Table) Attach(p Port, s Sender, lends bool) {
	t.port, t.sender, t.lends = p, s, lends
	if !lends {
		_ = p.SetParams(0, t.buffers(t.cfg.Options)) // sizes that it was opened with
	}
}

// longestASAP is what the length of an ASAP message can say (RFC 5354 section 2): those
// share the endpoint, whatever the program's messages are.
const longestASAP = 1<<16 - 1

// EndpointParams are the settings that the endpoint is to be opened with.
func (t *Table) EndpointParams() assoc.Params {
	p := t.cfg.Options.params()
	p.SendBuffer, p.ReceiveBuffer = t.cfg.Options.SendBuffer, t.cfg.Options.ReceiveBuffer
	p.MaxMessage = max(t.cfg.MaxMessage, longestASAP)
	p.OutStreams = Streams
	return p
}

// Service returns how the endpoint serves.
func (t *Table) Service() Service { return t.service }

// SetService changes it for what comes.
func (t *Table) SetService(s Service) { t.service = s }

// Own returns the session of Open; nil without one.
func (t *Table) Own() *Session { return t.own }

// Len returns how many sessions there are, with those that have ended and were not
// read to their end.
func (t *Table) Len() int { return len(t.sessions) }

// Size is what a Table holds.
type Size struct{ Sessions, Associations, Deadlines, Lookups int }

// Size returns how much there is of everything that could grow.
func (t *Table) Size() Size {
	return Size{len(t.sessions), len(t.assocs), t.deadlines.Len(), len(t.cards)}
}

// Find returns a session, also one that has ended and was not read to its end; nil if
// there is none of that name.
func (t *Table) Find(id ID) *Session { return t.sessions[id] }

// Sessions returns all in the order in which they began.
func (t *Table) Sessions() []*Session {
	return t.list(func(*Session) bool { return true })
}

// Lookup returns a session that has not ended; zero is the one of Open.
func (t *Table) Lookup(id ID) (*Session, error) {
	ss := t.own
	if id != 0 {
		ss = t.sessions[id]
	}
	switch {
	case ss == nil && id == 0:
		return nil, fmt.Errorf("%w: connect to a pool first, or name the session to use", ErrNotConnected)
	case ss == nil:
		return nil, fmt.Errorf("%w: session %d has ended", ErrNotConnected, id)
	case ss.ending:
		return nil, fmt.Errorf("%w: session %d is being ended", ErrNotConnected, ss.id)
	case ss.phase == ended && ss.err != nil:
		return nil, fmt.Errorf("%w: session %d has ended: %w", ErrNotConnected, ss.id, ss.err)
	case ss.phase == ended:
		return nil, fmt.Errorf("%w: session %d has ended", ErrNotConnected, ss.id)
	}
	return ss, nil
}

func (t *Table) newSession() *Session {
	t.last++
	ss := &Session{id: t.last, opts: t.cfg.Options}
	ss.tuning.Value = deadline{tuneDue, ss}
	ss.patience.Value = deadline{patienceOver, ss}
	ss.parting.Value = deadline{partDue, ss}
	t.sessions[ss.id] = ss
	t.live++
	return ss
}

// Standing says that an association has not ended.
func (t *Table) Standing(id assoc.ID) bool { return t.assocs[id] != nil }

// Quiet says that no session is left, nor an association that had one.
func (t *Table) Quiet() bool { return len(t.sessions) == 0 && t.leavings() == 0 }

// leavings is how many associations of sessions that are over still stand.
func (t *Table) leavings() (n int) {
	for _, a := range t.assocs { // any order: a count
		if a.over {
			n++
		}
	}
	return n
}
