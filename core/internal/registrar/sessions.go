package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/handlespace"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// session is a peer's progress through our handle table (ENRP-3.2-11).
type session struct {
	peer   *peer
	own    bool // W: only what we own
	cursor handlespace.Cursor
	expiry timerq.Timer[deadline]
}

// sessions are the tables on their way from us to peers.
type sessions struct {
	*core
	peers *peers
}

// handleRequest answers with the next part of the table (ENRP-3.2-10,
// ENRP-3.6-10): what it has not had yet if it goes on with a session, from the
// beginning otherwise. While we have no table we refuse (ENRP-3.2-17).
func (ss *sessions) handleRequest(now time.Time, p *peer, m enrp.HandleTableRequest) {
	response := enrp.HandleTableResponse{Route: enrp.Route{Sender: ss.id, Receiver: p.id}}
	if !ss.serving {
		response.Rejected = true // which is the R flag (ENRP-2.3-01)
		ss.peers.tell(p, response)
		return
	}
	s := ss.of(p, m.OwnChildrenOnly)
	response.Entries, response.More = ss.part(s)
	ss.peers.tell(p, response)
	if response.More {
		ss.timers.Set(&s.expiry, now.Add(ss.cfg.Timers.TableSession)) // for the next request (ENRP-3.2-20)
	} else {
		ss.end(p)
	}
}

// of returns the session of a peer, a new one if it has none for what it wants.
func (ss *sessions) of(p *peer, own bool) *session {
	if p.session == nil || p.session.own != own {
		ss.end(p)
		p.session = &session{peer: p, own: own}
		p.session.expiry.Value = p.session
	}
	return p.session
}

// part collects what follows the session's cursor and moves that on. PEs of one
// pool that follow each other make one entry (ENRP-2.3-03).
func (ss *sessions) part(s *session) (entries []enrp.PoolEntry, more bool) {
	room := ss.cfg.Limits.TablePart
	for el := range ss.space.After(s.cursor) {
		if s.own && el.Home != ss.id { // the W flag leaves it out (ENRP-2.2-01)
			continue
		}
		h := el.Pool().Handle
		last := len(entries) - 1
		size := elementSize(el.Element)
		fresh := last < 0 || entries[last].Handle != h
		if fresh {
			size += 8 + len(h)
		}
		if room -= size; room < 0 && last >= 0 {
			return entries, true
		}
		if fresh {
			capacity := min(el.Pool().Len(), ss.cfg.Limits.TablePart/size+1)
			entries = append(entries, enrp.PoolEntry{Handle: h, Elements: make([]protocol.Element, 0, capacity)})
			last++
		}
		entries[last].Elements = append(entries[last].Elements, el.Element)
		s.cursor = el.Cursor()
	}
	return entries, false
}

// end forgets a session. A peer that asks again starts from the beginning
// (ENRP-3.2-20).
func (ss *sessions) end(p *peer) {
	if p.session != nil {
		ss.timers.Stop(&p.session.expiry)
		p.session = nil
	}
}
